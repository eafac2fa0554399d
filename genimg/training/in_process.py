"""What training inside somebody's own program owes it: Ctrl-C, its random numbers, its threads."""

import contextlib
import random
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any, Self

import numpy as np
import torch


class Interruption:
    """Ctrl-C as a wish to stop after the step, so that a run can save; a second one ends at once.

        with Interruption() as interruption:
            train_run(path, should_stop=interruption)

    As long as nobody has asked, there is nothing to save: then the first one ends at once, too.
    A program that handles Ctrl-C in its own way goes on doing so, and no other thread than the
    main one ever hears of it.

    Attributes:
        received: whether Ctrl-C was pressed, or a callback raised KeyboardInterrupt.
    """

    def __init__(self) -> None:
        self.received = self._asked = self._installed = False

    def __enter__(self) -> Self:
        in_main_thread = threading.current_thread() is threading.main_thread()
        if in_main_thread and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._note)
            self._installed = True
        return self

    def __exit__(self, *error: object) -> None:
        if self._installed:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _note(self, number: int, frame: object) -> None:
        first, self.received = not self.received, True
        if not (first and self._asked):
            raise KeyboardInterrupt

    def __call__(self) -> bool:
        """Return whether to stop."""
        self._asked = True
        return self.received

    def around(self, callback: Callable[[Any], object]) -> Callable[[Any], None]:
        """Return `callback`, whose KeyboardInterrupt is the same wish: it comes between steps."""

        def call(report: Any) -> None:
            try:
                callback(report)
            except KeyboardInterrupt:
                self.received = True

        return call


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Put back the global random numbers of torch, NumPy and Python, and the number of threads."""
    threads, python, arrays = torch.get_num_threads(), random.getstate(), np.random.get_state()
    apple = torch.mps.get_rng_state() if torch.backends.mps.is_available() else None
    try:
        with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(arrays)
        if apple is not None:
            torch.mps.set_rng_state(apple)
        torch.set_num_threads(threads)
