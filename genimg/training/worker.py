"""The one way a run is trained: `python -m genimg.training.worker RUN_DIRECTORY [--attempt N]`.

The command line calls `train_run` in its own process; jobs start this module in another, with a
file to lock for as long as it uses the device: two runs never share one, whatever a server thinks.
Exit codes: 0 succeeded, 75 paused (it can be resumed), 130 cancelled, 71 out of memory,
74 files could not be written, 70 diverged, 2 the run cannot be used. If another process of the run
has ended: its exit code, or 128 plus the number of its signal.

    torchrun --standalone --nproc-per-node N -m genimg.training.worker RUN_DIRECTORY

trains a run in N processes, as `python -m genimg train --processes N` does without torchrun (which
ends with 1 whenever a worker ends with anything but 0). The first process leads, the others follow.
Ctrl-C saves there, too: torchrun passes it on to all of them, and the first one ends the run.
"""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from genimg.storage import Lease
from genimg.training.distributed import LostProcess
from genimg.training.running import follow_run, train_run
from genimg.training.task import Diverged

EXIT_CODES = {"succeeded": 0, "paused": 75, "cancelled": 130}
_PATIENCE_SECONDS = 30.0  # for the device of a run that is just ending


class StopSignal:
    """Becomes true when the process is asked to end (SIGINT or SIGTERM); the second one kills.

    As long as nobody has asked, the data are still on their way or the speed is being measured:
    there is nothing to save, so the first signal raises KeyboardInterrupt instead.

    Args:
        under_torchrun: torchrun passes on every signal that it gets, and kills by itself whoever
            has not ended after half a minute; so a second one changes nothing.
        under_slurm: Slurm sends SIGUSR2 to every process of a job that is to go, beside the
            SIGTERM of whoever started this one, and kills by itself, too.
    """

    def __init__(self, *, under_torchrun: bool = False, under_slurm: bool = False) -> None:
        self.received = self._asked = False
        self._kills = not (under_torchrun or under_slurm)
        names = ["SIGINT", "SIGTERM"] + ["SIGHUP", "SIGQUIT"] * under_torchrun
        for name in names + ["SIGUSR2"] * under_slurm:
            if hasattr(signal, name):  # Windows lacks some
                signal.signal(getattr(signal, name), self._note)

    def _note(self, number: int, frame: object) -> None:
        if self.received and self._kills:
            # By the signal itself: any exit code would tell of an orderly end.
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        first, self.received = not self.received, True
        if first and not self._asked:
            raise KeyboardInterrupt

    def __call__(self) -> bool:
        """Return whether a signal has come."""
        self._asked = True
        return self.received


def main(arguments: Sequence[str] | None = None) -> int:
    """Train a run and return the exit code; errors are one sentence on standard error."""
    parser = argparse.ArgumentParser(prog="python -m genimg.training.worker", description=__doc__)
    parser.add_argument("run_directory", type=Path)
    parser.add_argument("--attempt", type=int)
    parser.add_argument("--device-lock", type=Path, help="File to lock while training.")
    options = parser.parse_args(arguments)
    follows = int(os.environ.get("RANK", "0")) > 0
    stop = StopSignal(under_torchrun="RANK" in os.environ, under_slurm="SLURM_JOB_ID" in os.environ)
    device = Lease(options.device_lock) if options.device_lock else None  # free when this ends
    try:
        if device and not device.acquire(patience=_PATIENCE_SECONDS):
            raise ValueError(f"another run holds {options.device_lock}; wait until it has ended")
        if follows:
            follow_run(options.run_directory, when_joined=stop)  # from then on the first one stops
            return 0
        outcome = train_run(
            options.run_directory,
            attempt=options.attempt,
            should_stop=stop,
            processes=int(os.environ.get("WORLD_SIZE", "1")),
        )
    except KeyboardInterrupt:
        return _fail(EXIT_CODES["paused"], "stopped before the first step; nothing is lost")
    except ValueError as error:
        return _fail(2, error)
    except Diverged as error:
        return _fail(70, error)
    except OSError as error:
        return _fail(74, error)
    except LostProcess as error:
        # Whoever started this process says which one was lost.
        return error.code if follows else _fail(error.code, error)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        return _fail(71, "memory ran out; start a new run with a smaller batch_size or model")
    return EXIT_CODES[outcome]


def is_out_of_memory(error: RuntimeError | MemoryError) -> bool:
    """Return whether `error` says that the memory of the CPU or of a GPU is full."""
    # When the CPU's memory is full, PyTorch raises a RuntimeError with no class of its own.
    known = isinstance(error, (MemoryError, torch.OutOfMemoryError))
    return known or "DefaultCPUAllocator" in str(error)


def _fail(code: int, error: BaseException | str) -> int:
    print(f"error: {error}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
