"""Runs that are to be compared: one setting differs, everything else and the seed are the same."""

import dataclasses
import itertools
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genimg.checks import shown
from genimg.configuration import setting_name
from genimg.training.presets import make_spec, preset_named, settings_of
from genimg.wording import Wording

MOST = 8
"""Runs that can be told apart when their curves lie in one chart."""
MOST_OF_A_SWEEP = 32
"""Runs that can be read in one table."""
_SWITCH = {"on": True, "off": False}

# What a choice cannot do without: a race of bare names would compare the lack of it.
_RECIPES: dict[str, dict[str, dict[str, Any]]] = {
    "objective": {
        "minimax": {"objective": "minimax"},
        "nonsaturating": {"objective": "nonsaturating"},
        "least-squares": {"objective": "least-squares"},
        # Gulrajani et al. 2017, arXiv 1704.00028: lambda is 10, and no other penalty.
        "wasserstein": {"objective": "wasserstein", "gradient_penalty": 10.0, "r1": 0, "r2": 0},
        "hinge": {"objective": "hinge"},
        # Huang et al. 2024, arXiv 2501.05441: with R1 alone it diverges.
        "relativistic": {"objective": "relativistic", "r1": 1.0, "r2": 1.0},
    },
    # Steps of SGD shrink with the gradient, those of Adam do not: each has rates of its own size,
    # those that did best in `benchmarks/optimizers.md`.
    "optimizer": {
        "sgd": {
            "optimizer": "sgd",
            "beta1": 0.0,
            "generator_learning_rate": 0.1,
            "discriminator_learning_rate": 0.1,
        },
        "momentum": {
            "optimizer": "sgd",
            "beta1": 0.9,
            "generator_learning_rate": 0.01,
            "discriminator_learning_rate": 0.01,
        },
        "adam": {"optimizer": "adam"},
        "adamw": {"optimizer": "adamw"},
    },
}
_OF_THE_RUN = {"batch_size"}  # its other settings say how long, where and with which numbers
_OF_THE_DATA = {"channels", "classes", "size"}


@dataclass(frozen=True, slots=True)
class Variable:
    """A setting in which the runs of a race may differ.

    Attributes:
        name: of the field.
        names: of all that can be chosen, or () for a number.
        usual: the preset's own value, as text.
    """

    name: str
    names: tuple[str, ...]
    usual: str


def variables(preset: str) -> dict[str, Variable]:
    """Return what may be varied in the runs of a preset, the training's settings first.

    Raises:
        ValueError: there is no such preset.
    """
    sections = settings_of(preset_named(preset))
    recipes = _recipes(preset)
    found = {}
    for section in ("task", "model", "run"):
        config = sections[section]
        hints = typing.get_type_hints(type(config))
        for field in dataclasses.fields(config):
            elsewhere = section == "run" and field.name not in _OF_THE_RUN
            if elsewhere or field.name in _OF_THE_DATA:
                continue
            names = tuple(recipes.get(field.name, ())) or tuple(field.metadata["choices"] or ())
            if hints[field.name] is bool:
                names = tuple(_SWITCH)
            if names or hints[field.name] in (int, float):
                usual = _text(getattr(config, field.name))
                found[field.name] = Variable(field.name, tuple(map(str, names)), usual)
    return found


def variants(preset: str, setting: str, values: Sequence[str] = ()) -> dict[str, dict[str, Any]]:
    """Return the settings of each run of a race, by what it is called.

    Args:
        preset: what is trained.
        setting: one of `variables`.
        values: what to compare, as texts: names of the variable, or numbers; by default all names.

    Raises:
        ValueError: there is no such preset or setting, a value is none of it, or there are not from
            2 to MOST different ones.
    """
    known = variables(preset)
    if setting not in known:
        raise ValueError(
            Wording(
                "race.not_varied",
                "{setting} cannot be varied; {preset} can vary {known}",
                setting=shown(setting),
                preset=preset,
                known=", ".join(known),
            )
        )
    names = known[setting].names
    chosen = list(dict.fromkeys(str(value).strip() for value in values or names))
    if not 2 <= len(chosen) <= MOST:
        raise ValueError(
            Wording(
                "race.count",
                "compare from 2 to {most} different values of {setting}",
                most=MOST,
                setting=setting_name(setting),
            )
        )
    for value in chosen:
        if names and value not in names:
            raise ValueError(
                Wording(
                    "race.one_of",
                    "{setting} must be one of {names}, not {value}",
                    setting=setting_name(setting),
                    names=", ".join(names),
                    value=shown(value),
                )
            )
    recipes = _recipes(preset).get(setting, {})
    found = {v: recipes.get(v) or {setting: _read(setting, v, bool(names))} for v in chosen}
    if len({repr(settings) for settings in found.values()}) < len(chosen):
        raise ValueError(
            Wording(
                "race.same_number",
                "two of the values of {setting} are the same number; leave one out",
                setting=setting_name(setting),
            )
        )
    for settings in found.values():
        make_spec(preset, **settings)  # says what is out of range
    return found


def combinations(varied: Mapping[str, Sequence[Any]]) -> dict[str, dict[str, Any]]:
    """Return the settings of each run of a sweep, by what it is called: all with all.

    Args:
        varied: the values of each setting that differs, in the order in which they are told.

    Raises:
        ValueError: there are not from 2 to MOST_OF_A_SWEEP different ones.
    """
    different = {name: list(dict.fromkeys(values)) for name, values in varied.items()}
    found = {
        ", ".join(f"{name.replace('_', ' ')} {_text(value)}" for name, value in one.items()): one
        for values in itertools.product(*different.values())
        for one in [dict(zip(different, values, strict=True))]
    }
    if not 2 <= len(found) <= MOST_OF_A_SWEEP:
        raise ValueError(
            f"a sweep has from 2 to {MOST_OF_A_SWEEP} runs, and this one would have {len(found)};"
            " give a setting several values, such as --seed 0..4, or give fewer"
        )
    return found


def _recipes(preset: str) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the tables that mean something for a preset: those of which it has every setting."""
    sections = settings_of(preset_named(preset)).values()
    names = {field.name for config in sections for field in dataclasses.fields(config)}
    return {
        setting: table
        for setting, table in _RECIPES.items()
        if all(settings.keys() <= names for settings in table.values())
    }


def _read(setting: str, text: str, is_name: bool) -> Any:
    if is_name:
        return _SWITCH.get(text, text)
    try:
        return float(text)
    except ValueError:
        raise ValueError(
            Wording(
                "race.number",
                "{setting} must be a number, not {value}",
                setting=setting_name(setting),
                value=shown(text),
            )
        ) from None


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return next(text for text, meaning in _SWITCH.items() if meaning is value)
    return f"{value:g}" if isinstance(value, float) else str(value)
