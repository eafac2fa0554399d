"""A small vision Transformer (ViT) that classifies pictures.

Dosovitskiy et al., arXiv 2010.11929: the picture is cut into patches, each patch becomes a token,
a class token gathers from all of them, and a linear head reads the class token. Optional register
tokens: Darcet et al., arXiv 2309.16588. Blocks as in `transformer.py`. With a convolutional stem
(Xiao et al. 2021, arXiv 2106.14881) a token sees a little beyond its patch, and small Transformers
learn much faster.

Shape letters: B batch, K colour channels, R x R pixels, P side of a patch, N = (R / P)^2 patches,
T = 1 + registers + N tokens, C width.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from genimg.configuration import Configuration, setting
from genimg.models.attention import Capture, TokenLayout, rotary_table
from genimg.models.transformer import (
    INITIAL_DEVIATION,
    Transformer,
    TransformerConfig,
    check_heads,
    initialise,
)
from genimg.wording import Wording


@dataclass(frozen=True, kw_only=True, slots=True)
class VisionTransformerConfig(Configuration):
    """What a `VisionTransformer` is made of; the defaults have 0.3 million parameters."""

    size: int = setting(32, "Height and width of the pictures, in pixels.", low=4, high=256)
    channels: int = setting(
        1, "Colour channels of the pictures: 1 for grey, 3 for colour.", choices=(1, 3)
    )
    classes: int = setting(10, "Number of classes.", low=2, high=10000)
    patch: int = setting(4, "Side of a patch, in pixels; divides the size.", low=1, high=64)
    width: int = setting(64, "Width of the model; a multiple of heads.", low=8, high=1024)
    layers: int = setting(6, "Number of Transformer blocks.", low=1, high=48)
    heads: int = setting(4, "Attention heads in each block.", low=1, high=64)
    stem: str = setting(
        "linear", "How a patch becomes a token.", choices=("linear", "convolutional")
    )
    registers: int = setting(0, "Extra tokens that belong to no patch.", low=0, high=16)
    position: str = setting(
        "learned", "How the model knows where a patch is.", choices=("learned", "rope")
    )
    dropout: float = setting(
        0.1, "Share of each sublayer's result that is dropped.", low=0, high=0.9
    )

    def __post_init__(self) -> None:
        """Raise ValueError where fields are out of range or do not fit one another."""
        Configuration.__post_init__(self)
        check_heads(self.width, self.heads, self.position)
        if self.size % self.patch:
            raise ValueError(
                Wording(
                    "model.size_of_patches",
                    "size ({size}) must be a multiple of patch ({patch})",
                    size=self.size,
                    patch=self.patch,
                )
            )
        if self.stem == "convolutional" and self.patch not in (2, 4, 8, 16):
            raise ValueError(
                Wording(
                    "model.patch",
                    "patch must be 2, 4, 8 or 16 for convolutions, not {patch}",
                    patch=self.patch,
                )
            )


def convolutional_stem(channels: int, width: int, patch: int) -> nn.Sequential:
    """Return convolutions from pictures (B, K, R, R) to tokens (B, C, R / P, R / P)."""
    halvings = patch.bit_length() - 1
    widths = [channels, width // 2, *(width << step for step in range(halvings))]
    layers: list[nn.Module] = []
    for i, (inputs, outputs) in enumerate(pairwise(widths)):  # all but the first halve the picture
        layers += [
            nn.Conv2d(inputs, outputs, 3, stride=1 if i == 0 else 2, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.GELU(),
        ]
    return nn.Sequential(*layers, nn.Conv2d(widths[-1], width, 1))


class VisionTransformer(nn.Module):
    """Classifies pictures by self-attention over patches.

    Attributes:
        layout: what each token is: the class token, then the registers, then the patch grid.
        head: the last linear layer, from features to logits.
    """

    def __init__(self, config: VisionTransformerConfig) -> None:
        super().__init__()
        self.config = config
        side = config.size // config.patch
        self.layout = TokenLayout(rows=side, columns=side, registers=config.registers)
        if config.stem == "linear":
            self.patch_embedding: nn.Module = nn.Conv2d(
                config.channels, config.width, kernel_size=config.patch, stride=config.patch
            )
        else:
            self.patch_embedding = convolutional_stem(config.channels, config.width, config.patch)
        # The class token and the registers: tokens that come from no patch.
        self.extra_tokens = nn.Parameter(torch.empty(self.layout.first_patch, config.width))
        nn.init.normal_(self.extra_tokens, std=INITIAL_DEVIATION)
        if config.position == "learned":
            self.positions = nn.Parameter(torch.empty(self.layout.length, config.width))
            nn.init.normal_(self.positions, std=INITIAL_DEVIATION)
        self.dropout = nn.Dropout(config.dropout)
        self.transformer = Transformer(config.part(TransformerConfig))
        self.head = nn.Linear(config.width, config.classes)
        initialise(self, config.layers)

    def features(self, images: Tensor, *, capture: Capture | None = None) -> Tensor:
        """Return the class token after the last block, float (B, C).

        Args:
            images: float (B, K, R, R) in [-1, 1].
            capture: receives what every attention layer computed with.

        Raises:
            ValueError: the pictures have another shape than the configuration says.
        """
        expected = (self.config.channels, self.config.size, self.config.size)
        if images.dim() != 4 or tuple(images.shape[1:]) != expected:
            raise ValueError(f"images must be (batch, {expected}), not {tuple(images.shape)}")
        patches = self.patch_embedding(images)  # (B, C, R / P, R / P)
        patches = patches.flatten(2).transpose(1, 2)  # (B, N, C)
        extra = self.extra_tokens.expand(len(images), -1, -1)  # (B, 1 + registers, C)
        x = torch.cat((extra, patches), dim=1)  # (B, T, C)

        rotation = None
        if self.config.position == "learned":
            x = x + self.positions
        else:
            coordinates = self.layout.coordinates(x.device)
            rotation = rotary_table(coordinates, self.config.width // self.config.heads)
        if capture is not None:
            capture.layout = self.layout
        x = self.transformer(self.dropout(x), rotation=rotation, capture=capture)
        return x[:, 0]  # (B, C)

    def forward(self, images: Tensor, *, capture: Capture | None = None) -> Tensor:
        """Return the class logits, float (B, classes); see `features`."""
        return self.head(self.features(images, capture=capture))
