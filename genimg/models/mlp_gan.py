"""The first GAN: two multilayer perceptrons (Goodfellow et al. 2014, arXiv 1406.2661).

The generator knows nothing of pictures: four fully connected layers must discover by themselves
that neighbouring pixels belong together. It is here to show the game at its barest, and what
convolutions add to it.

Shapes: B batch, Z latent dimensions, E label dimensions, C channels, H x W pixels.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from genimg.configuration import Configuration, setting
from genimg.models.units import Alterations, through

_LABEL_DIMENSIONS = 16  # length of the learned vector that stands for a class


@dataclass(frozen=True, kw_only=True, slots=True)
class MlpGanConfig(Configuration):
    """Architecture of the MLP GAN."""

    size: int = setting(32, "Height and width of the pictures, in pixels.", low=16, high=64)
    channels: int = setting(1, "Colour channels of the pictures.", choices=(1, 3))
    classes: int = setting(0, "Number of classes; 0 trains without labels.", low=0, high=1000)
    latent_dimensions: int = setting(64, "Length of the latent vector z.", low=2, high=512)
    generator_widths: tuple[int, ...] = setting(
        (256, 512, 1024), "Units in the generator's hidden layers.", low=4, high=4096
    )
    discriminator_widths: tuple[int, ...] = setting(
        (1024, 512, 256), "Units in the discriminator's hidden layers.", low=4, high=4096
    )


def _perceptron(sizes: tuple[int, ...]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers[:-1])


class MlpGenerator(nn.Module):
    """Latent vectors to pictures through fully connected layers."""

    def __init__(self, config: MlpGanConfig) -> None:
        super().__init__()
        self.config = config
        # One learned vector per class is appended to z; without classes there is none.
        self.label = nn.Embedding(config.classes, _LABEL_DIMENSIONS) if config.classes else None
        inputs = config.latent_dimensions + (_LABEL_DIMENSIONS if config.classes else 0)
        pixels = config.channels * config.size**2
        self.body = _perceptron((inputs, *config.generator_widths, pixels))
        self.unit_layers = tuple((width, 0) for width in config.generator_widths)

    def forward(
        self,
        z: Tensor,
        labels: Tensor | None = None,
        *,
        capture: dict[str, Tensor] | None = None,
        alterations: Alterations | None = None,
    ) -> Tensor:
        """Return pictures (B, C, H, W) in (-1, 1) for z (B, Z) and labels (B,).

        Args:
            capture, alterations: as for `genimg.models.gan.LayeredGenerator`.
        """
        if self.label is not None:
            z = torch.cat([z, self.label(labels)], dim=1)  # (B, Z + E)
        pixels = torch.tanh(through(self.body, z, capture, alterations).float())  # (B, C*H*W)
        return pixels.view(-1, self.config.channels, self.config.size, self.config.size)

    def latent_matrix(self) -> Tensor:
        """Return what the first layer does to z, float (Z, units)."""
        return next(self.body.parameters()).detach().T[: self.config.latent_dimensions]


class MlpDiscriminator(nn.Module):
    """Pictures to one real-or-fake logit each, through fully connected layers."""

    def __init__(self, config: MlpGanConfig) -> None:
        super().__init__()
        self.config = config
        self.label = nn.Embedding(config.classes, _LABEL_DIMENSIONS) if config.classes else None
        inputs = config.channels * config.size**2 + (_LABEL_DIMENSIONS if config.classes else 0)
        self.body = _perceptron((inputs, *config.discriminator_widths, 1))

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return logits (B,) for pictures (B, C, H, W) in [-1, 1] and labels (B,)."""
        pixels = images.flatten(1)  # (B, C*H*W)
        if self.label is not None:
            pixels = torch.cat([pixels, self.label(labels)], dim=1)
        return self.body(pixels).squeeze(1)  # (B,)
