"""Names of one's own for the directions of a GAN, kept in a small file.

The page writes such a file, and so can anybody: JSON with the model's name, and a name, or null,
for each direction in the order of `GanModel.directions`:

    {"model": "fashion-style", "directions": ["sleeves", null, "heel"]}

    model = with_names(genimg.load("fashion-style"), "names.json")
    model.picture(seed=5, directions={"heel": 1.5})
"""

import copy
import json
import os
from pathlib import Path
from typing import Any

from genimg.checks import shown
from genimg.explore.gan import GanModel

LONGEST_NAME = 40
MOST_NAMES = 1000
_MOST_BYTES = 2**17


def with_names(model: GanModel, names: str | os.PathLike) -> GanModel:
    """Return a model, its weights shared, whose directions have the names that a file gives.

    They are what `directions` of `picture`, `neighbours` and `interpolate` then takes by name.
    Directions that the file does not name are called as before, or "direction 3" by their place.

    Args:
        names: path of the file.

    Raises:
        ValueError: it cannot be read, is no such file, or is for another model or more directions
            than there are.
    """
    if not isinstance(names, (str, os.PathLike)):
        raise ValueError(f"names must be the path of a file, not {shown(names)}")
    try:
        with open(names, "rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except (OSError, ValueError):
        raise ValueError(f"there is no file of names at {shown(os.fspath(names))}") from None
    if len(content) > _MOST_BYTES:
        raise ValueError(f"{shown(os.fspath(names))} is too large for a file of names")
    known_as, given = read_names(content)
    if known_as != Path(model.name).name:
        raise ValueError(f"these are names for {shown(known_as)}, and this is {model.name}")
    there = len(model.directions(0 if model.classes else None, MOST_NAMES))
    if len(given) > there:
        raise ValueError(f"there are {there} directions, and the file names {len(given)}")
    old = list(model.named_directions.items())
    named: dict[str, dict[str, float]] = {}
    for i in range(max(len(given), len(old))):
        before, effects = old[i] if i < len(old) else (f"direction {i + 1}", {})
        name = (given[i] if i < len(given) else None) or before
        if name in named:
            raise ValueError(f"two directions are called {shown(name)}; call one of them otherwise")
        named[name] = effects
    renamed = copy.copy(model)
    renamed.named_directions = named
    return renamed


def read_names(content: bytes | str) -> tuple[str, list[str | None]]:
    """Return the name of the model, and the name, or None, of each direction.

    Args:
        content: of a file as above.

    Raises:
        ValueError: it is anything else, or a name is empty, longer than 40 characters, or there
            twice.
    """
    try:
        known: Any = json.loads(content)
    except (ValueError, TypeError, RecursionError):
        raise ValueError("the file of names is no JSON; write it anew from the page") from None
    if not isinstance(known, dict) or set(known) != {"model", "directions"}:
        raise ValueError('a file of names must have "model" and "directions", and nothing else')
    model, names = known["model"], known["directions"]
    if not isinstance(model, str) or not isinstance(names, list) or len(names) > MOST_NAMES:
        raise ValueError('in a file of names "model" is a text and "directions" a list of names')
    for name in names:
        if name is not None and not _is_name(name):
            raise ValueError(
                f"a name must have 1 to {LONGEST_NAME} characters on one line, not {shown(name)}"
            )
    given = [name for name in names if name is not None]
    if len(set(given)) < len(given):
        raise ValueError("a name is there twice; call one of the directions otherwise")
    return model, names


def _is_name(name: Any) -> bool:
    text = isinstance(name, str) and name.isprintable() and name.strip() == name
    return text and 1 <= len(name) <= LONGEST_NAME
