"""Runs on 80 made-up pictures in a folder, trained by real worker processes."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from genimg.training.run_directory import RunDirectory
from genimg.training.spec import make_spec


@pytest.fixture(scope="session")
def pictures(tmp_path_factory) -> Path:
    folder, random = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    for number in range(80):
        path = folder / ("circles", "squares")[number % 2] / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(random.integers(0, 256, (32, 32), np.uint8)).save(path)
    return folder


@pytest.fixture
def make_run(tmp_path: Path, pictures: Path, small_models) -> Callable[..., RunDirectory]:
    def make(name: str, preset: str = "fashion-style", **changes) -> RunDirectory:
        settings = small_models[preset] | {
            "dataset": f"folder:{pictures}",
            "batch_size": 8,
            "threads": 1,
            "precision": "fp32",
            "device": "cpu",
            "sheets": 1,
            "checkpoint_seconds": 0.05,
        }
        spec = make_spec(preset, data_channels=1, data_classes=2, **settings | changes)
        return RunDirectory.create(tmp_path / name, spec)

    return make


class Worker:
    """A worker process, and ways to wait for what it does."""

    def __init__(
        self, run: RunDirectory, arguments: Sequence[str] = (), **environment: str
    ) -> None:
        self.run = run
        self.process = subprocess.Popen(
            [sys.executable, "-m", "genimg.training.worker", str(run.path), *arguments],
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def wait_until(self, condition: Callable[[], object], seconds: float = 90) -> None:
        """Wait for `condition`; fail if the worker ends, or time runs out, before it is true."""
        end = time.monotonic() + seconds
        while not condition():
            if self.process.poll() is not None and not condition():
                raise AssertionError(f"the worker ended early: {self.process.communicate()[1]}")
            if time.monotonic() > end:
                raise AssertionError(f"waited {seconds} s in vain")
            time.sleep(0.005)

    def wait_until_trained(self, steps: int = 1) -> None:
        """Wait for the first checkpoint of at least `steps` steps."""
        self.wait_until(lambda: last_step(self.run) >= steps)

    def send(self, number: int) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def end(self, seconds: float = 120) -> tuple[int, str]:
        """Wait for the end; return exit code and standard error."""
        _, error = self.process.communicate(timeout=seconds)
        return self.process.returncode, error


def last_step(run: RunDirectory) -> int:
    return max((int(path.name[5:]) for path in run.checkpoints.glob("step-*")), default=-1)


@pytest.fixture
def start() -> Iterator[Callable[..., Worker]]:
    """Start workers; those still alive at the end of the test are killed."""
    workers: list[Worker] = []

    def start_worker(
        run: RunDirectory, arguments: Sequence[str] = (), **environment: str
    ) -> Worker:
        workers.append(Worker(run, arguments, **environment))
        return workers[-1]

    yield start_worker
    for worker in workers:
        if worker.process.poll() is None:
            worker.process.kill()
        worker.process.communicate()
