"""A trained tokenizer for pictures, ready to use."""

import numpy as np
import torch

from genimg.checkpoints import Checkpoint
from genimg.explore.arguments import token_numbers
from genimg.explore.loaded import LoadedModel
from genimg.explore.outputs import Output, Pictures, as_output, check_output
from genimg.models.tokenizer import VocabularyUse, vocabulary_use
from genimg.tensors import to_uint8

_BATCH = 250


class TokenizerModel(LoadedModel):
    """Turns pictures into tokens and back.

    Attributes:
        tokenizer: the PyTorch module, which is also `module`.
        grid: rows and columns of the tokens of a picture.
        vocabulary_size: number of different tokens.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(checkpoint)
        self.tokenizer = checkpoint.model
        self.grid = self.tokenizer.grid
        self.vocabulary_size = self.tokenizer.vocabulary_size

    @torch.inference_mode()
    def encode(self, images: np.ndarray) -> np.ndarray:
        """Return the tokens, int64 (N, T) in raster order, of pictures uint8 (N, H, W, C).

        Raises:
            ValueError: the pictures are not of the size and channels that the tokenizer takes.
        """
        parts = self._input(images).split(_BATCH)
        return torch.cat([self.tokenizer.encode(part).cpu() for part in parts]).numpy()

    @torch.inference_mode()
    def decode(self, tokens: np.ndarray, output: Output = "numpy") -> Pictures:
        """Return the pictures, uint8 (N, H, W, C), of tokens int64 (N, T).

        Args:
            output: see `genimg.explore.outputs`.

        Raises:
            ValueError: the tokens have another shape, or one is not in the vocabulary.
        """
        check_output(output)
        length = self.grid[0] * self.grid[1]
        rows = token_numbers(tokens, length, 0, self.vocabulary_size - 1)
        if rows.dim() != 2:
            raise ValueError(f"tokens must be (N, {length}), not {tuple(rows.shape)}")
        parts = [self.here(part) for part in rows.split(_BATCH)]
        pictures = [to_uint8(self.tokenizer.decode(part)) for part in parts]
        return as_output(np.concatenate(pictures), output)

    def reconstruct(self, images: np.ndarray, output: Output = "numpy") -> Pictures:
        """Return what the tokens keep of pictures, uint8 (N, H, W, C) like `images`."""
        check_output(output)
        return self.decode(self.encode(images), output)

    def usage(self, images: np.ndarray) -> VocabularyUse:
        """Return how much of the vocabulary these pictures use; give it a whole data set."""
        return vocabulary_use(torch.from_numpy(self.encode(images)), self.vocabulary_size)
