"""The models that the page may show: a fixed list of names, each loaded when first asked for."""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch

import genimg
from genimg import checkpoints
from genimg.checkpoints import CheckpointError
from genimg.explore import GanModel
from genimg.models import kind_named
from genimg.storage import read_json

_FIRST = "fashion-style"


class ModelShelf:
    """GANs by name, for one thread at a time.

    What a visitor sends is only ever looked up in `names`; it never becomes a path.

    Attributes:
        names: the names offered, the one to show first in front.
    """

    def __init__(self, sources: Sequence[str | os.PathLike] = ()) -> None:
        """Offer `sources` (paths of checkpoints or runs), then the checkpoints that ship.

        Raises:
            CheckpointError: a source is not a GAN, or there is nothing to offer.
        """
        given = [os.fspath(source) for source in sources]
        for source in given:
            if task_of(_directory(source)) != "gan":
                raise CheckpointError(f"{source} is not a GAN, so the page cannot show it")
        shipped = [name for name in checkpoints.names() if task_of(_directory(name)) == "gan"]
        shipped.sort(key=lambda name: name != _FIRST)  # stable: the others stay in their order
        self.names: list[str] = list(dict.fromkeys(given + shipped))
        if not self.names:
            raise CheckpointError(
                "there is no GAN to show; train one with `python -m genimg train --preset"
                " fashion-style --minutes 10 --out runs/mine` and give it as --checkpoint runs/mine"
            )
        self._lock = threading.Lock()
        self._models: dict[str, GanModel] = {}
        # These models are small: a second thread costs more in waiting than it gains in work.
        torch.set_num_threads(1)

    def choices(self) -> list[tuple[str, str]]:
        """Return (what to show, name) for each name; of a path its last part, where that is one."""
        short = [Path(name).name for name in self.names]
        return [
            (brief if short.count(brief) == 1 else name, name)
            for brief, name in zip(short, self.names, strict=True)
        ]

    @contextmanager
    def use(self, name: str) -> Iterator[GanModel]:
        """Lend the model `name`; nobody else computes meanwhile.

        Raises:
            CheckpointError: the name is not on offer, or its files cannot be read any more.
        """
        if name not in self.names:
            raise CheckpointError(
                f"there is no checkpoint {name!r} here; choose one of {', '.join(self.names)}"
            )
        with self._lock:
            if name not in self._models:
                self._models[name] = genimg.load(name)
            yield self._models[name]


def task_of(directory: Path) -> str:
    """Return what a checkpoint or run directory does ("gan", "classifier") without loading it.

    Raises:
        CheckpointError: the directory does not say.
    """
    run = directory / "spec.json"
    try:
        facts = read_json(run if run.is_file() else directory / "config.json")
        return kind_named(facts["kind"]).task
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise CheckpointError(f"{directory} is not a checkpoint: {error}") from None


def _directory(source: str) -> Path:
    return Path(source) if (Path(source) / "spec.json").is_file() else checkpoints.find(source)
