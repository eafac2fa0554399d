"""The models that the page may show: fixed lists of names, each loaded when first asked for."""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch

import genimg
from genimg import checkpoints
from genimg.checkpoints import CheckpointError
from genimg.explore.uses import SHOWN, Model
from genimg.models import kind_named
from genimg.storage import read_json
from genimg.ui import texts

MOST_RUNS = 8
"""How many runs have their models kept in memory."""

Lent = TypeVar("Lent", bound=Model, covariant=True)
"""The kind of model that a shelf lends, which its use decides."""


class ModelShelf(Generic[Lent]):
    """Models of one use by name, for one thread at a time.

    What a visitor sends is only ever looked up in `names` and among the runs; it never becomes a
    path. A run goes by the name of its folder, so that no link shows where the server keeps it.

    Attributes:
        names: the names offered, the one to show first in front.
    """

    def __init__(
        self, names: Sequence[str], runs: Callable[[], list[tuple[str, str]]] = list
    ) -> None:
        """Offer `names`, each a checkpoint that ships or the path of a checkpoint or run.

        Args:
            runs: returns (what to show, path) of each run that is on offer now, too.
        """
        self.names, self.runs = list(names), runs
        self._titles = [_title(name) for name in self.names]
        self._lock = threading.RLock()  # who has one model may ask for another, or it again
        self._models: dict[str, Lent] = {}
        self._forget: list[Callable[[], None]] = []
        # These models are small: a second thread costs more in waiting than it gains in work.
        torch.set_num_threads(1)

    def choices(self) -> list[tuple[str, str]]:
        """Return (what to show, name) for each name: the title of what ships, else a short path."""
        offered = [
            (title if self._titles.count(title) == 1 else name, name)
            for title, name in zip(self._titles, self.names, strict=True)
        ]
        runs = [(title, path) for title, path in self.runs() if path not in self.names]
        return offered + [(title, Path(path).name) for title, path in runs]

    def named(self, name: str) -> str:
        """Return what is offered under `name`, which may be the path of a run in an old link.

        Raises:
            CheckpointError: it is not on offer.
        """
        path = self._find(name)
        return path if path in self.names else Path(path).name

    def source(self, name: str) -> str:
        """Return what Python lines load for a name: of a run its folder in the folder of the runs.

        Raises:
            CheckpointError: it is not on offer.
        """
        path = self._find(name)
        return path if path in self.names else "/".join(Path(path).parts[-2:])

    @contextmanager
    def use(self, name: str) -> Iterator[Lent]:
        """Lend the model `name`; nobody else computes meanwhile.

        Raises:
            CheckpointError: the name is not on offer, or its files cannot be read any more.
        """
        path = self._find(name)
        with self._lock:
            if path not in self._models:
                self._make_room()
                self._models[path] = genimg.load(path)
            yield self._models[path]

    def reload(self, name: str) -> None:
        """Let the next use of a run load its newest checkpoint; CheckpointError as for `use`."""
        path = self._find(name)
        with self._lock:
            self._models.pop(path, None)
        for forget in self._forget:
            forget()

    def when_reloaded(self, forget: Callable[[], None]) -> None:
        """Have `forget` called when a model may have changed: whoever keeps results needs it."""
        self._forget.append(forget)

    def _find(self, name: str) -> str:
        """Return what `genimg.load` takes for a name on offer."""
        if name in self.names:
            return name
        for _, path in self.runs():
            if name in (Path(path).name, path):
                return path
        raise _not_offered(name, self.names)

    def _make_room(self) -> None:
        """Forget the runs that were loaded first; what is on offer for good stays."""
        runs = [name for name in self._models if name not in self.names]
        for name in runs[: max(0, len(runs) + 1 - MOST_RUNS)]:
            del self._models[name]


class JoinedShelf(ModelShelf[Lent]):
    """Several shelves as one; each model stays where it is, and so is in memory once.

    Args:
        shelves: at least one; names and choices come in their order.
    """

    def __init__(self, shelves: Sequence[ModelShelf[Lent]]) -> None:
        self._shelves = list(shelves)
        self.names = [name for shelf in shelves for name in shelf.names]

    def choices(self) -> list[tuple[str, str]]:
        """Return those of all shelves."""
        return [choice for shelf in self._shelves for choice in shelf.choices()]

    def named(self, name: str) -> str:
        """Return what is offered under `name`; CheckpointError as for `ModelShelf.named`."""
        return self._holder(name).named(name)

    def source(self, name: str) -> str:
        """Return what Python lines load for a name; CheckpointError as for `ModelShelf.source`."""
        return self._holder(name).source(name)

    @contextmanager
    def use(self, name: str) -> Iterator[Lent]:
        """Lend the model `name`; CheckpointError as for `ModelShelf.use`."""
        with self._holder(name).use(name) as model:
            yield model

    def reload(self, name: str) -> None:
        """Let the next use of a run load it again; CheckpointError as for `ModelShelf.use`."""
        self._holder(name).reload(name)

    def when_reloaded(self, forget: Callable[[], None]) -> None:
        """Have `forget` called when a model of any of them may have changed."""
        for shelf in self._shelves:
            shelf.when_reloaded(forget)

    def _holder(self, name: str) -> ModelShelf[Lent]:
        """Return the shelf that offers `name`."""
        for shelf in self._shelves:
            with contextlib.suppress(CheckpointError):
                shelf.named(name)
                return shelf
        raise _not_offered(name, self.names)


def fill_shelves(
    sources: Sequence[str | os.PathLike] = (),
    runs: Mapping[str, Callable[[], list[tuple[str, str]]]] | None = None,
) -> dict[str, ModelShelf[Any]]:
    """Return a shelf for each use of `SHOWN` for which there is a model.

    Args:
        sources: paths of checkpoints or runs, offered before those that ship.
        runs: for a use what else is on offer now, as for `ModelShelf`.

    Raises:
        CheckpointError: a source is no model that the page can show, or there is nothing at all.
    """
    given = [os.fspath(source) for source in sources]
    for source in given:
        if use_of(_directory(source)) not in SHOWN:
            known = ", ".join(use.word for use in SHOWN.values())
            raise CheckpointError(f"{source} is not one of {known}, so the page cannot show it")
    names: dict[str, list[str]] = {use: [] for use in SHOWN}
    for name in dict.fromkeys([*given, *sorted(checkpoints.names(), key=_place)]):
        use = use_of(_directory(name))
        if use in SHOWN:
            names[use].append(name)
    runs = runs or {}
    shelves: dict[str, ModelShelf[Any]] = {
        use: ModelShelf(offered, runs.get(use, list)) for use, offered in names.items() if offered
    }
    if not shelves:
        raise CheckpointError(
            "there is no model to show; train one with `python -m genimg train --preset"
            " fashion-style --minutes 10 --out runs/mine` and give it as --checkpoint runs/mine"
        )
    return shelves


def use_of(directory: Path) -> str:
    """Return what can be done with a checkpoint or run, a key of `USES`, without loading it.

    Raises:
        CheckpointError: the folder does not say.
    """
    run = directory / "spec.json"
    try:
        kind = read_json(run if run.is_file() else directory / "config.json")["kind"]
        return kind_named(kind).use
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise CheckpointError(f"{directory} is not a checkpoint: {error}") from None


def _not_offered(name: str, names: list[str]) -> CheckpointError:
    return CheckpointError(texts.say("shelf.not_offered", name=repr(name), names=names))


def _title(name: str) -> str:
    """Return what the page calls what is offered as `name`."""
    short = Path(name).name
    if name not in checkpoints.names():
        return short
    try:
        title = str(checkpoints.read_card(checkpoints.find(name)).get("title", short))
    except CheckpointError:  # a damaged card: the model says so itself when it is chosen
        return short
    return texts.named("model", title)


def _place(name: str) -> tuple[bool, str]:
    """Return what orders the checkpoints that ship: the first of each use, then by name."""
    return name not in [use.first for use in SHOWN.values()], name


def _directory(source: str) -> Path:
    return Path(source) if (Path(source) / "spec.json").is_file() else checkpoints.find(source)
