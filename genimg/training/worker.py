"""The one way a run is trained: `python -m genimg.training.worker RUN_DIRECTORY [--attempt N]`.

The command line calls `train_run` in its own process, jobs start this module in another.
Exit codes: 0 succeeded, 75 paused (it can be resumed), 130 cancelled, 71 out of memory,
74 files could not be written, 70 diverged, 2 the run cannot be used.
"""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from genimg import data
from genimg.training.loop import Callback, Trainer
from genimg.training.run_directory import RunDirectory
from genimg.training.task import Diverged

EXIT_CODES = {"succeeded": 0, "paused": 75, "cancelled": 130}


class StopSignal:
    """Becomes true when the process is asked to end (SIGINT or SIGTERM); the second one kills."""

    def __init__(self) -> None:
        self.received = False
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, self._note)

    def _note(self, number: int, frame: object) -> None:
        if self.received:
            os._exit(130)
        self.received = True

    def __call__(self) -> bool:
        """Return whether a signal has come."""
        return self.received


def train_run(
    path: str | os.PathLike,
    *,
    attempt: int | None = None,
    callbacks: Sequence[Callback] = (),
    should_stop: StopSignal | None = None,
) -> str:
    """Train the run at `path` from its last checkpoint; return how it ended.

    Raises:
        ValueError: the run, its data or its device cannot be used, or somebody trains it already.
        Diverged, OSError: as for `Trainer.run`.
    """
    directory = RunDirectory(path)
    try:
        spec = directory.read_spec()
    except FileNotFoundError:
        raise ValueError(f"{path} holds no run") from None
    if not directory.lease.acquire():
        raise ValueError(f"{path} is being trained by another process; wait, or stop that one")
    try:
        size = spec.model.to_dict()["size"]
        dataset = data.load(spec.run.dataset, size=size, split="train")
        trainer = Trainer(
            directory,
            directory.new_attempt(attempt),
            dataset,
            callbacks=callbacks,
            should_stop=should_stop or (lambda: False),
        )
        return trainer.run()
    finally:
        directory.lease.release()


def main(arguments: Sequence[str] | None = None) -> int:
    """Train a run and return the exit code; errors are one sentence on standard error."""
    parser = argparse.ArgumentParser(prog="python -m genimg.training.worker", description=__doc__)
    parser.add_argument("run_directory", type=Path)
    parser.add_argument("--attempt", type=int)
    options = parser.parse_args(arguments)
    stop = StopSignal()
    try:
        outcome = train_run(options.run_directory, attempt=options.attempt, should_stop=stop)
    except ValueError as error:
        return _fail(2, error)
    except Diverged as error:
        return _fail(70, error)
    except torch.OutOfMemoryError as error:
        return _fail(71, error)
    except OSError as error:
        return _fail(74, error)
    return EXIT_CODES[outcome]


def _fail(code: int, error: BaseException) -> int:
    print(f"error: {error}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
