"""A GAN of two small networks; everything else that genimg needs to know is in `SMALL_GAN`."""

from dataclasses import dataclass

from torch import Tensor, nn

import genimg
from genimg.configuration import Configuration, setting
from genimg.models.gan import Gan


@dataclass(frozen=True, kw_only=True, slots=True)
class SmallGanConfig(Configuration):
    """The form, the options of the command line and config.json come from these fields."""

    size: int = setting(28, "Height and width of the pictures, in pixels.", low=16, high=64)
    channels: int = setting(1, "Colour channels of the pictures.", choices=(1, 3))
    classes: int = setting(0, "Number of classes; this GAN learns without.", low=0, high=0)
    latent_dimensions: int = setting(16, "Length of the latent vector z.", low=2, high=512)
    width: int = setting(64, "Units of each hidden layer.", low=4, high=1024)


class Generator(nn.Module):
    """Latent vectors z (B, Z) to pictures (B, C, H, W) in (-1, 1)."""

    def __init__(self, config: SmallGanConfig) -> None:
        super().__init__()
        self.config = config
        self.first = nn.Linear(config.latent_dimensions, config.width)
        self.last = nn.Linear(config.width, config.channels * config.size**2)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        pixels = self.last(self.first(z).relu()).float().tanh()  # (B, C*H*W)
        return pixels.view(-1, self.config.channels, self.config.size, self.config.size)

    def latent_matrix(self) -> Tensor:
        return self.first.weight.detach().T  # (Z, units): the sliders are its main directions


class Discriminator(nn.Module):
    """Pictures (B, C, H, W) in [-1, 1] to logits (B,)."""

    def __init__(self, config: SmallGanConfig) -> None:
        super().__init__()
        self.first = nn.Linear(config.channels * config.size**2, config.width)
        self.last = nn.Linear(config.width, 1)

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        return self.last(self.first(images.flatten(1)).relu()).squeeze(1)


SMALL_GAN = genimg.ModelKind(
    name="small-gan",
    config=SmallGanConfig,
    build=lambda config: Gan(config, Generator, Discriminator),
    task="gan",
    use="gan",
    presets={"stripes-small": genimg.Preset("Small GAN", "small-gan", run={"dataset": "stripes"})},
)
