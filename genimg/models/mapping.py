"""What every generator with a mapped space has: latent vectors and classes become styles.

Karras et al. 2019 (arXiv 1812.04948), section 2 and appendix B.

Shapes: B batch, Z latent dimensions, W style dimensions, L style layers, C channels, H x W pixels.
"""

import math
from abc import ABC, abstractmethod
from typing import Protocol

import torch
from torch import Tensor, nn

from genimg.models.units import Alterations


class GeneratorConfig(Protocol):
    """What everybody may ask of a generator's configuration."""

    @property
    def size(self) -> int:
        """Pixels a side."""

    @property
    def channels(self) -> int:
        """Colour channels."""

    @property
    def classes(self) -> int:
        """Number of classes; 0 without labels."""

    @property
    def latent_dimensions(self) -> int:
        """Length of z, Z."""


class MappingConfig(GeneratorConfig, Protocol):
    """What a mapping network needs to know of its generator's configuration."""

    @property
    def style_dimensions(self) -> int:
        """Length of w, W."""

    @property
    def mapping_layers(self) -> int:
        """Hidden layers between z and w."""


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


class MappedGenerator(nn.Module, ABC):
    """A mapping network, and a synthesis network that gives each of its layers a style.

    A subclass builds the layers, sets `noise_sizes`, and defines `synthesise`.

    Attributes:
        mapping: z and class to style.
        mean_style: (classes, W), or (1, W) without classes: the average of w over z for each class,
            for truncation (Karras et al. 2019, appendix B); a mean over all classes would be a
            picture of none. Training leaves it at zero; it is measured when a run is read (see
            `genimg.training.publishing`).
        noise_sizes: pixels a side of the noise of each style layer; layer 0 is the coarsest.
        unit_layers: the layers that `synthesise` lets alter: units, and pixels a side; () for a
            generator that cannot be looked into.
    """

    mean_style: Tensor
    noise_sizes: list[int]
    unit_layers: tuple[tuple[int, int], ...] = ()

    def __init__(self, config: MappingConfig, first_shape: tuple[int, int, int]) -> None:
        """Build the mapping network, and what makes the first features, of `first_shape`."""
        super().__init__()
        self.config = config
        self.mapping = MappingNetwork(config)
        # StyleGAN starts from a constant. From it, a small generator makes one picture per class; a
        # first tensor that depends on the style gives the variety back (see benchmarks).
        self.first = linear(config.style_dimensions, math.prod(first_shape))
        self.first_shape = first_shape
        self.register_buffer(
            "mean_style", torch.zeros(max(config.classes, 1), config.style_dimensions)
        )

    @property
    def num_layers(self) -> int:
        """Number of style layers, L."""
        return len(self.noise_sizes)

    def map(self, z: Tensor, labels: Tensor | None = None, truncation: float = 1.0) -> Tensor:
        """Return styles (B, W) for z (B, Z); `truncation` below 1 pulls them to the mean style."""
        return towards_mean(self.mapping(z, labels), self.mean_style, labels, truncation)

    def draw_noise(self, count: int, generator: torch.Generator | None = None) -> list[Tensor]:
        """Return one standard normal tensor (count, 1, H, W) for each layer."""
        return [torch.randn(count, 1, size, size, generator=generator) for size in self.noise_sizes]

    def begin(self, style: Tensor) -> tuple[Tensor, Tensor]:
        """Return the style of each layer (B, L, W), and the first features (B, channels, h, w).

        Args:
            style: (B, W), or (B, L, W) to give each layer its own.
        """
        style = style.to(self.first.weight.dtype)  # a mapping network gives float32
        if style.dim() == 2:
            style = style[:, None].expand(-1, self.num_layers, -1)  # (B, L, W)
        x = self.first(style[:, 0]).unflatten(1, self.first_shape)  # (B, channels, h, w)
        return style, x.contiguous(memory_format=torch.channels_last)

    @abstractmethod
    def synthesise(
        self,
        style: Tensor,
        noise: list[Tensor] | None = None,
        *,
        capture: dict[str, Tensor] | None = None,
        alterations: Alterations | None = None,
    ) -> Tensor:
        """Return pictures (B, C, H, W) in (-1, 1).

        Args:
            style: as for `begin`.
            noise: one (B, 1, H, W) for each layer, as from `draw_noise`; None for no noise.
            capture: receives every layer's features under "layer0", "layer1", ...
            alterations: what is done to units on the way; never given to a generator without
                `unit_layers`.
        """

    def forward(
        self, z: Tensor, labels: Tensor | None = None, noise: list[Tensor] | None = None
    ) -> Tensor:
        """Return pictures (B, C, H, W) in (-1, 1) for z (B, Z) and labels (B,)."""
        return self.synthesise(self.map(z, labels), noise)


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
    return torch.lerp(mean_style[rows.to(mean_style.device)].to(style.dtype), style, truncation)


def linear(inputs: int, outputs: int, gain: float = 1.0) -> nn.Linear:
    """Return a layer whose outputs vary `gain` times as much as its inputs."""
    # PyTorch's default shrinks what passes through and adds constants of the same size: after three
    # layers the latent vector would hardly matter, and the generator would learn to ignore it.
    layer = nn.Linear(inputs, outputs)
    nn.init.normal_(layer.weight, std=gain / math.sqrt(inputs))
    nn.init.zeros_(layer.bias)
    return layer
