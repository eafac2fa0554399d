"""Arguments of a call, checked and refused in the same words everywhere.

Every check raises ValueError with one sentence.
"""

import reprlib
from typing import Any

import numpy as np

_LONGEST_SHOWN = 80  # characters of a value that is refused


def is_whole(value: Any) -> bool:
    """Tell whether a value is a whole number; True and False are none."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def check_seed(seed: int) -> None:
    """Raise ValueError unless `seed` is a whole number from 0 to 2^32 - 1."""
    require_whole_number("seed", seed, 0, 2**32 - 1)


def require_whole_number(name: str, value: Any, low: int, high: int) -> None:
    """Raise ValueError, naming the argument, unless `value` is an integer from low to high."""
    if not is_whole(value) or not low <= value <= high:
        raise ValueError(f"{name} must be a whole number from {low} to {high}, not {shown(value)}")


def require_number(name: str, value: Any, low: float, high: float) -> None:
    """Raise ValueError, naming the argument, unless `value` is a number from low to high."""
    number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(
        value, bool
    )
    if not number or not low <= value <= high:
        raise ValueError(f"{name} must be a number from {low:g} to {high:g}, not {shown(value)}")


def require_one_of(name: str, value: Any, known: dict | tuple) -> None:
    """Raise ValueError, naming the argument, unless `value` is one of the texts `known`."""
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"{name} must be one of {', '.join(known)}, not {shown(value)}")


def require_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    """Raise ValueError, naming the argument, unless `value` is one of a few texts."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} must be {' or '.join(choices)}, not {shown(value)}")


def require_flag(name: str, value: Any) -> None:
    """Raise ValueError, naming the argument, unless `value` is True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{name} must be True or False, not {shown(value)}")


def shown(value: Any) -> str:
    """Return a value as a sentence shows it: short, and on one line."""
    if value is None:
        return "nothing"
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype} {value.shape}"
    text = " ".join(reprlib.repr(value).split())
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + " ..."
