"""The progress of a run on one line of the terminal.

Not tqdm: its speed and time left are those of the clock, not those of learning that the page and
the log show, and a pipe that nobody reads any more would end the training.
"""

import contextlib
import shutil
import time
from collections.abc import Callable
from typing import Any, TextIO

_LONGEST_BAR = 24
_PLAIN_SECONDS = 10.0
_REDRAW_SECONDS = 0.1


class Progress:
    """A training callback that shows images, images/s, the time left, and the losses.

    On a terminal one line is drawn over and over; elsewhere (a file, a pipe) a plain line comes
    every ten seconds. When nobody reads any more (`| head`, a terminal that is gone) it shows no
    more, and the training goes on.

    Args:
        stream: where to write.
        clock: seconds that only ever grow.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self.stream, self.clock = stream, clock
        self.live = stream.isatty()
        self._shown_at: float | None = None
        self._last: dict[str, Any] = {}

    def __call__(self, report: dict[str, Any]) -> None:
        """Show `report` if it is time: images_seen, total, images_per_second and any losses."""
        if self._last.get("images_seen") == report["images_seen"]:
            report = self._last | report  # what a sample sheet tells joins the losses
        self._last = report
        wait = _REDRAW_SECONDS if self.live else _PLAIN_SECONDS
        if self._shown_at is None or self.clock() - self._shown_at >= wait:
            self._show(report)

    def close(self) -> None:
        """Show the last report, whenever it came, and end the line."""
        if self._last:
            self._show(self._last)
            if self.live:
                say(self.stream, "\n")

    def say(self, text: str) -> None:
        """Write a line that stays, above the one that is drawn over and over."""
        if self.live:
            width = shutil.get_terminal_size().columns - 1
            say(self.stream, "\r" + " " * width + "\r")
        say(self.stream, text + "\n")
        if self.live and self._last:
            self._show(self._last)

    def _show(self, report: dict[str, Any]) -> None:
        self._shown_at = self.clock()
        text = describe(report)
        if self.live:
            width = shutil.get_terminal_size().columns - 1
            cells = max(0, min(_LONGEST_BAR, width - len(text) - 3))  # the numbers matter more
            done = int(cells * report["images_seen"] / report["total"])
            text = f"[{'#' * done}{'.' * (cells - done)}] {text}"
            say(self.stream, "\r" + text[:width].ljust(width))  # covers what was there
        else:
            say(self.stream, text + "\n")


def say(stream: TextIO, text: str) -> None:
    """Write what need not be read: a closed pipe must end no training."""
    with contextlib.suppress(OSError):
        stream.write(text)
        stream.flush()


def describe(report: dict[str, Any]) -> str:
    """Return a report as text: "640 of 1,280 images, 210 images/s, 0:03 left, loss D 1.2 G 0.8".

    D and G are the discriminator and the generator, A attributes; a classifier's has no letter.
    """
    seen, total = report["images_seen"], report["total"]
    speed = report["images_per_second"]
    left = time_text((total - seen) / speed) if speed > 0 else "unknown time"
    losses = [
        f"{name.removesuffix('loss')[:1].upper()} {value:.3f}".strip()
        for name, value in report.items()
        if name.endswith("loss")
    ]
    parts = [f"{seen:,} of {total:,} images", f"{speed:.0f} images/s", f"{left} left"]
    return ", ".join(parts + ([f"loss {' '.join(losses)}"] if losses else []))


def time_text(seconds: float) -> str:
    """Return seconds as m:ss or h:mm:ss."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
