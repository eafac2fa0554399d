"""What Slurm runs, by way of submitit: a command that saves when it must go, and comes again.

At its time limit, or before another job takes its place, Slurm sends SIGUSR2. The run then saves
and ends, and submitit puts the same job into the queue again: it goes on exactly where it was, as
the same attempt, whether a server looks or not. Whoever cancels the job cancels what would follow.
"""

import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from genimg.jobs.engines.starting import STOP_SECONDS, worker_environment

_LOOK_SECONDS = 0.5


class SlurmCommand:
    """A command and where its output goes; submitit sends it through a file.

    Args:
        words: the command.
        log: to whose end its output goes.
    """

    def __init__(self, words: Sequence[str], log: Path) -> None:
        self.words, self.log = list(words), log
        self._process: subprocess.Popen | None = None

    def __call__(self) -> int:
        """Run it to its end; return its exit code."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.words,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=os.environ | worker_environment(),
                start_new_session=True,
            )
        try:
            while True:  # in short waits: the signal's handler cannot wait beside a long one
                with contextlib.suppress(subprocess.TimeoutExpired):
                    return self._process.wait(_LOOK_SECONDS)
        finally:  # where Slurm's own executor ends only this process
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGTERM)

    def checkpoint(self) -> Any:
        """Have it save and end; return what submitit is to run next, None if it is over.

        It is called in the handler of SIGUSR2.
        """
        from submitit.helpers import DelayedSubmission

        if self._process is not None:
            with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
                leader = psutil.Process(self._process.pid)
                leader.send_signal(signal.SIGUSR2)  # the launcher: this is no end
                os.killpg(self._process.pid, signal.SIGTERM)
                with contextlib.suppress(psutil.TimeoutExpired):
                    leader.wait(STOP_SECONDS)
                os.killpg(self._process.pid, signal.SIGKILL)
        return DelayedSubmission(SlurmCommand(self.words, self.log))
