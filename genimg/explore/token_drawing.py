"""What all models that draw with tokens have in common: pictures to tokens and back, and labels.

Shape letters: N tokens of a picture, V size of the vocabulary.
"""

from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genimg.checkpoints import Checkpoint
from genimg.checks import shown
from genimg.explore.arguments import (
    Label,
    class_number,
    class_numbers,
    one_picture,
    require_index,
    token_numbers,
)
from genimg.explore.loaded import LoadedModel
from genimg.tensors import to_uint8

_AT_ONCE = 1024  # pictures that are decoded together
_UNDRAWN = 128  # the grey of places that have no token yet


class TokenDrawingModel(LoadedModel):
    """A prior with its tokenizer, ready to use.

    Attributes:
        prior, tokenizer: the PyTorch modules, parts of `module`.
        grid: rows and columns of the tokens of a picture.
    """

    prior: Any

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(checkpoint)
        self.prior = checkpoint.model.prior
        # Decoding is a third faster this way on a CPU.
        self.tokenizer = checkpoint.model.tokenizer.to(memory_format=torch.channels_last)
        self.grid = self.tokenizer.grid

    def tokens_of(self, image: np.ndarray) -> np.ndarray:
        """Return the tokens of a picture, uint8 (H, W, C), int64 (N,) in raster order.

        Raises:
            ValueError: the picture has another size.
        """
        return self._encode(image)[0].numpy()

    def unfinished(self, tokens: np.ndarray) -> np.ndarray:
        """Return the picture of tokens int64 (..., N), of which some are -1, uint8 (..., H, W, C).

        The decoder needs a token in every place: there it gets those of a black picture, and the
        result is painted grey.

        Raises:
            ValueError: the tokens have another shape, or one is not in the vocabulary.
        """
        size = self.prior.num_tokens
        given = token_numbers(tokens, size, -1, self.tokenizer.vocabulary_size - 1)
        missing = given == -1  # (..., N)
        rows = torch.where(missing, self._black, given).view(-1, size)  # (M, N)
        pictures = np.concatenate([self._decode(part) for part in rows.split(_AT_ONCE)])
        pictures = pictures.reshape(*given.shape[:-1], *pictures.shape[1:])
        grid = missing.unflatten(-1, self.grid).numpy()  # (..., rows, columns)
        patch = self.tokenizer.config.patch_size
        pictures[grid.repeat(patch, axis=-2).repeat(patch, axis=-1)] = _UNDRAWN
        return pictures

    def _to_complete(
        self,
        image: np.ndarray,
        keep: np.ndarray | None,
        rows: int | None,
        count: int,
        label: Label,
    ) -> tuple[Tensor, Tensor]:
        """Return the tokens that are kept, int64 (count, N) with -1 for others, and the labels."""
        known = self._encode(image)  # (1, N)
        kept = torch.from_numpy(self._kept(keep, rows)).flatten()  # (N,)
        known = torch.where(kept, known, -1).repeat(count, 1)  # (count, N)
        if label is None:
            return known, torch.full((count,), self.prior.unconditional)
        return known, self._labels(label, count)

    def _given(self, known: Tensor | None, part: slice) -> Tensor | None:
        return None if known is None else self.here(known[part])

    def _labels(self, label: Label, count: int) -> Tensor:
        """Return class numbers, int64 (count,); None is all classes in turn."""
        numbers = class_numbers(label, count, self.classes, self.name)
        assert numbers is not None  # such a prior has at least one class
        return numbers

    def _one_label(self, label: str | int | None) -> Tensor:
        """Return the number of a class, int64 (1,); None is any class."""
        if label is None:
            return torch.tensor([self.prior.unconditional])
        return torch.tensor([class_number(label, self.classes, self.name)])

    def _kept(self, keep: np.ndarray | None, rows: int | None) -> np.ndarray:
        """Return which tokens to keep, bool (rows, columns)."""
        if (keep is None) == (rows is None):
            raise ValueError("say what to keep: either keep, a mask of tokens, or rows, a number")
        if rows is not None:
            require_index("rows", rows, self.grid[0] + 1)
            return np.arange(self.grid[0])[:, None].repeat(self.grid[1], axis=1) < rows
        try:
            mask = np.asarray(keep)
        except (ValueError, TypeError):  # rows of several lengths
            mask = np.empty(0)
        if mask.dtype != bool or mask.shape != self.grid:
            raise ValueError(f"keep must be bool {self.grid}, not {shown(keep)}")
        return mask

    def _forget(self) -> None:
        self.__dict__.pop("_black", None)

    @cached_property
    def _black(self) -> Tensor:
        shape = (self.config.size, self.config.size, self.config.channels)
        return self._encode(np.zeros(shape, np.uint8))[0]  # (N,)

    @torch.inference_mode()
    def _encode(self, image: np.ndarray) -> Tensor:
        x = self.here(one_picture(image, self.config, self.name))
        return self.tokenizer.encode(x).cpu()  # (1, N)

    @torch.inference_mode()
    def _decode(self, tokens: Tensor) -> np.ndarray:
        return to_uint8(self.tokenizer.decode(self.here(tokens)))
