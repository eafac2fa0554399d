"""A picture that a MaskGIT has drawn, step by step.

Shape letters: N tokens of a picture, S steps.
"""

from collections.abc import Callable
from functools import cached_property

import numpy as np

from genimg.explore.presenting import card, large, line, pixels_text, png


class ParallelDrawing:
    """A picture of a MaskGIT, with what happened in each step.

    Tokens are in raster order, whatever order they were drawn in.

    Attributes:
        image: uint8 (H, W, C).
        tokens: int64 (N,).
        label: number of the class; `MaskGit.unconditional` for none.
        masked: bool (S, N), which tokens are still masked after each step; none after the last.
        confidence: float32 (S, N), how likely the model found each proposal when it was made, after
            guidance and before temperature, top-k and top-p.
        proposals: int64 (S, N), the tokens kept before each step and those that it proposed.
    """

    def __init__(
        self,
        *,
        image: np.ndarray,
        tokens: np.ndarray,
        label: int | None,
        masked: np.ndarray,
        confidence: np.ndarray,
        proposals: np.ndarray,
        paint: Callable[[np.ndarray], np.ndarray],
    ) -> None:
        """Take a drawing.

        Args:
            label: None for any class.
            paint: makes pictures, uint8 (S, H, W, C), of tokens int64 (S, N), grey where a token
                is -1.
        """
        self.image, self.tokens, self.label = image, tokens, label
        self.masked, self.confidence, self.proposals = masked, confidence, proposals
        self._paint = paint

    def __repr__(self) -> str:
        return line("ParallelDrawing", self._facts())

    def _repr_html_(self) -> str:
        return card("ParallelDrawing", self._facts(), large(self.image))

    def _repr_png_(self) -> bytes | None:
        return png(large(self.image))

    def _facts(self) -> dict[str, str]:
        return {
            "picture": pixels_text(self.image.shape[0], self.image.shape[2]),
            "class": "any class" if self.label is None else f"class {self.label}",
            "tokens": f"{len(self.tokens)} tokens",
            "steps": f"{len(self.masked)} steps",
        }

    @property
    def kept_in(self) -> np.ndarray:
        """The step, from 0, in which each token was kept, int64 (N,)."""
        return self.masked.sum(axis=0)

    @cached_property
    def images(self) -> np.ndarray:
        """The picture after each step, uint8 (S, H, W, C), grey where the token is masked.

        Near what is masked it may still change, because the decoder looks at neighbouring tokens.
        """
        return self._paint(np.where(self.masked, -1, self.proposals))

    @cached_property
    def guesses(self) -> np.ndarray:
        """What the picture would be if all proposals of a step were kept, uint8 (S, H, W, C)."""
        return self._paint(self.proposals)
