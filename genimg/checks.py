"""Arguments of a call, checked and refused in the same words everywhere.

Every check raises ValueError with one sentence.
"""

import reprlib
from functools import reduce
from typing import Any

import numpy as np

from genimg.wording import Wording

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
        raise ValueError(
            Wording(
                "check.whole_number",
                "{name} must be a whole number from {low} to {high}, not {value}",
                name=_argument(name), low=low, high=high, value=shown(value),
            )
        )  # fmt: skip


def require_number(name: str, value: Any, low: float, high: float) -> None:
    """Raise ValueError, naming the argument, unless `value` is a number from low to high."""
    number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(
        value, bool
    )
    if not number or not low <= value <= high:
        raise ValueError(
            Wording(
                "check.number",
                "{name} must be a number from {low} to {high}, not {value}",
                name=_argument(name), low=f"{low:g}", high=f"{high:g}", value=shown(value),
            )
        )  # fmt: skip


def require_one_of(name: str, value: Any, known: dict | tuple) -> None:
    """Raise ValueError, naming the argument, unless `value` is one of the texts `known`."""
    if not isinstance(value, str) or value not in known:
        raise ValueError(
            Wording(
                "check.one_of",
                "{name} must be one of {known}, not {value}",
                name=_argument(name), known=list(known), value=shown(value),
            )
        )  # fmt: skip


def require_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    """Raise ValueError, naming the argument, unless `value` is one of a few texts."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(
            Wording(
                "check.choice",
                "{name} must be {choices}, not {value}",
                name=_argument(name), choices=reduce(_or, choices), value=shown(value),
            )
        )  # fmt: skip


def require_flag(name: str, value: Any) -> None:
    """Raise ValueError, naming the argument, unless `value` is True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(
            Wording(
                "check.flag",
                "{name} must be True or False, not {value}",
                name=_argument(name), value=shown(value),
            )
        )  # fmt: skip


def _or(one: str, other: str) -> str:
    return Wording("check.or", "{one} or {other}", one=one, other=other)


def _argument(name: str) -> Wording:
    """Return what an argument is called, by its name."""
    return Wording(f"argument.{name}", "{name}", name=name)


def shown(value: Any) -> str:
    """Return a value as a sentence shows it: short, and on one line."""
    if value is None:
        return Wording("check.nothing", "nothing")
    if isinstance(value, np.ndarray):
        kind, shape = str(value.dtype), str(value.shape)
        return Wording("check.array", "an array of {kind} {shape}", kind=kind, shape=shape)
    text = " ".join(reprlib.repr(value).split())
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + " ..."
