"""Where a run's pictures and the models that it needs lie, so that a folder of runs can be moved.

In spec.json what lies in the folder of the runs (the one in which the run's own folder lies) is
named relative to it, as in "folder:{runs}/datasets/0123"; anything else by its whole path. In
memory every name is a whole path, of where the thing is now. Whole paths of an older specification
that lead nowhere are looked for again in the folder of the runs, by their last parts. Where
pictures that lie elsewhere have moved, RUNS/places.json tells where they are now.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from genimg.data import FOLDER_PREFIX
from genimg.storage import read_json, write_json

RUNS = "{runs}"
"""Stands for the folder of the runs."""
_PLACES = "places.json"
_FINGERPRINT = re.compile(r" \(sha256 ([0-9a-f]+)\)$")


def kept(values: dict[str, Any], runs: Path) -> dict[str, Any]:
    """Return a specification as it is written to disk.

    Args:
        values: `RunSpec.to_dict()`.
        runs: folder of the runs.
    """
    return _renamed(values, lambda path, is_there: kept_path(path, runs))


def found(values: dict[str, Any], runs: Path) -> dict[str, Any]:
    """Undo `kept`: return a specification as it was read, with the paths of where things are now.

    Args:
        values: what spec.json holds; whatever is not a specification stays as it is.
        runs: folder of the runs.
    """
    return _renamed(values, lambda path, is_there: str(_find(path, runs, is_there)))


def fingerprint(source: str) -> str | None:
    """Return the hash of the pictures in a data set's `source`, or None where it names none."""
    match = _FINGERPRINT.search(source)
    return match and match[1]


def whole_names(settings: dict[str, Any], runs: Path) -> dict[str, Any]:
    """Return settings of a run with the paths of where its pictures and its models are now.

    Every process finds them by these, wherever it was started.

    Args:
        runs: folder of the runs.
    """
    paths = {n: os.fspath(v) for n, v in settings.items() if isinstance(v, os.PathLike)}
    settings = settings | paths
    asked: dict[str, dict[str, Any]] = {"run": {}, "task": {}, "resolved": {}}
    parts = {"dataset": "run", "tokenizer": "task", "init": "run", "extend": "run"}
    for name, part in parts.items():
        asked[part] |= {name: settings[name]} if name in settings else {}
    now = found(asked, runs)
    return settings | {name: now[part][name] for name, part in parts.items() if name in settings}


def kept_path(path: str, runs: Path) -> str:
    """Return a path as it is written to disk: relative to the folder of the runs if it lies there.

    A path in that form stays as it is.
    """
    if path.startswith(f"{RUNS}/"):
        return path
    whole, home = Path(_whole(path)), runs.resolve()
    below = whole.is_relative_to(home) and whole != home
    return f"{RUNS}/{whole.relative_to(home).as_posix()}" if below else str(whole)


def remember(runs: Path, path: str, folder: Path) -> None:
    """Write down that the pictures which were in `path` are in `folder` now.

    Raises:
        OSError: it cannot be written.
    """
    known = _read_places(runs) | {kept_path(path, runs): kept_path(str(folder), runs)}
    write_json(runs / _PLACES, known)


def _renamed(values: Any, rename: Callable[[str, Callable[[Path], bool]], str]) -> Any:
    """Return a specification with `rename(path, whether it is there)` for each path in it."""
    keys = ("run", "task", "resolved")
    if not isinstance(values, dict) or not all(isinstance(values.get(key), dict) for key in keys):
        return values  # for others to refuse
    run, task, resolved = (dict(values[key]) for key in keys)
    dataset, tokenizer = run.get("dataset"), task.get("tokenizer")
    if isinstance(dataset, str) and dataset.startswith(FOLDER_PREFIX):
        run["dataset"] = FOLDER_PREFIX + rename(dataset.removeprefix(FOLDER_PREFIX), _is_pictures)
        source = resolved.get("dataset_source")
        if isinstance(source, str):
            hash = _FINGERPRINT.search(source)
            path = source[: hash.start()] if hash else source
            resolved["dataset_source"] = rename(path, _is_pictures) + (hash[0] if hash else "")
    if isinstance(tokenizer, str) and _is_path(tokenizer):
        task["tokenizer"] = rename(tokenizer, _is_model)
    for name in ("init", "extend"):
        model = run.get(name)
        if isinstance(model, str) and _is_path(model):
            run[name] = rename(model, _is_model)
    return values | {"run": run, "task": task, "resolved": resolved}


def _find(path: str, runs: Path, is_there: Callable[[Path], bool]) -> Path | str:
    """Return where a path of a specification leads now; where nothing is found, itself."""
    home = runs.resolve()
    if (known := _read_places(runs).get(kept_path(path, runs))) is not None:
        path = known
    if path.startswith(f"{RUNS}/"):
        return home / path.removeprefix(f"{RUNS}/")
    if is_there(Path(_whole(path))):
        return _whole(path)
    windows = "\\" in path
    parts = (PureWindowsPath if windows else PurePosixPath)(path).parts
    for count in range(len(parts) - 1, 0, -1):
        if ".." not in parts[-count:] and is_there(home.joinpath(*parts[-count:])):
            return home.joinpath(*parts[-count:])
    return path if windows else _whole(path)


def _whole(path: str) -> str:
    if os.name != "nt" and PureWindowsPath(path).drive:
        return path  # of another system, so nothing is there
    try:
        return str(Path(path).expanduser().resolve())
    except (OSError, RuntimeError, ValueError):  # an impossible name, or no such home
        return path


def _is_path(model: str) -> bool:
    """Return whether a model is named by its path, and not as one that ships or is hosted."""
    if model.startswith("hf://"):
        return False
    return "/" in model or "\\" in model or _has(Path(model), "spec.json")


def _is_model(path: Path) -> bool:
    return _has(path, "spec.json") or _has(path, "config.json")


def _is_pictures(path: Path) -> bool:
    # A run is no folder of pictures, and may be called like one.
    return _has(path) and not _has(path, "spec.json")


def _has(path: Path, name: str = "") -> bool:
    """Return whether something is there; False for impossible names."""
    try:
        return (path / name).exists()
    except (OSError, ValueError):
        return False


def _read_places(runs: Path) -> dict[str, str]:
    """Return what `remember` has written, {} where it is missing or damaged."""
    try:
        places = read_json(runs / _PLACES)
    except (OSError, ValueError):
        return {}
    good = isinstance(places, dict) and all(isinstance(place, str) for place in places.values())
    return places if good else {}
