"""An image GPT together with the tokenizer whose tokens it draws.

Neither is of any use without the other, so they are one model: one configuration, one checkpoint.
The tokens are those of a trained autoencoder, or the pixels themselves.
"""

import math
from dataclasses import dataclass

from torch import nn

from genimg.models.image_gpt import ImageGpt, ImageGptConfig, PriorConfig
from genimg.models.pixels import PixelsConfig, PixelTokenizer
from genimg.models.tokenizer import FsqTokenizer, FsqTokenizerConfig


@dataclass(frozen=True, kw_only=True)
class DrawerConfig(PriorConfig, FsqTokenizerConfig):
    """What a `Drawer` is made of: the tokenizer's fields and the image GPT's.

    The image GPT's vocabulary and grid follow from the tokenizer.
    """

    def tokenizer_config(self) -> FsqTokenizerConfig:
        """Return the configuration of the tokenizer."""
        return self.part(FsqTokenizerConfig)

    def prior_config(self) -> ImageGptConfig:
        """Return the configuration of the image GPT."""
        side = self.size // self.patch_size
        vocabulary_size = math.prod(self.levels)
        return self.part(ImageGptConfig, vocabulary_size=vocabulary_size, rows=side, columns=side)

    def make_tokenizer(self) -> FsqTokenizer:
        """Return an untrained tokenizer."""
        return FsqTokenizer(self.tokenizer_config())


@dataclass(frozen=True, kw_only=True)
class PixelDrawerConfig(PriorConfig, PixelsConfig):
    """What a `Drawer` of pixels is made of: the greys' fields and the image GPT's."""

    def prior_config(self) -> ImageGptConfig:
        """Return the configuration of the image GPT, which has a token for each pixel."""
        return self.part(
            ImageGptConfig, vocabulary_size=self.greys, rows=self.size, columns=self.size
        )

    def make_tokenizer(self) -> PixelTokenizer:
        """Return the tokenizer."""
        return PixelTokenizer(self.part(PixelsConfig))


class Drawer(nn.Module):
    """Class labels to pictures, by way of tokens.

    Attributes:
        prior: the image GPT, which knows how likely tokens are.
        tokenizer: turns pictures into tokens and back; if it learns, it was trained beforehand
            and is frozen since.
    """

    def __init__(self, config: DrawerConfig | PixelDrawerConfig) -> None:
        super().__init__()
        self.config = config
        self.prior = ImageGpt(config.prior_config())
        self.tokenizer: FsqTokenizer | PixelTokenizer = config.make_tokenizer()
