"""What the methods of all models take alike, checked once and refused in the same words.

Every check raises ValueError with one sentence, before any work is done.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genimg.checks import check_seed, is_whole, require_number, require_whole_number, shown
from genimg.tensors import network_input

Label = str | int | Sequence[str | int] | np.ndarray | Tensor | None


def check_count(count: int) -> None:
    """Raise ValueError unless this many pictures can be made at once."""
    require_whole_number("count", count, 1, 100_000)


def check_amounts(amounts: np.ndarray) -> np.ndarray:
    """Return amounts of directions for many pictures, float32 (N, K), or raise ValueError."""
    table = amounts if isinstance(amounts, np.ndarray) else None
    if table is None or table.ndim != 2 or table.dtype.kind not in "fiu" or not table.size:
        raise ValueError(f"amounts must be an array (pictures, directions), not {shown(amounts)}")
    check_count(len(table))
    if not np.isfinite(table).all():
        raise ValueError("amounts must be finite numbers")
    return table.astype(np.float32)


def check_seeds(seeds: Sequence[int]) -> list[int]:
    """Return 2 to 16 seeds as a list, or raise ValueError."""
    given = _entries(seeds)
    if given is None or not 2 <= len(given) <= 16:
        got = "one value" if given is None else len(given)
        raise ValueError(f"seeds must be 2 to 16 numbers, not {got}")
    for seed in given:
        check_seed(seed)
    return given


def check_directions(
    directions: Sequence[float] | Mapping[str, float], named: Sequence[str]
) -> list[float]:
    """Return how far to go along each direction, or raise ValueError.

    Args:
        directions: amounts, in the order of the directions or by name.
        named: the names of the first directions; may be empty.
    """
    if isinstance(directions, Mapping):
        for name in directions:
            if name not in named:
                known = f"its directions are {', '.join(named)}" if named else "it has none"
                raise ValueError(f"there is no direction {shown(name)} with a name; {known}")
        directions = [directions.get(name, 0.0) for name in named]
    amounts = _entries(directions)
    if amounts is None or not all(map(_is_finite, amounts)):
        raise ValueError(f"directions and latents must be finite numbers, not {shown(directions)}")
    return [float(amount) for amount in amounts]


def check_latents(latents: Mapping[int, float] | None, dimensions: int) -> dict[int, float]:
    """Return amounts by dimension of z, of which there are `dimensions`, or raise ValueError."""
    latents = {} if latents is None else latents
    if not isinstance(latents, Mapping):
        raise ValueError(f"latents must be amounts by dimension of z, not {shown(latents)}")
    for dimension, amount in latents.items():
        if not is_whole(dimension) or not 0 <= dimension < dimensions:
            raise ValueError(f"z has dimensions 0 to {dimensions - 1}, not {shown(dimension)}")
        if not _is_finite(amount):
            raise ValueError(f"directions and latents must be finite numbers, not {shown(amount)}")
    return {int(dimension): float(amount) for dimension, amount in latents.items()}


def check_controls(controls: Mapping[str, Any], more: Sequence[str] = ()) -> None:
    """Raise ValueError unless these are controls of how tokens are chosen.

    Args:
        more: the names of controls that are known besides, and checked elsewhere.
    """
    limits = {"temperature": (0, 100), "top_p": (0, 1), "guidance": (0, 100)}
    for name, value in controls.items():
        if name == "top_k":
            require_whole_number(name, value, 0, 65_536)
        elif name in limits:
            require_number(name, value, *limits[name])
        elif name not in more:
            known = ", ".join(("temperature", "top_k", "top_p", "guidance", *more))
            raise ValueError(f"there is no control {name!r}; the controls are {known}")
    if controls.get("top_p", 1) == 0:
        raise ValueError("top_p must be above 0: some token has to be left to choose")


def require_index(name: str, value: int, count: int) -> None:
    """Raise ValueError unless `value` is one of the `count` whole numbers from 0."""
    if not is_whole(value) or not 0 <= value < count:
        raise ValueError(f"{name} must be from 0 to {count - 1}, not {shown(value)}")


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
        label: a class by name (in upper or lower case) or number, one of these for each picture, or
            None for all classes in turn.
        classes: the names of the classes; without any, the result is None.
        model_name: what a sentence that refuses a label calls the model.

    Raises:
        ValueError: there is no such class.
    """
    if not classes:
        if label is not None:
            raise ValueError(f"{model_name} was trained without labels, so it takes no label")
        return None
    if label is None:
        return torch.arange(count) % len(classes)
    labels = _entries(label)
    if labels is None:
        labels = [label] * count
    numbers = [_class_number(one, classes, model_name) for one in labels]
    if len(numbers) != count or None in numbers:
        raise _no_such_label(label, count, classes)
    return torch.tensor(numbers)


def class_number(label: str | int | None, classes: Sequence[str], model_name: str) -> int:
    """Return the number of one class, given by name or number.

    Raises:
        ValueError: it is None, there is no such class, or there are several.
    """
    if not classes:
        raise ValueError(f"{model_name} was trained without labels, so it takes no label")
    number = _class_number(label, classes, model_name)
    if number is None:
        raise _no_such_label(label, 1, classes)
    return number


def _no_such_label(label: Any, count: int, classes: Sequence[str]) -> ValueError:
    last = len(classes) - 1
    wanted = f"{count} whole numbers from 0 to {last}, or names of classes"
    if count == 1:
        wanted = f"one whole number from 0 to {last}, or the name of a class"
    return ValueError(f"labels must be {wanted}, not {shown(label)}")


def _class_number(label: Any, classes: Sequence[str], model_name: str) -> int | None:
    """Return the number of a class, or None for what is neither a name nor such a number."""
    if isinstance(label, str):
        lowered = [name.lower() for name in classes]
        if label.lower() not in lowered:
            raise ValueError(
                f"{model_name} does not know {shown(label)}; its classes are {', '.join(classes)}"
            )
        return lowered.index(label.lower())
    return int(label) if is_whole(label) and 0 <= label < len(classes) else None


def one_picture(image: np.ndarray, config: Any, model_name: str) -> Tensor:
    """Return one picture, uint8 (H, W, C), as float (1, C, H, W) in [-1, 1].

    Raises:
        ValueError: this is not a picture, or not one that `network_input` takes.
    """
    if not isinstance(image, np.ndarray) or image.ndim != 3:
        raise ValueError("image must be one picture, a numpy array of uint8 (H, W, C)")
    return network_input(image[None], config, model_name)


def token_numbers(tokens: np.ndarray, length: int, low: int, high: int) -> Tensor:
    """Return tokens as int64 (..., length), at least one row of them.

    Args:
        low, high: the smallest and the largest token there is.

    Raises:
        ValueError: they have another shape, or one is no such number.
    """
    try:
        array = np.asarray(tokens)
    except (ValueError, TypeError):  # rows of several lengths
        array = np.empty(0)
    if (
        not np.issubdtype(array.dtype, np.integer)
        or array.shape[-1:] != (length,)
        or not len(array)
    ):
        raise ValueError(
            f"tokens must be ({length},) whole numbers for each picture, not {shown(tokens)}"
        )
    if array.min() < low or array.max() > high:
        raise ValueError(f"tokens must be from 0 to {high}, not {array.min()} to {array.max()}")
    return torch.from_numpy(array.astype(np.int64))


def _entries(values: Any) -> list | None:
    """Return what a list, an array or the like holds; None for a single value."""
    if isinstance(values, (np.ndarray, Tensor)):
        values = values.tolist()
    return list(values) if isinstance(values, (list, tuple, range)) else None


def _is_finite(value: Any) -> bool:
    number = isinstance(value, (int, float, np.integer, np.floating))
    if not number or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value) and abs(value) <= torch.finfo(torch.float32).max
    except OverflowError:  # a whole number beyond every float
        return False
