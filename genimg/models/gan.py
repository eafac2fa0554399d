"""A generator and its discriminator under one roof, and what a generator offers.

Whoever adds a generator writes either a `PlainGenerator`, or a `MappedGenerator` with a mapping
network; no code has to ask a model what else it has.
"""

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

from torch import Tensor, nn

from genimg.configuration import Configuration
from genimg.models.mapping import GeneratorConfig, MappedGenerator
from genimg.models.units import Alterations


@runtime_checkable
class PlainGenerator(Protocol):
    """A module that goes from latent vectors straight to pictures.

    Shapes: B batch, Z latent dimensions, C channels, H x W pixels.
    """

    @property
    def config(self) -> GeneratorConfig:
        """Its configuration."""

    def __call__(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return pictures (B, C, H, W) in (-1, 1) for z (B, Z) and labels (B,).

        A generator without classes ignores the labels.
        """

    def latent_matrix(self) -> Tensor:
        """Return what the first layer does to z, float (Z, outputs), without gradient.

        Its singular vectors are the directions in which z changes most (SeFa, Shen and Zhou 2021).
        """


@runtime_checkable
class LayeredGenerator(PlainGenerator, Protocol):
    """A generator without a mapping network that can be looked into.

    One with a mapping network says so by `MappedGenerator.unit_layers`.
    """

    @property
    def unit_layers(self) -> tuple[tuple[int, int], ...]:
        """The hidden layers in order: units, and pixels a side; 0 for a layer that is no image."""

    def __call__(
        self,
        z: Tensor,
        labels: Tensor | None = None,
        *,
        capture: dict[str, Tensor] | None = None,
        alterations: Alterations | None = None,
    ) -> Tensor:
        """Return pictures as `PlainGenerator` does.

        Args:
            capture: receives what every hidden layer passes on under "layer0", "layer1", ...
            alterations: what is done to units on the way.
        """


Generator = PlainGenerator | MappedGenerator


class Gan(nn.Module):
    """What a GAN's checkpoint holds.

    Attributes:
        generator: labels and random numbers to pictures.
        discriminator: pictures (B, C, H, W) in [-1, 1] and labels (B,) to logits (B,); set to None
            where a checkpoint ships without it.
    """

    generator: Generator
    discriminator: nn.Module | None

    def __init__(
        self,
        config: Configuration,
        generator: Callable[[Any], Generator],
        discriminator: Callable[[Any], nn.Module],
    ) -> None:
        super().__init__()
        self.config = config
        self.generator = generator(config)
        self.discriminator = discriminator(config)
        if not isinstance(self.generator, MappedGenerator | PlainGenerator):
            raise ValueError(
                f"{type(self.generator).__name__} lacks what a generator offers: either it is a"
                " genimg.models.mapping.MappedGenerator, or it has config and latent_matrix()"
                " (see genimg.models.gan.PlainGenerator)"
            )
