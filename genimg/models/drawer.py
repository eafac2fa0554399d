"""An image GPT together with the tokenizer whose tokens it draws.

Neither is of any use without the other, so they are one model: one configuration, one checkpoint.
"""

import math
from dataclasses import dataclass, fields
from typing import Any

from torch import nn

from genimg.configuration import Configuration, setting
from genimg.models.image_gpt import ImageGpt, ImageGptConfig
from genimg.models.tokenizer import FsqTokenizer, FsqTokenizerConfig


def _as_in_image_gpt(name: str) -> Any:
    """Declare a field with the default, the help and the range it has in `ImageGptConfig`."""
    field = ImageGptConfig.__dataclass_fields__[name]
    return setting(field.default, **field.metadata)


@dataclass(frozen=True, kw_only=True, slots=True)
class DrawerConfig(FsqTokenizerConfig):
    """What a `Drawer` is made of: the tokenizer's fields and the image GPT's.

    The GPT's vocabulary and grid follow from the tokenizer.
    """

    classes: int = _as_in_image_gpt("classes")
    width: int = _as_in_image_gpt("width")
    layers: int = _as_in_image_gpt("layers")
    heads: int = _as_in_image_gpt("heads")
    dropout: float = _as_in_image_gpt("dropout")
    norm: str = _as_in_image_gpt("norm")
    position: str = _as_in_image_gpt("position")
    window: int = _as_in_image_gpt("window")
    residual: bool = _as_in_image_gpt("residual")
    qk_norm: bool = _as_in_image_gpt("qk_norm")
    scale_by_sqrt: bool = _as_in_image_gpt("scale_by_sqrt")

    def __post_init__(self) -> None:
        """Check each field, then that they fit one another."""
        FsqTokenizerConfig.__post_init__(self)
        self.prior_config()

    def tokenizer_config(self) -> FsqTokenizerConfig:
        """Return the configuration of the tokenizer."""
        return FsqTokenizerConfig(**self._shared_with(FsqTokenizerConfig))

    def prior_config(self) -> ImageGptConfig:
        """Return the configuration of the image GPT.

        Raises:
            ValueError: its fields do not fit one another.
        """
        side = self.size // self.patch_size
        return ImageGptConfig(
            vocabulary_size=math.prod(self.levels),
            rows=side,
            columns=side,
            **self._shared_with(ImageGptConfig),
        )

    def _shared_with(self, config: type[Configuration]) -> dict[str, Any]:
        """Return those of the fields that `config` has too."""
        mine = {field.name for field in fields(self)}
        return {f.name: getattr(self, f.name) for f in fields(config) if f.name in mine}


class Drawer(nn.Module):
    """Class labels to images, by way of tokens.

    Attributes:
        prior: the image GPT, which knows how likely tokens are.
        tokenizer: turns images into tokens and back; trained beforehand and frozen since.
    """

    def __init__(self, config: DrawerConfig) -> None:
        super().__init__()
        self.config = config
        self.prior = ImageGpt(config.prior_config())
        self.tokenizer = FsqTokenizer(config.tokenizer_config())
