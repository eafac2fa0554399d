"""Test pictures, which the models did not see while they were trained: by number.

A data set is read when its first picture is asked for, and kept. Nothing is ever downloaded: a
visitor's click must not fill the disk of the machine or wait for somebody else's server.
"""

import random
from functools import lru_cache
from typing import Any

import numpy as np

from genimg import data
from genimg.checks import require_whole_number
from genimg.data import Dataset
from genimg.explore import Model
from genimg.ui.messages import dataset_words

# Their things are light and their background is black; a photograph usually is the other way round.
LIGHT_ON_BLACK = ("fashion-mnist", "mnist", "kmnist")


def count(model: Model) -> int:
    """Return how many test pictures there are for a model; 0 where they are not on this machine."""
    try:
        return len(_split_of(model))
    except ValueError:
        return 0


def picture(model: Model, number: Any) -> tuple[np.ndarray, str]:
    """Return test picture `number` and the name of its class, uint8 (H, W, C).

    Raises:
        ValueError: the pictures are not on this machine, or there is none of this number.
    """
    split = _split_of(model)
    require_whole_number("the number of a test picture", number, 0, len(split) - 1)
    number = int(number)
    pixels = split.images[number].permute(1, 2, 0).numpy().copy()  # (C, H, W) -> (H, W, C)
    return pixels, split.classes[int(split.labels[number])]


def random_number(model: Model) -> int:
    """Return the number of a test picture, drawn evenly.

    Raises:
        ValueError: the pictures are not on this machine.
    """
    return random.randrange(len(_split_of(model)))


def _split_of(model: Model) -> Dataset:
    name = model.info.get("dataset")
    called = dataset_words(name or "of an unknown data set")
    try:
        split = _load(name, model.config.size)
    except (ValueError, OSError):
        raise ValueError(
            f"the test pictures of this model ({called}) are not on this machine;"
            " draw a picture or upload one"
        ) from None
    if split.channels != model.config.channels:
        raise ValueError("the test pictures have other channels than this model takes")
    return split


@lru_cache(maxsize=4)
def _load(name: str | None, size: int) -> Dataset:
    if name is None or data.describe(name)["images"] is None:
        raise ValueError("it would have to be downloaded")
    return data.load(name, size=size, split="test")
