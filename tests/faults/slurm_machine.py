"""A Slurm with one machine, which is this one: what sbatch, squeue and scancel do.

The real `SlurmCluster` asks it, and its real `SlurmCommand` is what runs. It outlives every server,
because all that it knows is on disk.
"""

import contextlib
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
from warm_python import become

from genimg.jobs.engines import slurm
from genimg.jobs.engines.slurm import SlurmCluster, SlurmSettings
from genimg.storage import Lease

# Between its SIGTERM and its SIGKILL (KillWait); half a minute on a real one.
_KILL_SECONDS = 0.5


def connect(folder: Path) -> SlurmCluster:
    """Return the engine's cluster, whose Slurm keeps its queue in `folder`."""
    folder.mkdir(exist_ok=True)
    cluster = SlurmCluster(SlurmSettings(places=1))
    cluster.pace = 0.05
    queue = Queue(folder)
    cluster._submitit = SimpleNamespace(AutoExecutor=queue.executor)
    slurm._output_of = queue.answer
    slurm.shutil = SimpleNamespace(which=lambda name: name)
    return cluster


class Queue:
    """Jobs by their names: a folder of each, and a lease that is held while it runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def executor(self, **options: Any) -> "Executor":
        """Return what submitit calls an executor."""
        return Executor(self.folder)

    def answer(self, words: Sequence[str]) -> str:
        """Do what a command of Slurm's does, and return what it prints."""
        self._go_on_ending()
        if words[0] == "squeue":
            states = ((_state(job), job.name) for job in sorted(self.folder.iterdir()))
            return "".join(f"{state} {name}\n" for state, name in states if state)
        assert words[:2] == ["scancel", "--me"]
        job = self.folder / words[2].removeprefix("--name=")
        if _state(job):
            (job / "cancelled").touch()
            _signal(job, signal.SIGTERM)
        return ""

    def _go_on_ending(self) -> None:
        for note in self.folder.glob("*/cancelled"):
            if _state(note.parent) and time.time() - note.stat().st_mtime > _KILL_SECONDS:
                _signal(note.parent, signal.SIGKILL)


class Executor:
    """What is used of submitit's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def update_parameters(self, *, name: str, **others: Any) -> None:
        """Take the job's name."""
        self._job = self._folder / name

    def submit(self, command: Any) -> SimpleNamespace:
        """Fork the job; return what is known of it."""
        self._job.mkdir()  # a second one of its name would be an error of the engine's

        def work() -> None:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)  # as submitit does below Slurm
            lease = Lease(self._job / "lease")
            assert lease.acquire()
            (self._job / "process").write_text(str(os.getpid()))
            command()

        if os.fork() == 0:
            become(work, output=None, environment={}, session=True)
        return SimpleNamespace(job_id=self._job.name)


def _state(job: Path) -> str:
    """Return Slurm's word for how a job stands; '' where squeue knows none any more."""
    if not (job / "process").exists():
        return "PENDING" if job.exists() else ""
    return "RUNNING" if Lease(job / "lease").is_held() else ""


def _signal(job: Path, number: int) -> None:
    with contextlib.suppress(FileNotFoundError, psutil.NoSuchProcess):
        leader = psutil.Process(int((job / "process").read_text()))
        for process in [*leader.children(recursive=True), leader]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)
