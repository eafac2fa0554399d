"""Test pictures, which the models did not see while they were trained: by number.

A data set is read when its first picture is asked for, and kept. Nothing is ever downloaded; see
`genimg.explore.local_data`.
"""

import random
from typing import Any

import numpy as np

from genimg.checks import require_whole_number
from genimg.data import Dataset
from genimg.explore import Model
from genimg.explore.local_data import pictures_here
from genimg.ui.messages import dataset_words
from genimg.ui.texts import say

# Their things are light and their background is black; a photograph is usually the other way round.
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
    called = dataset_words(name) if name else say("pad.unknown_dataset")
    try:
        split = pictures_here(name, model.config.size, "test")
    except ValueError:
        raise ValueError(say("pad.not_here", dataset=called)) from None
    if split.channels != model.config.channels:
        raise ValueError(say("pad.other_channels"))
    return split
