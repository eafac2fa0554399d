"""Pictures that somebody gives in Python: a `Dataset`, or any torch data set with a length.

They are named by the hash of their content, "memory:0123456789abcdef", so that a run that learns
from them goes on only with the same ones.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from genimg.checks import is_whole, shown
from genimg.data.registry import Dataset

MEMORY_PREFIX = "memory:"
_DIGITS = 16
_LONGEST_NAME = 60


def given_dataset(source: Any) -> Dataset:
    """Return the given pictures as a data set that is named by their hash.

    Args:
        source: a `Dataset`, or a map-style data set of torch (it has `__len__` and `__getitem__`)
            of (picture, label). A picture is a PIL image, an array (H, W) or (H, W, C), or a tensor
            (H, W) or (C, H, W), uint8 or float from 0 to 1; all are square and of the same size. A
            label is a whole number from 0; the source's `classes`, if it has them, are the names.

    Raises:
        ValueError: it is neither; the sentence says what to change.
    """
    dataset = source if isinstance(source, Dataset) else _collected(source)
    _check(dataset)
    digest = _digest(dataset)
    name = " ".join("".join(c if c.isprintable() else " " for c in dataset.name).split())
    begin = name[:_LONGEST_NAME] or "pictures"
    return replace(
        dataset,
        name=MEMORY_PREFIX + digest[:_DIGITS],
        source=f"{begin}, given in Python (sha256 {digest})",
    )


def _collected(source: Any) -> Dataset:
    """Return all that a map-style data set holds."""
    try:
        count = len(source)
        items = [source[index] for index in range(count)]
    except (TypeError, NotImplementedError, KeyError) as error:
        raise ValueError(
            "dataset must be a name, a genimg.data.Dataset, or a map-style data set of torch, with"
            f" __len__ and __getitem__, not {shown(source)} ({error})"
        ) from None
    if not items:
        raise ValueError("the data set that was given has no pictures; give one with some")
    pictures, labels = [], []
    for index, item in enumerate(items):
        if not isinstance(item, (tuple, list)) or len(item) != 2:
            raise ValueError(f"item {index} of the data set must be (picture, label)")
        pictures.append(_picture(item[0], index))
        labels.append(_label(item[1], index))
        if pictures[index].shape != pictures[0].shape:
            raise ValueError(
                f"picture {index} is {_size(pictures[index])} and picture 0 {_size(pictures[0])}"
                " (channels, height, width); make them all the same with a transform"
            )
    classes = _class_names(getattr(source, "classes", None), max(labels) + 1)
    images = torch.stack(pictures)
    return Dataset(type(source).__name__, images, torch.tensor(labels), classes, "")


def _picture(value: Any, index: int) -> Tensor:
    """Return a picture as uint8 (C, H, W)."""
    if isinstance(value, Image.Image):
        value = np.asarray(value.convert("L" if value.mode in ("1", "L") else "RGB"))
    if isinstance(value, np.ndarray):
        value = torch.from_numpy(np.array(value))
        value = value.permute(2, 0, 1) if value.dim() == 3 else value
    if not isinstance(value, Tensor) or value.dim() not in (2, 3):
        raise ValueError(
            f"picture {index} must be one of PIL, an array (H, W, C) or a tensor (C, H, W), not"
            f" {shown(value)}"
        )
    value = value.detach().cpu()
    value = value[None] if value.dim() == 2 else value
    if value.is_floating_point():
        if not bool(((value >= 0) & (value <= 1)).all()):
            raise ValueError(
                f"picture {index} has numbers that are not from 0 to 1; leave out Normalize, genimg"
                " does that itself"
            )
        return value.mul(255).round().to(torch.uint8)
    if value.dtype != torch.uint8:
        raise ValueError(
            f"picture {index} must be of bytes, or of floats from 0 to 1, not of {value.dtype}"
        )
    return value


def _label(value: Any, index: int) -> int:
    if isinstance(value, Tensor) and value.dim() == 0:
        value = value.item()
    if not is_whole(value) or value < 0:
        raise ValueError(f"label {index} must be a whole number from 0, not {shown(value)}")
    return int(value)


def _class_names(names: Any, count: int) -> tuple[str, ...]:
    """Return the names of the classes, or their numbers if they have no names."""
    if isinstance(names, Sequence) and not isinstance(names, str) and len(names) >= count:
        return tuple(map(str, names))
    return tuple(map(str, range(count)))


def _check(dataset: Dataset) -> None:
    """Raise ValueError unless a data set is what the class `Dataset` promises."""
    images, labels, classes = dataset.images, dataset.labels, dataset.classes
    if not isinstance(images, Tensor) or images.dtype != torch.uint8 or images.dim() != 4:
        raise ValueError("the images of a data set must be a tensor of uint8 (N, C, H, W)")
    count, channels, height, width = images.shape
    if not count or channels not in (1, 3) or height != width:
        raise ValueError(
            "the images of a data set must be square, with 1 or 3 channels, and at least one, not"
            f" {tuple(images.shape)}; crop them with a transform"
        )
    if not isinstance(labels, Tensor) or labels.dtype != torch.int64 or labels.shape != (count,):
        raise ValueError(f"the labels of a data set must be a tensor of int64 ({count},)")
    named = isinstance(classes, tuple) and all(isinstance(name, str) for name in classes)
    if not named or not classes:
        raise ValueError(f"the classes of a data set must be names, not {shown(classes)}")
    if labels.min() < 0 or labels.max() >= len(classes):
        raise ValueError(
            f"the labels of a data set must be from 0 to {len(classes) - 1}, one for each of its"
            f" classes, not {labels.min()} to {labels.max()}"
        )
    if not isinstance(dataset.name, str):
        raise ValueError(f"the name of a data set must be a text, not {shown(dataset.name)}")


def _digest(dataset: Dataset) -> str:
    """Return the hash of everything that a model can learn from."""
    attributes = dataset.attributes
    facts = [list(dataset.images.shape), dataset.classes]
    facts.append([[name, each.values, each.cyclic] for name, each in attributes.items()])
    digest = hashlib.sha256(json.dumps(facts).encode())
    for tensor in (dataset.images, dataset.labels, *(each.data for each in attributes.values())):
        digest.update(tensor.contiguous().numpy().data)
    return digest.hexdigest()


def _size(picture: Tensor) -> str:
    return " x ".join(map(str, picture.shape))
