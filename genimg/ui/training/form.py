"""The form of a run, made from the configurations of a preset: nothing is written down twice."""

import dataclasses
import functools
import re
import typing
from collections.abc import Mapping, Sequence
from typing import Any

from genimg.configuration import setting_name
from genimg.metrics.features import FEATURE_NETS
from genimg.training.presets import PRESETS, settings_of
from genimg.training.spec import RunSpec, task_of
from genimg.ui.texts import named, say
from genimg.wording import Wording

_SECTIONS = ("run", "model", "task")
# What the form asks for elsewhere, what follows from the data set, and what is a path.
_ELSEWHERE = {"dataset", "images", "minutes", "channels", "classes", "init", "extend"}
_OF_VALIDATION = {"validations", "patience"}
_LABELS_ELSEWHERE = {
    "dataset": "training.dataset",
    "images": "training.train_for",
    "minutes": "training.train_for",
}


def offered() -> tuple[str, ...]:
    """Return the presets that a visitor may train: all but the yardsticks of the metrics."""
    return tuple(name for name in PRESETS if name not in FEATURE_NETS.values())


def sections(preset: str, choices: Mapping[str, Sequence]) -> list[dict[str, Any]]:
    """Return the fields of a preset's form, JSON-ready.

    Args:
        preset: one of `offered`.
        choices: the values to choose from, for a field that could be anything and may not be on a
            page: a device, a tokenizer.

    Returns:
        For each configuration its "title" and its "fields", each with "name", "label", "help",
        "kind" ("whole", "number", "list", "switch", "choice" or "text"), "value" (the preset's),
        "low", "high" and "choices".
    """
    recipe = PRESETS[checked_preset(preset)]
    configurations = settings_of(recipe)
    validates = task_of(recipe.kind).validates
    hidden = _ELSEWHERE if validates else _ELSEWHERE | _OF_VALIDATION
    return [
        {
            "title": say(f"training.settings.{key}"),
            "fields": [
                _describe(field, hints[field.name], getattr(config, field.name), choices)
                for field in dataclasses.fields(config)
                if field.name not in hidden
            ],
        }
        for key in _SECTIONS
        for config in [configurations[key]]
        for hints in [typing.get_type_hints(type(config))]  # a field's own type may be a text
    ]


def checked_preset(preset: Any) -> str:
    """Return the preset; ValueError if it is not offered."""
    if preset not in offered():
        raise ValueError(say("training.no_model", name=repr(preset)))
    return preset


def given(
    preset: str, changes: Any, choices: Mapping[str, Sequence]
) -> dict[str, int | float | str | bool | list]:
    """Return the settings that a visitor changed, by the names of their fields.

    Whether they are in range is for the configurations to say.

    Args:
        preset: one of `offered`.
        changes: {name: value} as it came from the browser; a list is text with commas.
        choices: as for `sections`.

    Raises:
        ValueError: a name is not in the form, or a value is not one of its choices.
    """
    if not isinstance(changes, dict):
        raise ValueError(say("training.settings.lost"))
    fields = {
        field["name"]: field for section in sections(preset, choices) for field in section["fields"]
    }
    settings = {}
    for name, value in changes.items():
        if name not in fields:
            raise ValueError(say("training.settings.unknown", preset=preset, name=repr(name)))
        field = fields[name]
        if value is None and field["kind"] in ("whole", "number"):  # how JSON spells infinity
            raise ValueError(say("training.settings.finite", name=setting_name(name)))
        if name in choices and value not in field["choices"]:
            known, value = list(map(str, field["choices"])), repr(str(value)[:80])
            name = setting_name(name)
            raise ValueError(say("training.settings.one_of", name=name, known=known, value=value))
        settings[name] = _numbers(name, value) if field["kind"] == "list" else value
    return settings


def label_of(name: str) -> str:
    """Return what the page calls a setting."""
    if name in _LABELS_ELSEWHERE:
        return say(_LABELS_ELSEWHERE[name])
    return named("setting", name, name.replace("_", " ").capitalize())


def preset_words(name: str) -> str:
    """Return what the page calls a preset; its name where there is none any more."""
    return named("preset", name, PRESETS[name].title) if name in PRESETS else name


def in_page_words(message: str) -> str:
    """Return a message about settings with the names that the page shows, in quotation marks.

    "batch_size must be from 2 to 4096" becomes "“Batch size” must be from 2 to 4096". A word that
    may be meant as a word, such as "width", is a setting only where the message begins with it.
    """
    english = _names(tuple(PRESETS)).sub(lambda found: f"“{label_of(found[0])}”", message)
    return message.reading(english) if isinstance(message, Wording) else english


@functools.cache
def _names(presets: tuple[str, ...]) -> re.Pattern:
    """Return what matches the name of a setting of one of the presets in a message."""
    configurations = [part for name in presets for part in settings_of(PRESETS[name]).values()]
    names = {field.name for part in configurations for field in dataclasses.fields(part)}
    words = {name for name in names if "_" not in name}
    return re.compile(rf"\b(?:{'|'.join(names - words)})\b|^(?:{'|'.join(words)})(?= must )")


def changes_of(spec: RunSpec) -> dict[str, Any]:
    """Return in what a run's form differs from its preset's, as `given` takes it."""
    names = {field["name"] for section in sections(spec.preset, {}) for field in section["fields"]}
    return {
        name: ", ".join(map(str, value)) if isinstance(value, list) else value
        for name, value in differences(spec).items()
        if name in names
    }


def differences(spec: RunSpec) -> dict[str, Any]:
    """Return in what a run differs from its preset, as JSON-ready values by the fields' names."""
    defaults = settings_of(PRESETS[spec.preset])
    return {
        name: value
        for key in _SECTIONS
        for name, value in getattr(spec, key).to_dict().items()
        if value != defaults[key].to_dict()[name]
    }


def _describe(
    field: dataclasses.Field, hint: Any, value: Any, choices: Mapping[str, Sequence]
) -> dict[str, Any]:
    options = field.metadata["choices"] or choices.get(field.name)
    kind = {bool: "switch", int: "whole", float: "number", str: "text"}.get(hint, "list")
    return {
        "name": field.name,
        "label": label_of(field.name),
        "help": named("help", field.metadata["help"]),
        "kind": "choice" if options else kind,
        "value": ", ".join(map(str, value)) if isinstance(value, tuple) else value,
        "low": field.metadata["low"],
        "high": field.metadata["high"],
        "choices": list(options) if options else None,
    }


def _numbers(name: str, text: Any) -> list[float]:
    """Return the numbers of a text such as "192, 128"."""
    try:
        return [float(part) for part in str(text)[:1000].replace(",", " ").split()]
    except ValueError:
        name = setting_name(name)
        raise ValueError(say("training.settings.numbers", name=name)) from None


def option(name: str, value: Any) -> list[str]:
    """Return a setting as an option of `python -m genimg train`."""
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{flag}" if value else f"--no-{flag}"]
    values = value if isinstance(value, list) else [value]
    return [f"--{flag}", *map(str, values)]
