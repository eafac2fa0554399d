"""A cluster that does what a test says, and engines that ask it when a test says."""

from pathlib import Path

import pytest

from genimg.jobs.devices import Device
from genimg.jobs.engine import Handle
from genimg.jobs.engines.cluster import Given, Standing
from genimg.jobs.engines.remote import RemoteEngine
from genimg.jobs.limits import Visitor


class PretendedCluster:
    """Two places; what it was given waits until a test says otherwise."""

    name, pace, patience = "ray", 1.0, 0.0

    def __init__(self) -> None:
        self.known: dict[str, Standing] = {}
        self.stopped: list[str] = []
        self.submissions: list[str] = []
        self.error: Exception | None = None
        self.refusal: ValueError | None = None
        self.printed = ""

    def _answer(self) -> None:
        if self.error:
            raise self.error

    def devices(self) -> list[Device]:
        self._answer()
        return [Device(name="ray/cpu", title="CPU of a cluster", places=2)]

    def submit(self, given: Given, handle: Handle, device: Device) -> None:
        self._answer()
        if self.refusal:
            raise self.refusal
        self.submissions.append(given.name)
        self.known.setdefault(given.name, Standing.WAITING)

    def standings(self, asked) -> dict[Given, Standing]:
        self._answer()
        return {given: self.known[given.name] for given in asked if given.name in self.known}

    def stop(self, given: Given) -> None:
        self._answer()
        self.stopped.append(given.name)
        if given.name in self.known:
            self.known[given.name] = Standing.ENDED

    def output(self, given: Given) -> str:
        return self.printed


@pytest.fixture
def cluster() -> PretendedCluster:
    return PretendedCluster()


@pytest.fixture
def make_cluster() -> type[PretendedCluster]:
    return PretendedCluster


@pytest.fixture
def remote(cluster, clock) -> RemoteEngine:
    return RemoteEngine(cluster, clock=clock, threaded=False)


@pytest.fixture
def handle(tmp_path: Path) -> Handle:
    (tmp_path / "run" / "attempts" / "1").mkdir(parents=True)
    return Handle(tmp_path / "run", 1, "ray/cpu")


@pytest.fixture
def visitor() -> Visitor:
    return Visitor("ada")
