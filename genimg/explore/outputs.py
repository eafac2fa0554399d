"""The forms in which pictures are given: what each `output=` means.

"numpy" is an array, uint8 (..., H, W, C). "torch" is a tensor on the CPU, uint8 (..., C, H, W), as
`torchvision` takes it. "pil" is a Pillow image, or a list of them.
"""

from typing import Any, Literal

import numpy as np
import torch

from genimg.checks import require_one_of
from genimg.render import to_image

Output = Literal["numpy", "torch", "pil"]
FORMS = ("numpy", "torch", "pil")

# For a type checker an array, as it nearly always is, that may be used as anything: overloads for
# three forms of eight methods would be longer than the methods.
Pictures = np.ndarray | Any


def check_output(output: str) -> None:
    """Raise ValueError unless this is one of `FORMS`."""
    require_one_of("output", output, FORMS)


def as_output(pictures: np.ndarray, output: Output) -> Pictures:
    """Return pictures, uint8 (N, H, W, C), or one (H, W, C), in the form `output`."""
    if output == "torch":
        return torch.from_numpy(pictures).movedim(-1, -3).contiguous()
    if output == "pil":
        one = pictures.ndim == 3
        return to_image(pictures) if one else [to_image(picture) for picture in pictures]
    return pictures
