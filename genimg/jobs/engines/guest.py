"""What a machine of Hugging Face Jobs runs: one attempt, whose files travel.

    python -m genimg.jobs.engines.guest BUCKET PREFIX ATTEMPT MINUTES

It fetches the run, trains it as any launcher does, and sends what comes of it every few seconds.
Shortly before its time is over it lets the run save and end, so that nothing is lost.
"""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from genimg.jobs import platforms
from genimg.jobs.engines.starting import launcher_words, worker_environment
from genimg.jobs.engines.travelling import BucketStore, Store, Travelling

_SEND_SECONDS = 10.0
_LOOK_SECONDS = 1.0
# To save, and to send the last checkpoint.
_FAREWELL_SECONDS = 300.0


def train_as_guest(
    store: Store,
    prefix: str,
    number: int,
    minutes: float,
    folder: Path,
    clock: Callable[[], float] = time.monotonic,
) -> int:
    """Train one attempt to its end, or until the time is over; return its exit code.

    Args:
        prefix: of the attempt's folder in the store; its last but one part is the run's name.
        minutes: that this machine is lent for.
        folder: where the run is while it is here.

    Raises:
        OSError: the store cannot be reached at the start, or at the end.
    """
    began = clock()
    run = folder / prefix.rstrip("/").split("/")[-2]
    run.mkdir(parents=True, exist_ok=True)
    files = Travelling(store, run, number, prefix)
    files.fetch_request()
    files.attempt.path.mkdir(parents=True, exist_ok=True)
    with files.attempt.log.open("ab") as log:
        launcher = subprocess.Popen(
            launcher_words(run, number, ""),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=os.environ | worker_environment(),
            **platforms.own_session(),
        )
    asked_to_end = False

    def ask_to_end(*signal_and_frame: object) -> None:
        nonlocal asked_to_end
        if not asked_to_end and launcher.poll() is None:
            asked_to_end = True
            platforms.end_group(launcher.pid, kill=False)

    with contextlib.suppress(ValueError):  # a test calls it in a thread
        signal.signal(signal.SIGTERM, ask_to_end)
    sent = clock()
    while launcher.poll() is None:
        if clock() - began >= minutes * 60 - _FAREWELL_SECONDS:
            ask_to_end()
        if clock() - sent >= _SEND_SECONDS:
            with contextlib.suppress(OSError):  # the next time, then
                files.fetch_wish()
                files.send_results()
            sent = clock()
        time.sleep(_LOOK_SECONDS)
    files.send_results()
    return launcher.returncode


def main(arguments: Sequence[str]) -> int:
    """Train as a guest of Hugging Face; return the exit code."""
    from huggingface_hub import HfApi

    bucket, prefix, number, minutes = arguments
    folder = Path(tempfile.mkdtemp(prefix="genimg-"))
    return train_as_guest(BucketStore(HfApi(), bucket), prefix, int(number), float(minutes), folder)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
