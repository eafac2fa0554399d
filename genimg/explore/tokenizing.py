"""A trained image tokenizer, ready to use."""

import numpy as np
import torch

from genimg.checkpoints import Checkpoint
from genimg.explore.arguments import network_input
from genimg.models.vector_quantizer import CodebookUsage, codebook_usage
from genimg.training.task import to_uint8

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
        parts = network_input(images).split(_BATCH)
        return torch.cat([self.tokenizer.encode(part) for part in parts]).numpy()

    @torch.inference_mode()
    def decode(self, tokens: np.ndarray) -> np.ndarray:
        """Return the pictures, uint8 (N, H, W, C), of tokens int64 (N, T).

        Raises:
            ValueError: the tokens have another shape, or one is not in the vocabulary.
        """
        tokens = np.asarray(tokens)
        if not np.issubdtype(tokens.dtype, np.integer) or not tokens.size:
            raise ValueError("tokens must be whole numbers (N, T), and at least one row of them")
        parts = torch.from_numpy(tokens.astype(np.int64)).split(_BATCH)
        return np.concatenate([to_uint8(self.tokenizer.decode(part)) for part in parts])

    def reconstruct(self, images: np.ndarray) -> np.ndarray:
        """Return what the tokens keep of pictures, uint8 (N, H, W, C) like `images`."""
        return self.decode(self.encode(images))

    def usage(self, images: np.ndarray) -> CodebookUsage:
        """Return how much of the vocabulary these pictures use; give it a whole data set."""
        return codebook_usage(torch.from_numpy(self.encode(images)), self.vocabulary_size)
