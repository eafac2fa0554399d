"""What a run says about itself: numbers for the chart, a status, and whoever listens."""

import contextlib
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from genimg.training.attempts import Attempt
from genimg.training.task import Task

SPEED_SECONDS = 30.0
_LONGEST_GAP_SECONDS = 60.0


class Report(dict[str, Any]):
    """The numbers that a callback gets, by name (see `metric_names`), and what they are about.

    A callback may look at the models, but must leave them as they are. What it costs is no part of
    the speed.
    """

    def __init__(self, numbers: dict[str, Any], task: Task, seed: int) -> None:
        super().__init__(numbers)
        self._task, self._seed = task, seed

    @property
    def model(self) -> nn.Module:
        """What is trained, on its device: of a GAN both players."""
        return self._task.model

    @property
    def average(self) -> nn.Module:
        """The moving average (EMA) that is shown and shipped: of a GAN that of the generator."""
        return self._task.average

    def sheet(self) -> np.ndarray:
        """Return a sample sheet of this moment, uint8 (N, H, W, C); N is 0 for a classifier.

        It is always of the same random numbers, and asking for it changes nothing in the training.
        """
        return self._task.sheet(self._seed)


Callback = Callable[[Report], object]


class SpeedMeter:
    """Pictures per second lately, so that the time left follows a machine that becomes busy.

    Args:
        clock: seconds that only ever grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._began, self._aside = clock(), 0.0
        self._notes: deque[tuple[float, int]] = deque()

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """Leave out of the speed what is done meanwhile: measuring, a sheet, a checkpoint."""
        start = self.clock()
        try:
            yield
        finally:
            self._aside += self.clock() - start

    def aside_per_second(self) -> float:
        """Return how many seconds were left out for each second that counts, since the start."""
        counted = self.clock() - self._began - self._aside
        return self._aside / counted if counted > 0 else 0.0

    def note(self, images_seen: int) -> None:
        """Take in how many pictures were seen by now."""
        now = self.clock() - self._aside
        self._notes.append((now, images_seen))
        # What is forgotten must leave some progress: a long pause would look like no speed at all.
        while (
            len(self._notes) > 2
            and self._notes[1][0] <= now - SPEED_SECONDS
            and self._notes[1][1] < images_seen
        ):
            self._notes.popleft()

    def images_per_second(self) -> float:
        """Return the speed over the last `SPEED_SECONDS`; 0 before anything was seen."""
        if len(self._notes) < 2:
            return 0.0
        (start, before), (end, after) = self._notes[0], self._notes[-1]
        return (after - before) / max(end - start, 1e-9)


class Reporter:
    """Writes the metrics and the status of one attempt.

    Args:
        total: pictures of the whole run.
        epoch_images: pictures of the training set.
        device: whose memory is reported, if it is a GPU.
        task: returns what is trained now; after a roll-back it is another one.
        seed: of the run.
        callbacks: called with every report.
    """

    def __init__(
        self,
        attempt: Attempt,
        *,
        total: int,
        epoch_images: int,
        device: torch.device,
        task: Callable[[], Task],
        seed: int,
        callbacks: Sequence[Callback] = (),
    ) -> None:
        self.attempt, self.callbacks, self._task, self._seed = attempt, callbacks, task, seed
        self.total, self.epoch_images, self.device = total, epoch_images, device
        self.start(0, 0.0)

    def start(self, images_seen: int, seconds: float) -> None:
        """Begin to measure the speed at `images_seen`, after `seconds` of earlier training."""
        self._seconds, self._counted_at = seconds, time.monotonic()
        self._speed = SpeedMeter()
        self._speed.note(images_seen)

    def aside(self) -> contextlib.AbstractContextManager[None]:
        """Leave what is done meanwhile out of the speed; the time left expects its share of it."""
        return self._speed.aside()

    def seconds(self) -> float:
        """Return how long the run has trained, over all attempts.

        It is asked every second or so; of a longer gap, in which the process was stopped or the
        machine slept, a minute counts at most.
        """
        now = time.monotonic()
        self._seconds += min(now - self._counted_at, _LONGEST_GAP_SECONDS)
        self._counted_at = now
        return self._seconds

    def report(self, images_seen: int, values: dict[str, float]) -> None:
        """Add one line of metrics (see `metric_names`), and tell the callbacks."""
        line = {"images_seen": images_seen, **values, **self._progress(images_seen)}
        self.attempt.report(line)
        with self.aside():
            for callback in self.callbacks:
                callback(Report(line | {"total": self.total}, self._task(), self._seed))

    def write_status(self, state: str, images_seen: int, **values: Any) -> None:
        """Replace the status: the state, the progress, the time now, and `values`."""
        progress = self._progress(images_seen)
        if state != "running":
            progress.pop("seconds_left", None)  # nothing moves
        self.attempt.write_status(
            state=state,
            images_seen=images_seen,
            total=self.total,
            time=time.time(),
            **progress,
            **values,
        )

    def _progress(self, images_seen: int) -> dict[str, float]:
        self._speed.note(images_seen)
        speed = self._speed.images_per_second()
        progress = {
            "epochs": round(images_seen / self.epoch_images, 4),
            "images_per_second": round(speed, 2),
            "seconds": round(self.seconds(), 3),
        }
        if speed > 0:
            left = (self.total - images_seen) / speed * (1 + self._speed.aside_per_second())
            progress["seconds_left"] = round(left, 1)
        memory = {"resident_bytes": resident_bytes(), "cuda_bytes": cuda_bytes(self.device)}
        return progress | {name: size for name, size in memory.items() if size is not None}


def resident_bytes() -> int | None:
    """Return the main memory that this process holds; None where asking is expensive.

    Linux tells it in a file. Other systems have no cheap way in Python's standard library.
    """
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def cuda_bytes(device: torch.device) -> int | None:
    """Return the memory that PyTorch holds on a CUDA device; None for any other device."""
    return torch.cuda.memory_reserved(device) if device.type == "cuda" else None
