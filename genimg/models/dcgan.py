"""DCGAN: convolutions on both sides of the game (Radford et al. 2016, arXiv 1511.06434).

Kept as it was published: batch normalisation, transposed convolutions, no pooling. The transposed
convolutions leave the faint checkerboard that later generators removed by resampling (Odena et al.
2016, Distill, "Deconvolution and checkerboard artifacts"); it is part of the lesson.

Shapes: B batch, Z latent dimensions, E label dimensions, C channels, H x W pixels.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm
from torch.nn.utils.parametrize import is_parametrized

from genimg.configuration import Configuration, setting
from genimg.models.units import Alterations, through

_LABEL_DIMENSIONS = 16  # length of the learned vector that stands for a class


@dataclass(frozen=True, kw_only=True, slots=True)
class DcganConfig(Configuration):
    """Architecture of the DCGAN."""

    size: int = setting(32, "Height and width of the pictures, in pixels.", choices=(32, 64))
    channels: int = setting(1, "Colour channels of the pictures.", choices=(1, 3))
    classes: int = setting(0, "Number of classes; 0 trains without labels.", low=0, high=1000)
    latent_dimensions: int = setting(64, "Length of the latent vector z.", low=2, high=512)
    width: int = setting(
        32, "Channels before the last layer; doubled at each halving.", low=4, high=512
    )
    spectral_norm: bool = setting(
        False, "Divide each discriminator weight by its largest singular value, without batch norm."
    )


class DcganGenerator(nn.Module):
    """Latent vectors to pictures: each transposed convolution doubles the size."""

    def __init__(self, config: DcganConfig) -> None:
        super().__init__()
        self.config = config
        self.label = nn.Embedding(config.classes, _LABEL_DIMENSIONS) if config.classes else None
        inputs = config.latent_dimensions + (_LABEL_DIMENSIONS if config.classes else 0)
        doublings = (config.size // 4).bit_length() - 1
        width = config.width * 2 ** (doublings - 1)
        layers: list[nn.Module] = [
            nn.ConvTranspose2d(inputs, width, 4, bias=False),  # (B, width, 4, 4)
            nn.BatchNorm2d(width),
            nn.ReLU(),
        ]
        unit_layers = [(width, 4)]
        for _ in range(doublings - 1):
            layers += [
                nn.ConvTranspose2d(width, width // 2, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(width // 2),
                nn.ReLU(),
            ]
            width //= 2
            unit_layers.append((width, 2 * unit_layers[-1][1]))
        self.unit_layers = tuple(unit_layers)
        layers.append(nn.ConvTranspose2d(width, config.channels, 4, stride=2, padding=1))
        self.body = nn.Sequential(*layers)
        self.apply(_initialise)

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
        return torch.tanh(through(self.body, z[:, :, None, None], capture, alterations).float())

    def latent_matrix(self) -> Tensor:
        """Return what the first layer does to z, float (Z, channels * 16)."""
        return next(self.body.parameters()).detach().flatten(1)[: self.config.latent_dimensions]


class DcganDiscriminator(nn.Module):
    """Pictures to one real-or-fake logit each: each strided convolution halves the size."""

    def __init__(self, config: DcganConfig) -> None:
        super().__init__()
        self.config = config
        normalise = spectral_norm if config.spectral_norm else (lambda layer: layer)
        # The label joins as one more picture, a learned plane per class.
        self.label = nn.Embedding(config.classes, config.size**2) if config.classes else None
        inputs = config.channels + (1 if config.classes else 0)
        width = config.width
        layers: list[nn.Module] = [
            normalise(nn.Conv2d(inputs, width, 4, stride=2, padding=1)),
            nn.LeakyReLU(0.2),
        ]
        for _ in range((config.size // 4).bit_length() - 2):
            # Batch norm has a bias of its own.
            bias = config.spectral_norm
            layers.append(normalise(nn.Conv2d(width, width * 2, 4, stride=2, padding=1, bias=bias)))
            if not config.spectral_norm:
                layers.append(nn.BatchNorm2d(width * 2))
            layers.append(nn.LeakyReLU(0.2))
            width *= 2
        layers.append(normalise(nn.Conv2d(width, 1, 4)))  # (B, 1, 1, 1)
        self.body = nn.Sequential(*layers)
        self.apply(_initialise)

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return logits (B,) for pictures (B, C, H, W) in [-1, 1] and labels (B,)."""
        if self.label is not None:
            plane = self.label(labels).view(-1, 1, self.config.size, self.config.size)
            images = torch.cat([images, plane], dim=1)  # (B, C + 1, H, W)
        return self.body(images).flatten()  # (B,)


def _initialise(module: nn.Module) -> None:
    # Section 3 of the paper: weights from N(0, 0.02), batch-norm scales around one.
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        if not is_parametrized(module):
            nn.init.normal_(module.weight, std=0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, mean=1.0, std=0.02)
