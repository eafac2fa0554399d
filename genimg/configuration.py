"""Configurations: frozen dataclasses that check themselves.

One dataclass describes a thing once; from it come the JSON on disk, the command-line
options and the form in the browser, so the three cannot drift apart.

    @dataclass(frozen=True, kw_only=True, slots=True)
    class MlpConfig(Configuration):
        width: int = setting(256, "Units in each hidden layer.", low=1, high=4096)
"""

import dataclasses
import reprlib
import sys
import types
import typing
from typing import Any

from genimg.wording import Wording

# A tuple lists layers or learning-rate betas; a stranger's file must not ask for a million of them.
_MOST_ENTRIES = 16


def setting(
    default: Any,
    help: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple | None = None,
) -> Any:
    """Declare one field of a `Configuration`.

    Args:
        default: value when the field is not given; use a tuple, never a list.
        help: one sentence with the unit, shown on the command line and in forms.
        low, high: inclusive range of a number (of every entry, for a tuple).
        choices: the only allowed values.
    """
    return dataclasses.field(
        default=default, metadata={"help": help, "low": low, "high": high, "choices": choices}
    )


def setting_name(name: str) -> Wording:
    """Return the name of a field, which the page says as the form calls it."""
    return Wording(f"setting.{name}", "{name}", name=name)


Part = typing.TypeVar("Part", bound="Configuration")


class Configuration:
    """Base of every configuration: validation, and a round trip through plain dictionaries."""

    __slots__ = ()
    # Every subclass is a dataclass.
    __dataclass_fields__: typing.ClassVar[dict[str, dataclasses.Field[Any]]]

    def __post_init__(self) -> None:
        """Raise ValueError naming the field, the value and what is allowed."""
        hints = typing.get_type_hints(type(self))
        for field in dataclasses.fields(self):
            value = _checked(field, hints[field.name], getattr(self, field.name))
            object.__setattr__(self, field.name, value)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON-ready values (tuples become lists)."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}

    def part(self, kind: type[Part], **others: Any) -> Part:
        """Return a `kind` whose fields have the values they have here, or those in `others`.

        Raises:
            ValueError: the fields of `kind` do not fit one another.
        """
        mine = {field.name for field in dataclasses.fields(self)}
        shared = [field.name for field in dataclasses.fields(kind) if field.name in mine]
        return kind(**{name: getattr(self, name) for name in shared}, **others)

    @classmethod
    def from_dict(cls, values: Any) -> typing.Self:
        """Build from plain values, refusing names that are not fields.

        Raises:
            ValueError: `values` is not a dictionary, or names an unknown field, or a value is
                out of range.
        """
        if not isinstance(values, dict):
            raise ValueError(f"{cls.__name__} needs a dictionary, not {type(values).__name__}")
        known = [field.name for field in dataclasses.fields(cls)]
        unknown = sorted(set(map(str, values)) - set(known))
        if unknown:
            raise ValueError(
                f"{cls.__name__} has no field {unknown[0]!r}; the fields are {', '.join(known)}"
            )
        return cls(**values)


def _checked(field: dataclasses.Field, hint: Any, value: Any) -> Any:
    """Return `value` as the field's type, or raise ValueError."""
    if value is None and isinstance(hint, types.UnionType) and type(None) in hint.__args__:
        return None
    if isinstance(hint, types.UnionType):
        hint = next(part for part in hint.__args__ if part is not type(None))
    allowed = field.metadata.get("choices")
    low, high = field.metadata.get("low"), field.metadata.get("high")

    if typing.get_origin(hint) is tuple:
        entry = typing.get_args(hint)[0]
        noun: str = Wording("configuration.numbers", "numbers")
        good = isinstance(value, (list, tuple))
        if entry is str:
            noun = Wording("configuration.texts", "texts")
            good = good and all(isinstance(item, str) for item in value)
        if not good or not 1 <= len(value) <= _MOST_ENTRIES:
            raise ValueError(
                Wording(
                    "configuration.list",
                    "{name} must be a list of 1 to {most} {noun}, not {value}",
                    name=setting_name(field.name), most=_MOST_ENTRIES, noun=noun,
                    value=_shown(value),
                )
            )  # fmt: skip
        if entry is str:
            return tuple(value)
        return tuple(_number(field.name, entry, item, low, high) for item in value)
    if hint in (int, float):
        value = _number(field.name, hint, value, low, high)
    elif not isinstance(value, hint):
        raise ValueError(
            Wording(
                "configuration.kind",
                "{name} must be a {kind}, not {value}",
                name=setting_name(field.name), kind=hint.__name__, value=_shown(value),
            )
        )  # fmt: skip
    if allowed is not None and value not in allowed:
        raise ValueError(
            Wording(
                "configuration.one_of",
                "{name} must be one of {known}, not {value}",
                name=setting_name(field.name), known=list(map(str, allowed)),
                value=_shown(value),
            )
        )  # fmt: skip
    return value


def _number(name: str, kind: type, value: Any, low: float | None, high: float | None) -> Any:
    good = isinstance(value, (int, float)) and not isinstance(value, bool)
    # False for NaN and infinity, and for whole numbers that are too large to be a float.
    good = good and abs(value) <= sys.float_info.max and (kind is float or value % 1 == 0)
    if not good:
        noun = (
            Wording("configuration.whole", "a whole number")
            if kind is int
            else Wording("configuration.finite", "a finite number")
        )
        raise ValueError(
            Wording(
                "configuration.number",
                "{name} must be {noun}, not {value}",
                name=setting_name(name), noun=noun, value=_shown(value),
            )
        )  # fmt: skip
    if (low is not None and value < low) or (high is not None and value > high):
        low_text = "-inf" if low is None else f"{low:g}"
        high_text = "inf" if high is None else f"{high:g}"
        raise ValueError(
            Wording(
                "configuration.range",
                "{name} must be from {low} to {high}, not {value}",
                name=setting_name(name), low=low_text, high=high_text, value=_shown(value),
            )
        )  # fmt: skip
    return kind(value)


def _shown(value: Any) -> str:
    """Return a value as a sentence shows it: short, and on one line."""
    return " ".join(reprlib.repr(value).split())
