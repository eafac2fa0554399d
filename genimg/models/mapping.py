"""Latent vectors and classes to styles: what every generator with a mapped space begins with.

Karras et al. 2019 (arXiv 1812.04948), section 2 and appendix B.

Shapes: B batch, Z latent dimensions, W style dimensions.
"""

import math
from typing import Protocol

import torch
from torch import Tensor, nn


class MappingConfig(Protocol):
    """What a mapping network needs to know of its generator's configuration."""

    classes: int
    latent_dimensions: int
    style_dimensions: int
    mapping_layers: int


class MappingNetwork(nn.Module):
    """Latent vector and class to style: z (B, Z), labels (B,) -> w (B, W)."""

    def __init__(self, config: MappingConfig) -> None:
        super().__init__()
        self.label = (
            nn.Embedding(config.classes, config.latent_dimensions) if config.classes else None
        )
        inputs = config.latent_dimensions * (2 if config.classes else 1)
        layers: list[nn.Module] = []
        for _ in range(config.mapping_layers):
            layers += [linear(inputs, config.style_dimensions, gain=math.sqrt(2))]
            layers += [nn.LeakyReLU(0.2)]
            inputs = config.style_dimensions
        self.body = nn.Sequential(*layers, linear(inputs, config.style_dimensions))

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return styles (B, W)."""
        inputs = _normalise(z)
        if self.label is not None:
            inputs = torch.cat([inputs, _normalise(self.label(labels))], dim=1)  # (B, 2Z)
        return self.body(inputs).float()


def _normalise(x: Tensor) -> Tensor:
    # Only the direction of z carries information, so no latent can be "too far out".
    return x * torch.rsqrt(x.square().mean(dim=1, keepdim=True) + 1e-8)


def towards_mean(
    style: Tensor, mean_style: Tensor, labels: Tensor | None, truncation: float
) -> Tensor:
    """Return styles (B, W) moved towards the mean style of their class; 1 leaves them alone.

    Args:
        style: (B, W).
        mean_style: (classes, W), or (1, W) for a model without classes.
        labels: int64 (B,), or None for a model without classes.
        truncation: 0 gives the mean itself, and above 1 the styles move away from it.
    """
    if truncation == 1:
        return style
    rows = torch.zeros(len(style), dtype=torch.long) if labels is None else labels
    return torch.lerp(mean_style[rows.to(mean_style.device)], style, truncation)


def linear(inputs: int, outputs: int, gain: float = 1.0) -> nn.Linear:
    """Return a layer whose outputs vary `gain` times as much as its inputs."""
    # PyTorch's default shrinks what passes through and adds constants of the same size: after three
    # layers the latent vector would hardly matter, and the generator would learn to ignore it.
    layer = nn.Linear(inputs, outputs)
    nn.init.normal_(layer.weight, std=gain / math.sqrt(inputs))
    nn.init.zeros_(layer.bias)
    return layer
