"""An image GPT together with the tokenizer whose tokens it draws.

Neither is of any use without the other, so they are one model: one configuration, one checkpoint.
"""

import math
from dataclasses import dataclass

from torch import nn

from genimg.models.image_gpt import ImageGpt, ImageGptConfig, PriorConfig
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


class Drawer(nn.Module):
    """Class labels to pictures, by way of tokens.

    Attributes:
        prior: the image GPT, which knows how likely tokens are.
        tokenizer: turns pictures into tokens and back; trained beforehand and frozen since.
    """

    def __init__(self, config: DrawerConfig) -> None:
        super().__init__()
        self.config = config
        self.prior = ImageGpt(config.prior_config())
        self.tokenizer = FsqTokenizer(config.tokenizer_config())
