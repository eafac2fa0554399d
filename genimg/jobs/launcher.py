"""The process around one worker: starts it, waits, and writes down how it ended.

    python -m genimg.jobs.launcher RUN_DIRECTORY --attempt N [--device-lock FILE] [--nice N]

It needs no PyTorch, so it is small and starts at once. It is the parent that a worker keeps when
the server goes, and it holds the attempt's lease for as long as it lives: liveness is that lease,
never a process number. Its output, and the worker's, go where its own standard output goes: the
engine opens the attempt's log before there is a process that could say anything.

SIGUSR2 tells it that the worker is to save now and will be started again, as the same attempt, by
whoever sends it (Slurm). Then the pause that follows is no end, and none is written down.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from genimg.jobs import platforms
from genimg.storage import Lease, write_json
from genimg.training.attempts import Attempt, newest_attempt

_PATIENCE_SECONDS = 5.0  # whoever asks whether the lease is free holds it for an instant
_LOOK_SECONDS = 5.0
_PAUSED = 75  # of a worker that has saved, see `genimg.training.worker`


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one worker to its end; return its exit code, or 1 where a signal ended it.

    An attempt that has ended, or that a newer one has replaced, is not started.
    """
    options = _options(arguments)
    attempt = Attempt.of(options.run_directory, options.attempt)
    platforms.ignore_farewells()
    interruptions = platforms.count_interruptions()
    lease = Lease(attempt.lease)
    if not lease.acquire(patience=_PATIENCE_SECONDS):
        return _refuse("another launcher has this attempt")
    newest = newest_attempt(options.run_directory)
    if newest > options.attempt:
        return _refuse(f"attempt {newest} has replaced this one")
    if attempt.exit.exists():
        return _refuse("this attempt has ended")
    # Where to send a signal while the lease is held: the launcher leads the worker's group.
    write_json(attempt.launcher, {"group": platforms.own_group(), "host": platforms.host()})
    platforms.lower_priority(options.nice)
    started, kills = time.monotonic(), platforms.memory_kills()
    worker = subprocess.Popen(_command(options), stdin=subprocess.DEVNULL)
    while True:
        try:
            code = worker.wait(timeout=_LOOK_SECONDS)
            break
        except subprocess.TimeoutExpired:  # so that only what happened at the end is counted
            kills = platforms.memory_kills()
    if code == _PAUSED and interruptions():
        return code  # the same attempt goes on, once its engine has a place again
    ended = {
        "code": code if code >= 0 else None,
        "signal": -code if code < 0 else None,
        "memory_full": platforms.memory_kills() > kills,
        "peak_memory": platforms.peak_memory_of_children(),
        "seconds": round(time.monotonic() - started, 3),
        "time": time.time(),
    }
    write_json(attempt.exit, ended)
    return max(code, 0) or int(code < 0)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m genimg.jobs.launcher", description=__doc__)
    parser.add_argument("run_directory", type=Path)
    parser.add_argument("--attempt", type=int, required=True)
    parser.add_argument("--device-lock", type=Path)
    parser.add_argument("--nice", type=int, default=0, choices=range(20))
    return parser.parse_args(arguments)


def _command(options: argparse.Namespace) -> list[str]:
    command = [sys.executable, "-m", "genimg.training.worker", str(options.run_directory)]
    command += ["--attempt", str(options.attempt)]
    if options.device_lock is not None:
        command += ["--device-lock", str(options.device_lock)]
    return command


def _refuse(reason: str) -> int:
    print(f"error: {reason}; nothing was started", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
