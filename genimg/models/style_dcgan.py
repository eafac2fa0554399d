"""StyleDCGAN: DCGAN's transposed convolutions, each modulated by a style.

The generator has what StyleGAN (Karras et al. 2019, arXiv 1812.04948) made generators worth
exploring for: a mapping network, a style for every layer, noise, truncation. It makes pictures as
DCGAN does (Radford et al. 2016, arXiv 1511.06434): one transposed convolution per resolution and
batch normalisation, whose scale and shift come from the style (de Vries et al. 2017, arXiv
1707.00683). It is fast, and made to be explored.
With bilinear resampling instead, a run of minutes ends in one picture for everything; see
`benchmarks/recipes.md`.

The discriminator has no normalisation; trained with a lazy gradient penalty it needs none. It sees
how much a batch varies (minibatch standard deviation: Karras et al. 2018, arXiv 1710.10196), so a
generator that repeats itself is found out, and judges the class by projection (Miyato and Koyama
2018, arXiv 1802.05637).

Shapes: B batch, Z latent dimensions, W style dimensions, L style layers, C channels, H x W pixels.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genimg.configuration import Configuration, setting
from genimg.models.mapping import MappedGenerator, linear
from genimg.models.units import Alterations, passed_on
from genimg.wording import Wording

_SMALLEST = 4  # pixels at which the generator begins and the discriminator ends, or a few more
_GROUP = 8  # pictures whose variation is measured together
_FORGETTING = 0.01  # share of its running mean that a batch replaces


@dataclass(frozen=True, kw_only=True, slots=True)
class StyleDcganConfig(Configuration):
    """Architecture of the StyleDCGAN."""

    size: int = setting(32, "Height and width of the pictures, in pixels.", low=16, high=64)
    channels: int = setting(1, "Colour channels of the pictures.", choices=(1, 3))
    classes: int = setting(10, "Number of classes; 0 trains without labels.", low=0, high=1000)
    latent_dimensions: int = setting(64, "Length of the latent vector z.", low=2, high=512)
    style_dimensions: int = setting(128, "Length of the style vector w.", low=4, high=512)
    mapping_layers: int = setting(2, "Hidden layers between z and w.", low=0, high=8)
    generator_width: int = setting(
        48, "Generator's channels at full size; doubled at each halving.", low=4, high=512
    )
    discriminator_width: int = setting(
        48, "Discriminator's channels at half the size; doubled at each halving.", low=4, high=512
    )
    most_channels: int = setting(192, "Channels that no layer exceeds.", low=4, high=1024)

    def __post_init__(self) -> None:
        """Check each field, then that the size can be halved often enough."""
        Configuration.__post_init__(self)
        if not halvings(self.size) or self.size >> halvings(self.size) > 2 * _SMALLEST:
            raise ValueError(
                Wording(
                    "model.style_size",
                    "size must be {low} to {high} times a power of two, such as 28, 32, 48"
                    " or 64, not {size}",
                    low=_SMALLEST,
                    high=2 * _SMALLEST,
                    size=self.size,
                )
            )


def halvings(size: int) -> int:
    """Return how often `size` can be halved without going below 4 pixels."""
    count = 0
    while size % 2 == 0 and size // 2 >= _SMALLEST:
        size, count = size // 2, count + 1
    return count


class StyleLayer(nn.Module):
    """Doubles the size, normalises, and lets the style scale and shift each channel."""

    def __init__(self, inputs: int, outputs: int, style_dimensions: int, *, up: bool) -> None:
        super().__init__()
        # The first layer has a tensor made from the style already.
        self.convolution = (
            nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=False) if up else None
        )
        self.normalise = nn.BatchNorm2d(outputs, affine=False)
        self.noise_strength = nn.Parameter(torch.zeros(()))
        self.affine = linear(style_dimensions, 2 * outputs, gain=0.5)

    def forward(self, x: Tensor, style: Tensor, noise: Tensor | None) -> Tensor:
        """Return features for x (B, inputs, h, w), style (B, W), noise (B, 1, 2h, 2w) or None."""
        if self.convolution is not None:
            x = self.convolution(x)  # (B, outputs, 2h, 2w)
        if noise is not None:
            x = x + (self.noise_strength * noise).to(x.dtype)
        scale, shift = self.affine(style)[:, :, None, None].to(x.dtype).chunk(2, dim=1)
        return F.leaky_relu(self.normalise(x) * (1 + scale) + shift, 0.2)


class StyleDcganGenerator(MappedGenerator):
    """Mapping network and synthesis network, with one style layer for each resolution."""

    def __init__(self, config: StyleDcganConfig) -> None:
        doublings = halvings(config.size)
        smallest = config.size >> doublings
        widths = [
            min(config.generator_width << (doublings - index), config.most_channels)
            for index in range(doublings + 1)
        ]
        super().__init__(config, (widths[0], smallest, smallest))
        self.layers = nn.ModuleList(
            StyleLayer(inputs, outputs, config.style_dimensions, up=index > 0)
            for index, (inputs, outputs) in enumerate(
                zip([widths[0], *widths[:-1]], widths, strict=True)
            )
        )
        self.noise_sizes = [smallest << index for index in range(doublings + 1)]
        self.unit_layers = tuple(zip(widths, self.noise_sizes, strict=True))
        self.to_pixels = nn.Conv2d(widths[-1], config.channels, 3, padding=1)

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
            style: (B, W), or (B, L, W) to give each layer its own.
            noise: one (B, 1, H, W) for each layer, as from `draw_noise`; None for no noise.
            capture: receives every layer's features under "layer0", "layer1", ...
            alterations: what is done to units on the way.
        """
        style, x = self.begin(style)
        for index, layer in enumerate(self.layers):
            x = layer(x, style[:, index], None if noise is None else noise[index])
            x = passed_on(index, x, capture, alterations)
        return torch.tanh(self.to_pixels(x).float())


class PlainDiscriminator(nn.Module):
    """Is it real, and is it of its class? One logit for both.

    logit = linear(h) + <embedding(class), h>, with h four times the mean of the features.
    """

    usual_deviation: Tensor

    def __init__(self, config: StyleDcganConfig) -> None:
        super().__init__()
        self.config = config
        levels = halvings(config.size)
        widths = [
            min(config.discriminator_width << index, config.most_channels)
            for index in range(levels)
        ]
        self.blocks = nn.ModuleList()
        inputs = config.channels
        for index, width in enumerate(widths):
            block = [nn.Conv2d(inputs, width, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
            # Not at the first resolution, where it is costly, nor at the last: that has one below.
            if 0 < index < levels - 1:
                block += [nn.Conv2d(width, width, 3, padding=1), nn.LeakyReLU(0.2)]
            self.blocks.append(nn.Sequential(*block))
            inputs = width
        self.last = nn.Conv2d(inputs + 1, inputs, 3, padding=1)
        self.register_buffer("usual_deviation", torch.zeros(()))
        self.linear = nn.Linear(inputs, 1)
        self.label = nn.Embedding(config.classes, inputs) if config.classes else None
        if self.label is not None:
            nn.init.normal_(self.label.weight, std=inputs**-0.5)

    def forward(
        self,
        images: Tensor,
        labels: Tensor | None = None,
        *,
        capture: dict[str, Tensor] | None = None,
    ) -> Tensor:
        """Return logits (B,) for pictures (B, C, H, W) in [-1, 1] and labels (B,).

        In evaluation each picture is judged alone, as if it had come in a batch like those of
        training.
        """
        x = images.contiguous(memory_format=torch.channels_last)
        for index, block in enumerate(self.blocks):
            x = block(x)
            if capture is not None:
                capture[f"block{index}"] = x
        if self.training:
            deviation = minibatch_deviation(x)  # (B,)
            with torch.no_grad():
                self.usual_deviation.lerp_(deviation.float().mean(), _FORGETTING)
        else:
            deviation = self.usual_deviation.expand(len(x))
        plane = deviation[:, None, None, None].expand(-1, 1, *x.shape[2:])  # (B, 1, h, w)
        x = torch.cat([x, plane.to(x.dtype)], dim=1)  # (B, channels + 1, h, w)
        x = F.leaky_relu(self.last(x), 0.2).float()
        features = x.mean(dim=(2, 3)) * 4  # (B, channels)
        read = self.linear(features.to(next(self.parameters()).dtype))  # (B, 1)
        logits = read.squeeze(1).float()  # (B,)
        if self.label is not None:
            logits = logits + (self.label(labels) * features).sum(dim=1)
        return logits


def minibatch_deviation(x: Tensor) -> Tensor:
    """Return how much each picture's group of the batch varies, (B,), for x (B, channels, h, w).

    The standard deviation over the pictures of a group, averaged over channels and positions.
    """
    group = _GROUP if len(x) % _GROUP == 0 else len(x)
    grouped = x.float().unflatten(0, (-1, group))  # (groups, group, channels, h, w)
    deviation = (grouped.var(dim=1, unbiased=False) + 1e-8).sqrt().mean(dim=(1, 2, 3))  # (groups,)
    return deviation.repeat_interleave(group)
