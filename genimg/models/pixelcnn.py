"""A gated PixelCNN: the likelihood of pixels with convolutions instead of attention.

It is what a GPT over pixels is measured against (`benchmarks/long_sequences.py`). Van den Oord et
al., "Conditional Image Generation with PixelCNN Decoders" (arXiv 1606.05328), sections 2.2 and 2.3:
one stack of convolutions sees the rows above, another what is left in the row and what the first
has found, so that nothing before a pixel is out of sight.

Shape letters: B batch, R x R pixels, N = R * R tokens, V greys, C width.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genimg.configuration import Configuration, setting

KERNEL = 5
_HALF = KERNEL // 2


@dataclass(frozen=True, kw_only=True, slots=True)
class GatedPixelCnnConfig(Configuration):
    """What a `GatedPixelCnn` is made of; the defaults have 0.8 million parameters."""

    size: int = setting(28, "Height and width of the pictures, in pixels.", low=8, high=64)
    greys: int = setting(16, "Greys that a pixel can have.", low=2, high=256)
    classes: int = setting(10, "Number of classes to choose from.", low=1, high=10000)
    width: int = setting(49, "Channels of each stack.", low=8, high=512)
    layers: int = setting(8, "Gated layers.", low=1, high=48)


class GatedPixelCnn(nn.Module):
    """Next-token model p(pixel | class, pixels before it), like `ImageGpt` but without a cache.

    Attributes:
        num_tokens: N.
        unconditional: the label that means "any class".
    """

    def __init__(self, config: GatedPixelCnnConfig) -> None:
        super().__init__()
        self.config = config
        self.num_tokens = config.size**2
        self.unconditional = config.classes
        self.token_embedding = nn.Embedding(config.greys, config.width)
        self.layers = nn.ModuleList(
            _GatedLayer(config, first=number == 0) for number in range(config.layers)
        )
        self.hidden = nn.Conv2d(config.width, config.width, 1)
        self.head = nn.Conv2d(config.width, config.greys, 1)
        # Training then starts at the uniform distribution, a loss of log(V).
        for parameter in self.head.parameters():
            nn.init.zeros_(parameter)

    def forward(self, tokens: Tensor, labels: Tensor) -> Tensor:
        """Return the logits of all pixels.

        Args:
            tokens: int64 (B, N - 1) from 0 to V - 1: all but the last, which predicts nothing.
            labels: int64 (B,) from 0 to classes, which is the unconditional label.

        Returns:
            float (B, N, V); logits[:, t] predicts token t.

        Raises:
            ValueError: the tokens have another shape.
        """
        if tokens.dim() != 2 or tokens.shape[1] != self.num_tokens - 1:
            raise ValueError(
                f"tokens must be (batch, {self.num_tokens - 1}), not {tuple(tokens.shape)}"
            )
        size = self.config.size
        grid = F.pad(tokens, (0, 1)).view(-1, size, size)  # the last pixel is seen by none
        vertical = horizontal = self.token_embedding(grid).permute(0, 3, 1, 2)  # (B, C, R, R)
        for layer in self.layers:
            vertical, horizontal = layer(vertical, horizontal, labels)
        logits = self.head(F.relu(self.hidden(F.relu(horizontal))))  # (B, V, R, R)
        return logits.flatten(2).mT


class _GatedLayer(nn.Module):
    """One layer of both stacks; the first must not see the pixel that is predicted."""

    def __init__(self, config: GatedPixelCnnConfig, *, first: bool) -> None:
        super().__init__()
        width = config.width
        self.first = first
        self.labels = nn.Embedding(config.classes + 1, 4 * width)
        self.vertical = nn.Conv2d(width, 2 * width, (_HALF + 1, KERNEL))
        self.down = nn.Conv2d(2 * width, 2 * width, 1)
        self.horizontal = nn.Conv2d(width, 2 * width, (1, _HALF + 1))
        self.output = nn.Conv2d(width, width, 1)

    def forward(
        self, vertical: Tensor, horizontal: Tensor, labels: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Map the two stacks, float (B, C, R, R) each; row r of the first has seen rows to r."""
        told = self.labels(labels)[:, :, None, None].chunk(2, dim=1)  # (B, 2C, 1, 1) each
        above = self.vertical(F.pad(vertical, (_HALF, _HALF, _HALF, 0)))  # (B, 2C, R, R)
        # What a row may know of others ends with the row above it.
        from_above = self.down(F.pad(above, (0, 0, 1, 0))[:, :, :-1])
        left = F.pad(horizontal, (_HALF + 1, -1) if self.first else (_HALF, 0))
        found = self.output(_gate(self.horizontal(left) + from_above + told[1]))
        return _gate(above + told[0]), found if self.first else horizontal + found


def _gate(x: Tensor) -> Tensor:
    """Return tanh of one half of the channels times the sigmoid of the other, (B, C, R, R)."""
    value, gate = x.chunk(2, dim=1)
    return torch.tanh(value) * torch.sigmoid(gate)
