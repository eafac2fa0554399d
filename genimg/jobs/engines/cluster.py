"""What is asked of a cluster."""

import hashlib
from collections.abc import Collection, Sequence
from enum import Enum
from pathlib import Path
from typing import NamedTuple, Protocol

from genimg.jobs.devices import Device
from genimg.jobs.engine import Handle


class Standing(Enum):
    """What a cluster says of something that it was given.

    How it ended is not its word but the attempt's: a launcher writes that down itself. HIDDEN is
    what only its owner may ask about, who is away.
    """

    WAITING = "waiting"
    RUNNING = "running"
    ENDED = "ended"
    HIDDEN = "hidden"


class Given(NamedTuple):
    """Something that a cluster was given, or is to be.

    Attributes:
        name: what it is called: the same in every process that asks.
        folder: where a note can be kept of what the cluster calls it.
        account: the one that pays for it; '' for that of this server.
    """

    name: str
    folder: Path
    account: str = ""

    @classmethod
    def of(cls, handle: Handle) -> "Given":
        """Return what an attempt is given as."""
        run = handle.run.resolve()
        where = hashlib.sha256(str(run.parent).encode()).hexdigest()[:8]
        name = f"genimg-{where}-{run.name}-{handle.attempt}"
        return cls(name, handle.files.path.resolve(), handle.account)


class Cluster(Protocol):
    """Somewhere to train. Every call may wait for the network, but not for ever.

    All raise OSError where the cluster cannot be reached, so that it is asked again, and ValueError
    where it refuses for good; the sentence says why. `submit` and `stop` raise OwnerAway where only
    the token of somebody who is away would do.

    Attributes:
        name: of its engine, as in `genimg.jobs.engines.registry.ENGINES`.
        pace: seconds between two questions.
        patience: seconds for what has begun to end by itself, once it is to be stopped.
    """

    name: str
    pace: float
    patience: float

    def devices(self) -> list[Device]:
        """Return what it has, the fastest first, with as many places as there are in all."""

    def submit(self, given: Given, handle: Handle, device: Device) -> None:
        """Start an attempt; one of this name that was started before is the same one."""

    def standings(self, asked: Collection[Given]) -> dict[Given, Standing]:
        """Return how those of `asked` stand that it knows."""

    def stop(self, given: Given) -> None:
        """Ask it to save and end, and whatever was to follow it; harmless when it is gone."""

    def output(self, given: Given) -> str:
        """Return what it printed where no log could be opened, or ''."""


class SharingCluster(Cluster, Protocol):
    """A cluster whose machines see the folder of the runs under the same path."""

    def start(self, given: Given, words: Sequence[str], log: Path, device: Device) -> None:
        """Run a command, whose output goes to the end of `log` from its first byte."""
