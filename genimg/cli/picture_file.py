"""A picture file from the command line, as a model takes it."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from genimg.data.decoding import read_picture


def open_picture(file: Path, config: Any) -> np.ndarray:
    """Read a picture file at the size and with the channels that a model takes, uint8 (H, W, C).

    Args:
        config: of the model: its `size` and `channels`.

    Raises:
        ValueError: there is no such file, or it cannot be read.
    """
    if not file.is_file():
        raise ValueError(f"there is no picture {file}")
    try:
        image = read_picture(file, config.size)
    except ValueError as error:
        raise ValueError(f"{file} cannot be used: {error}") from None
    if image.shape[2] == config.channels:
        return image
    if config.channels == 3:
        return image.repeat(3, axis=2)
    return np.asarray(Image.fromarray(image).convert("L"))[:, :, None]
