"""A trained image tokenizer, ready to use."""

import numpy as np
import torch

from genimg.checkpoints import Checkpoint
from genimg.explore.arguments import token_numbers
from genimg.models.tokenizer import VocabularyUse, vocabulary_use
from genimg.tensors import network_input, to_uint8

_BATCH = 250


class TokenizerModel:
    """Pictures to tokens and back.

    Attributes:
        info: the card: data set, size, training, metrics.
        grid: rows and columns of the tokens of a picture.
        vocabulary_size: number of different tokens.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.name, self.info = checkpoint.name, checkpoint.card
        self.config = checkpoint.config
        self.tokenizer = checkpoint.model
        self.grid = self.tokenizer.grid
        self.vocabulary_size = self.tokenizer.vocabulary_size

    @torch.inference_mode()
    def encode(self, images: np.ndarray) -> np.ndarray:
        """Return the tokens, int64 (N, T) in raster order, of pictures uint8 (N, H, W, C).

        Raises:
            ValueError: the pictures are not of the size and channels that the tokenizer takes.
        """
        parts = network_input(images, self.config, self.name).split(_BATCH)
        return torch.cat([self.tokenizer.encode(part) for part in parts]).numpy()

    @torch.inference_mode()
    def decode(self, tokens: np.ndarray) -> np.ndarray:
        """Return the pictures, uint8 (N, H, W, C), of tokens int64 (N, T).

        Raises:
            ValueError: the tokens have another shape, or one is not in the vocabulary.
        """
        length = self.grid[0] * self.grid[1]
        rows = token_numbers(tokens, length, 0, self.vocabulary_size - 1)
        if rows.dim() != 2:
            raise ValueError(f"tokens must be (N, {length}), not {tuple(rows.shape)}")
        parts = rows.split(_BATCH)
        return np.concatenate([to_uint8(self.tokenizer.decode(part)) for part in parts])

    def reconstruct(self, images: np.ndarray) -> np.ndarray:
        """Return what the tokens keep of pictures, uint8 (N, H, W, C) like `images`."""
        return self.decode(self.encode(images))

    def usage(self, images: np.ndarray) -> VocabularyUse:
        """Return how much of the vocabulary these pictures use; give it a whole data set."""
        return vocabulary_use(torch.from_numpy(self.encode(images)), self.vocabulary_size)
