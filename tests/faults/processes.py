"""Real processes that a test starts, sends signals to and waits for."""

import os
import time
from collections.abc import Callable
from pathlib import Path


class Process:
    """A process that the warm Python forked; what it prints is in `output`."""

    def __init__(self, ask: Callable[[dict], int | None], output: Path, **request) -> None:
        self._ask, self._output = ask, output
        self.returncode: int | None = None
        self.pid = ask({"output": str(output), **request})

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return self._output.read_text() if self._output.exists() else ""

    def poll(self) -> int | None:
        """Return the exit code, or None while it lives."""
        if self.returncode is None:
            self.returncode = self._ask({"poll": self.pid})
        return self.returncode

    def send(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:  # as long as nobody has asked, its number is its own
            os.kill(self.pid, number)

    def wait_until(self, condition: Callable[[], object], seconds: float = 90) -> None:
        """Wait for `condition`; fail if the process ends, or time runs out, before it is true."""
        end = time.monotonic() + seconds
        while not condition():
            if self.poll() is not None and not condition():
                raise AssertionError(f"it ended early ({self.returncode}): {self.output}")
            assert time.monotonic() < end, f"waited {seconds} s in vain: {self.output}"
            time.sleep(0.005)

    def end(self, seconds: float = 120) -> tuple[int, str]:
        """Wait for the end; return the exit code and what was printed."""
        end = time.monotonic() + seconds
        while self.poll() is None:
            assert time.monotonic() < end, f"it does not end: {self.output}"
            time.sleep(0.005)
        return self.returncode, self.output
