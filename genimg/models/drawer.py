"""A prior together with the tokenizer whose tokens it draws.

Neither is of any use without the other, so they are one model: one configuration, one checkpoint.
The tokens are those of a trained autoencoder, or the pixels themselves.
"""

import math
from dataclasses import dataclass
from typing import Any

from torch import nn

from genimg.models.image_gpt import ImageGpt, ImageGptConfig, PriorConfig
from genimg.models.maskgit import MaskedPriorConfig, MaskGit, MaskGitConfig
from genimg.models.pixels import PixelsConfig, PixelTokenizer
from genimg.models.tokenizer import FsqTokenizer, FsqTokenizerConfig


def _grid(config: FsqTokenizerConfig) -> dict[str, int]:
    """Return the vocabulary and the grid of a tokenizer, as the fields of a prior."""
    side = config.size // config.patch_size
    return {"vocabulary_size": math.prod(config.levels), "rows": side, "columns": side}


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
        return self.part(ImageGptConfig, **_grid(self))

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


@dataclass(frozen=True, kw_only=True)
class MaskedDrawerConfig(MaskedPriorConfig, FsqTokenizerConfig):
    """What a `MaskedDrawer` is made of: the tokenizer's fields and the MaskGIT's.

    The MaskGIT's vocabulary and grid follow from the tokenizer.
    """

    def tokenizer_config(self) -> FsqTokenizerConfig:
        """Return the configuration of the tokenizer."""
        return self.part(FsqTokenizerConfig)

    def make_tokenizer(self) -> FsqTokenizer:
        """Return an untrained tokenizer."""
        return FsqTokenizer(self.tokenizer_config())

    def prior_config(self) -> MaskGitConfig:
        """Return the configuration of the MaskGIT."""
        return self.part(MaskGitConfig, **_grid(self))


class TokenDrawer(nn.Module):
    """Class labels to pictures, by way of tokens.

    Attributes:
        prior: knows how likely tokens are.
        tokenizer: turns pictures into tokens and back; if it learns, it was trained beforehand
            and is frozen since.
    """

    prior: Any

    def __init__(
        self, config: DrawerConfig | PixelDrawerConfig | MaskedDrawerConfig, prior: nn.Module
    ) -> None:
        super().__init__()
        self.config = config
        self.prior = prior
        self.tokenizer: FsqTokenizer | PixelTokenizer = config.make_tokenizer()


class Drawer(TokenDrawer):
    """A `TokenDrawer` whose prior is an image GPT: it draws token by token."""

    prior: ImageGpt

    def __init__(self, config: DrawerConfig | PixelDrawerConfig) -> None:
        super().__init__(config, ImageGpt(config.prior_config()))


class MaskedDrawer(TokenDrawer):
    """A `TokenDrawer` whose prior is a MaskGIT: it draws several tokens at a time."""

    prior: MaskGit

    def __init__(self, config: MaskedDrawerConfig) -> None:
        super().__init__(config, MaskGit(config.prior_config()))
