"""What the methods of all models take alike: counts, seeds, classes and pictures."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genimg.metrics.features import image_tensor
from genimg.render.images import require_whole_number

Label = str | int | Sequence[int] | None


def check_count(count: int) -> None:
    """Raise ValueError unless so many pictures can be made at once."""
    require_whole_number("count", count, 1, 100_000)


def check_seed(seed: int) -> None:
    """Raise ValueError unless `seed` is a whole number from 0 to 2^32 - 1."""
    require_whole_number("seed", seed, 0, 2**32 - 1)


def pictures_of(model: Any) -> tuple[str, int]:
    """Return the data set and the size in pixels of the pictures that a model was trained on.

    Args:
        model: what `genimg.load` returns.

    Raises:
        ValueError: the card does not name them.
    """
    dataset, size = model.info.get("dataset"), model.info.get("size")
    if dataset is None or size is None:
        raise ValueError(f"the card of {model.name} must tell the dataset and the size in pixels")
    return dataset, size


def class_numbers(
    label: Label, count: int, classes: Sequence[str], model_name: str
) -> Tensor | None:
    """Return one class number for each of `count` pictures, int64 (count,).

    Args:
        label: a class by name (in upper or lower case) or number, one number for each picture, or
            None for all classes in turn.
        classes: the names of the classes; without any, the result is None.
        model_name: who is speaking when a label is refused.

    Raises:
        ValueError: there is no such class.
    """
    if not classes:
        if label is not None:
            raise ValueError(f"{model_name} was trained without labels, so it takes no label")
        return None
    if label is None:
        return torch.arange(count) % len(classes)
    if isinstance(label, str):
        lowered = [name.lower() for name in classes]
        if label.lower() not in lowered:
            raise ValueError(
                f"{model_name} does not know {label!r}; its classes are {', '.join(classes)}"
            )
        label = lowered.index(label.lower())
    numbers = torch.as_tensor(label)
    if numbers.dim() == 0:
        numbers = numbers.expand(count)
    if (
        numbers.is_floating_point()
        or numbers.shape != (count,)
        or numbers.min() < 0
        or numbers.max() >= len(classes)
    ):
        raise ValueError(f"labels must be {count} whole numbers from 0 to {len(classes) - 1}")
    return numbers


def network_input(images: np.ndarray) -> Tensor:
    """Return pictures, uint8 (N, H, W, C), as networks take them: float (N, C, H, W) in [-1, 1].

    Raises:
        ValueError: these are no pictures.
    """
    return image_tensor(images).float() / 127.5 - 1


def one_picture(image: np.ndarray) -> Tensor:
    """Return one picture, uint8 (H, W, C), as float (1, C, H, W) in [-1, 1].

    Raises:
        ValueError: this is no picture.
    """
    if not isinstance(image, np.ndarray) or image.ndim != 3:
        raise ValueError("image must be one picture, a numpy array of uint8 (H, W, C)")
    return network_input(image[None])
