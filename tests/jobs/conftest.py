"""Jobs on a pretended engine, and tiny runs that real workers train."""

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from genimg.jobs.commands import Command, Start
from genimg.jobs.devices import Device
from genimg.jobs.engine import Handle, Verdict
from genimg.jobs.index import Index
from genimg.jobs.job import Job
from genimg.jobs.limits import UsageLimits, Visitor
from genimg.jobs.manager import JobManager
from genimg.jobs.runs import Runs
from genimg.jobs.states import Exit, State
from genimg.jobs.supervisor import Supervisor
from genimg.storage import write_json
from genimg.training.presets import make_spec

ADA = Visitor("ada")

CPU = Device(name="cpu", title="CPU", total_memory=64 * 10**9, free_memory=32 * 10**9)


class PretendedEngine:
    """Attempts that live until a test says how they ended."""

    trouble = ""

    def __init__(self, *devices: Device) -> None:
        self.devices = list(devices or [CPU])
        self.alive: dict[Handle, Device] = {}
        self.ends: dict[Handle, Exit | None] = {}
        self.asked_to_end: list[Handle] = []

    def submit(self, handle: Handle, device: Device, device_lock: Path) -> None:
        assert device not in self.alive.values(), "two runs on one device"
        assert handle not in self.ends, "an attempt was started twice"
        self.alive[handle] = device

    def probe(self, handle: Handle):
        if handle in self.alive:
            return Verdict.ALIVE, None
        return Verdict.DEAD, self.ends.get(handle)

    def terminate(self, handle: Handle) -> None:
        self.asked_to_end.append(handle)

    def capacity(self) -> list[Device]:
        return self.devices

    def close(self) -> None:
        pass

    def report(self, handle: Handle, state: str = "running", images_seen: int = 0) -> None:
        """Write what a worker would write about itself."""
        values = {"state": state, "images_seen": images_seen, "total": 80, "time": time.time()}
        write_json(handle.files.path / "status.json", values)

    def end(self, handle: Handle, end: Exit | None) -> None:
        del self.alive[handle]
        self.ends[handle] = end


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


@pytest.fixture
def engine() -> PretendedEngine:
    return PretendedEngine()


@pytest.fixture
def make_engine() -> type[PretendedEngine]:
    return PretendedEngine


@pytest.fixture
def index(root: Path):
    opened = Index(root)
    yield opened
    opened.close()


@pytest.fixture
def manager(root, engine):
    opened = JobManager(root, engine=engine)
    yield opened
    opened.close()


@pytest.fixture
def small(small_models) -> dict:
    return small_models["fashion-mlp"] | {"preset": "fashion-mlp", "images": 80}


class Clock:
    """Seconds that pass when a test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def supervisor(root, index, engine, clock) -> Supervisor:
    return Supervisor(root, index, engine, grace=60.0, clock=clock)


@pytest.fixture
def runs(root, index, engine) -> Runs:
    return Runs(root, index, engine, UsageLimits())


@pytest.fixture
def do(runs) -> Callable[..., Any]:
    """Do what a visitor asks for; Ada, if nobody is named."""

    def do(command: Command, visitor: Visitor = ADA) -> Any:
        return command.execute(runs, visitor)

    return do


@pytest.fixture
def spec(small_models) -> dict:
    """The specification of a small run."""
    return make_spec("fashion-mlp", **small_models["fashion-mlp"], images=80).to_dict()


def make_job(id: str = "a-1", **fields) -> Job:
    return Job(**{"id": id, "name": id, "owner": "ada", "preset": "a", "device": "cpu"} | fields)


@pytest.fixture(name="make_job")
def make_job_fixture() -> Callable[..., Job]:
    return make_job


@pytest.fixture
def add_job(root: Path, index: Index, do: Callable[..., Any], spec: dict) -> Callable[..., Job]:
    """Queue a job and put it where a test wants it, whatever led there."""

    def add(state: State = State.QUEUED, owner: str = "ada", **fields) -> Job:
        job = do(Start(spec), Visitor(owner, is_teacher=True))
        path = {
            State.RUNNING: (State.STARTING, State.RUNNING),
            State.PAUSING: (State.STARTING, State.PAUSING),
            State.CANCELLING: (State.STARTING, State.CANCELLING),
            State.SUCCEEDED: (State.STARTING, State.SUCCEEDED),
            State.FAILED: (State.STARTING, State.FAILED),
            State.INTERRUPTED: (State.STARTING, State.INTERRUPTED),
            State.QUEUED: (),
        }.get(state, (state,))
        for step in path:
            job = index.change(job, state=step)
        return index.change(job, **fields) if fields else job

    return add


@pytest.fixture
def same() -> Callable[[list[Job], list[Job]], bool]:
    def compare(one: list[Job], other: list[Job]) -> bool:
        strip = [sorted(map(dataclasses.astuple, jobs)) for jobs in (one, other)]
        return strip[0] == strip[1]

    return compare


@pytest.fixture(scope="session")
def pictures(tmp_path_factory) -> Path:
    folder, random = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    for number in range(40):
        path = folder / ("circles", "squares")[number % 2] / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(random.integers(0, 256, (32, 32), np.uint8)).save(path)
    return folder


@pytest.fixture
def tiny_run(pictures: Path, small_models) -> dict:
    """Settings of a run whose steps take milliseconds, for ever unless `images` is changed."""
    return small_models["fashion-mlp"] | {
        "preset": "fashion-mlp",
        "dataset": f"folder:{pictures}",
        "images": 8 * 10**6,
        "batch_size": 8,
        "threads": 1,
        "precision": "fp32",
        "device": "cpu",
        "sheets": 0,
        "checkpoint_seconds": 0.5,
    }


@pytest.fixture
def wait_for() -> Callable[..., None]:
    """A function that steps a manager until something is true."""

    def wait(manager: JobManager, condition: Callable[[], object], seconds: float = 90) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, [view.to_dict() for view in manager.snapshot()]
            manager.step()
            time.sleep(0.05)

    return wait
