"""Held-out pictures, and when they say that a run should end."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from genimg.randomness import generator

MOST_HELD_OUT = 2000


def split(seed: int, total: int) -> tuple[Tensor, Tensor]:
    """Divide `total` pictures into those to train on and those held out, int64 indices.

    A twentieth is held out, at least 1 and at most `MOST_HELD_OUT`, the same for the same seed.

    Raises:
        ValueError: there are too few pictures.
    """
    if total < 2:
        raise ValueError(f"{total} pictures cannot be divided for validation; give at least 2")
    order = torch.randperm(total, generator=generator(seed, "hold-out", 0))
    held_out = min(max(total // 20, 1), MOST_HELD_OUT)
    return order[:-held_out], order[-held_out:]


@dataclass(slots=True)
class BestSoFar:
    """The best validation of a run.

    Attributes:
        best: the step it was made at; None before the first.
        best_loss: its loss.
        waited: validations since.
    """

    best: int | None = None
    best_loss: float | None = None
    waited: int = 0

    def note(self, step: int, loss: float) -> bool:
        """Take a validation into account; return whether it is the best so far.

        A loss that is not a number never is.
        """
        if not loss < (math.inf if self.best_loss is None else self.best_loss):
            self.waited += 1
            return False
        self.best, self.best_loss, self.waited = step, loss, 0
        return True

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return asdict(self)
