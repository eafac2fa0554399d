"""Pixels as tokens: the plainest tokenizer there is, and a picture is a long sequence.

A pixel is rounded to one of a few greys, evenly spaced from black to white, and that is its token.
There is nothing to train, nothing is lost but the rounding, and the likelihood of the tokens is
that of the rounded picture. Image GPT (Chen et al. 2020) does so with 512 colours.

Shape letters: B batch, R x R pixels, N = R * R tokens in raster order.
"""

from dataclasses import dataclass

from torch import Tensor, nn

from genimg.configuration import Configuration, setting
from genimg.models.tokenizer import check_images, check_tokens


@dataclass(frozen=True, kw_only=True, slots=True)
class PixelsConfig(Configuration):
    """What a `PixelTokenizer` is made of."""

    size: int = setting(28, "Height and width of the pictures, in pixels.", low=8, high=64)
    channels: int = setting(1, "Colour channels of the pictures.", choices=(1,))
    greys: int = setting(
        16, "Greys that a pixel is rounded to, with black and white.", low=2, high=256
    )

    @property
    def patch_size(self) -> int:
        """Height and width, in pixels, of what one token stands for."""
        return 1


class PixelTokenizer(nn.Module):
    """Pictures to tokens and back; it has no weights.

    Attributes:
        grid: (R, R).
        num_tokens: N, tokens of a picture.
        vocabulary_size: number of different tokens, from black to white.
        local: True: what a token looks like depends on no other token.
    """

    local = True

    def __init__(self, config: PixelsConfig) -> None:
        super().__init__()
        self.config = config
        self.grid = (config.size, config.size)
        self.num_tokens = config.size**2
        self.vocabulary_size = config.greys

    def encode(self, images: Tensor) -> Tensor:
        """Return the tokens, int64 (B, N), of pictures (B, 1, R, R) in [-1, 1].

        Raises:
            ValueError: the pictures have another shape than the configuration says.
        """
        check_images(images, self.config)
        levels = (images.float() + 1) / 2 * (self.vocabulary_size - 1)
        return levels.round().clamp(0, self.vocabulary_size - 1).long().flatten(1)

    def decode(self, tokens: Tensor) -> Tensor:
        """Return the pictures float32 (B, 1, R, R) in [-1, 1] of tokens int64 (B, N).

        Raises:
            ValueError: the tokens have another shape, or one is not in the vocabulary.
        """
        check_tokens(tokens, self.num_tokens, self.vocabulary_size)
        return (tokens.float() * 2 / (self.vocabulary_size - 1) - 1).view(-1, 1, *self.grid)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return (the pictures as the tokens keep them, the tokens)."""
        tokens = self.encode(images)
        return self.decode(tokens), tokens
