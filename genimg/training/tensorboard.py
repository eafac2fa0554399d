"""A training callback that writes what a run reports for TensorBoard.

    pip install genimg[tensorboard]

    from genimg.training.tensorboard import TensorBoard
    genimg.train("fashion-style", "runs/mine", callbacks=[TensorBoard("logs/mine")])

It is an extra: TensorBoard brings a server of its own, and the Training tab needs none of it.
"""

import os
import time
from collections.abc import Callable

import numpy as np

from genimg.render import grid
from genimg.training.reporting import Report

_NO_CURVES = ("images_seen", "total")


class TensorBoard:
    """Writes every number as a curve over the pictures seen, and sample sheets now and then.

    Args:
        folder: where; a resumed run may go on in the same one.
        sheet_seconds: seconds from one sample sheet to the next, at least; the first comes with the
            first report.
        clock: seconds that only ever grow.

    Raises:
        ValueError: TensorBoard is not installed.
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        *,
        sheet_seconds: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise ValueError(
                "TensorBoard is not installed; run: pip install genimg[tensorboard]"
            ) from None
        self.sheet_seconds, self.clock = sheet_seconds, clock
        self._writer = SummaryWriter(os.fspath(folder))
        self._next = float("-inf")

    def __call__(self, report: Report) -> None:
        """Write a report; all of it is on the disk when this returns."""
        seen = report["images_seen"]
        for name, value in report.items():
            if name not in _NO_CURVES:
                self._writer.add_scalar(name, value, seen)
        if self.clock() >= self._next:
            pictures = report.sheet()
            if len(pictures):
                sheet = np.asarray(grid(pictures, columns=10).convert("RGB"))
                self._writer.add_image("samples", sheet, seen, dataformats="HWC")
            self._next = self.clock() + self.sheet_seconds
        self._writer.flush()  # whoever pulls the plug loses nothing
