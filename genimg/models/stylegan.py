"""StyleGAN-mini: a generator made to be explored, at 28-64 pixels and two CPU cores.

A mapping network turns a latent vector and a class into a *style*; every convolution of the
synthesis network is modulated by its own affine view of that style, and per-layer noise adds what
is random about texture. The design is StyleGAN2's (Karras et al. 2020, arXiv 1912.04958) made
small: skip connections to the picture, bilinear resampling (which leaves no checkerboard), and a
spectral-norm residual discriminator (Miyato et al. 2018, arXiv 1802.05957) that judges the class by
projection (Miyato and Koyama 2018, arXiv 1802.05637) instead of gradient penalties, which cost half
of a training step on a CPU.

Shapes: B batch, Z latent dimensions, W style dimensions, L style layers, C channels, H x W pixels.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from genimg.configuration import Configuration, setting, setting_name
from genimg.models.mapping import MappedGenerator, linear
from genimg.models.units import Alterations, passed_on
from genimg.wording import Wording


@dataclass(frozen=True, kw_only=True, slots=True)
class StyleGanConfig(Configuration):
    """Architecture of StyleGAN-mini."""

    size: int = setting(32, "Height and width of the pictures, in pixels.", low=16, high=64)
    channels: int = setting(1, "Colour channels of the pictures.", choices=(1, 3))
    classes: int = setting(10, "Number of classes; 0 trains without labels.", low=0, high=1000)
    latent_dimensions: int = setting(64, "Length of the latent vector z.", low=2, high=512)
    style_dimensions: int = setting(128, "Length of the style vector w.", low=4, high=512)
    mapping_layers: int = setting(2, "Hidden layers between z and w.", low=0, high=8)
    generator_widths: tuple[int, ...] = setting(
        (192, 128, 96, 48), "Channels at each resolution, smallest first.", low=4, high=512
    )
    discriminator_widths: tuple[int, ...] = setting(
        (192, 128, 64),
        "Channels at each resolution up to half the size, smallest first.",
        low=4,
        high=512,
    )

    def __post_init__(self) -> None:
        """Check each field, then that the widths fit the picture size."""
        Configuration.__post_init__(self)
        _smallest_size(self.size, len(self.generator_widths), "generator_widths")
        _smallest_size(self.size // 2, len(self.discriminator_widths), "discriminator_widths")


def _smallest_size(size: int, resolutions: int, name: str) -> int:
    """Return the picture size at the bottom of the pyramid."""
    smallest, rest = divmod(size, 2 ** (resolutions - 1))
    if rest or not 3 <= smallest <= 8:
        raise ValueError(
            Wording(
                "model.stylegan_size",
                "{name} has {entries} entries, so size {size} would start at {start}"
                " pixels; it must start at 3 to 8",
                name=setting_name(name),
                entries=resolutions,
                size=size,
                start=f"{size / 2 ** (resolutions - 1):g}",
            )
        )
    return smallest


class StyleConvolution(nn.Module):
    """A 3x3 convolution, normalised, and modulated by the style, plus noise.

    The style scales and shifts each channel, and so modulates the convolution that comes next.
    StyleGAN2 divides by the size the output is *expected* to have; here batch normalisation
    (Ioffe and Szegedy 2015, arXiv 1502.03167) divides by the size it *has*, as in conditional batch
    normalisation (de Vries et al. 2017, arXiv 1707.00683): in a few CPU minutes it learns more.
    """

    def __init__(self, inputs: int, outputs: int, style_dimensions: int, *, up: bool) -> None:
        super().__init__()
        self.up = up
        self.convolution = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.normalise = nn.BatchNorm2d(outputs, affine=False)
        self.noise_strength = nn.Parameter(torch.zeros(()))
        self.affine = linear(style_dimensions, 2 * outputs, gain=0.5)

    def forward(self, x: Tensor, style: Tensor, noise: Tensor | None) -> Tensor:
        """Return features for x (B, inputs, h, w), style (B, W), noise (B, 1, H, W) or None."""
        x = self.convolution(x)  # (B, outputs, h, w)
        if self.up:  # after the convolution: a quarter of the work
            x = upsample(x)  # (B, outputs, 2h, 2w)
        if noise is not None:
            x = x + (self.noise_strength * noise).to(x.dtype)
        scale, shift = self.affine(style)[:, :, None, None].to(x.dtype).chunk(2, dim=1)
        return F.leaky_relu(self.normalise(x) * (1 + scale) + shift, 0.2)


class ToPixels(nn.Module):
    """Features to colours: a 1x1 convolution with modulated inputs."""

    def __init__(self, inputs: int, channels: int, style_dimensions: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, channels, 1)
        self.affine = linear(style_dimensions, inputs, gain=0.5)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """Return pictures (B, C, H, W) for x (B, inputs, H, W) and style (B, W)."""
        scale = 1 + self.affine(style)
        return self.convolution(x * scale[:, :, None, None].to(x.dtype))


def upsample(x: Tensor) -> Tensor:
    """Double height and width: each pixel twice, then the filter [1, 2, 1] / 4 both ways.

    The two steps together are bilinear interpolation, which is how they are computed.
    """
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


class StyleGenerator(MappedGenerator):
    """Mapping network and synthesis network, with two style layers for each resolution."""

    def __init__(self, config: StyleGanConfig) -> None:
        widths = config.generator_widths
        smallest = _smallest_size(config.size, len(widths), "generator_widths")
        super().__init__(config, (widths[0], smallest, smallest))
        self.layers, self.to_pixels = nn.ModuleList(), nn.ModuleList()
        self.noise_sizes: list[int] = []
        inputs = widths[0]
        for index, width in enumerate(widths):
            for up in (index > 0, False):
                self.layers.append(StyleConvolution(inputs, width, config.style_dimensions, up=up))
                self.noise_sizes.append(smallest * 2**index)
                inputs = width
            self.to_pixels.append(ToPixels(width, config.channels, config.style_dimensions))
        self.unit_layers = tuple(
            (widths[index // 2], size) for index, size in enumerate(self.noise_sizes)
        )

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
            capture: receives every layer's features under "layer0", "layer1", ... and the picture
                so far at each resolution under "pixels0", ...
            alterations: what is done to units on the way.
        """
        style, x = self.begin(style)
        picture: Tensor | None = None
        for index, layer in enumerate(self.layers):
            x = layer(x, style[:, index], None if noise is None else noise[index])
            x = passed_on(index, x, capture, alterations)
            if index % 2 == 1:  # the last layer of this resolution adds to the picture
                pixels = self.to_pixels[index // 2](x, style[:, index])
                picture = pixels if picture is None else upsample(picture) + pixels
                if capture is not None:
                    capture[f"pixels{index // 2}"] = picture
        assert picture is not None  # there is at least one resolution
        return torch.tanh(picture.float())


class ResidualBlock(nn.Module):
    """Two spectral-norm convolutions beside a 1x1 shortcut, optionally halving the size."""

    def __init__(self, inputs: int, outputs: int, *, down: bool) -> None:
        super().__init__()
        self.down = down
        # The wide convolution comes second: most of the work is at the width of the inputs.
        self.convolution1 = spectral_norm(nn.Conv2d(inputs, inputs, 3, padding=1))
        self.convolution2 = spectral_norm(nn.Conv2d(inputs, outputs, 3, padding=1))
        self.shortcut = spectral_norm(nn.Conv2d(inputs, outputs, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, outputs, H/2, W/2), or (B, outputs, H, W) without `down`."""
        y = self.convolution2(F.leaky_relu(self.convolution1(F.leaky_relu(x, 0.2)), 0.2))
        if self.down:
            return F.avg_pool2d(y, 2) + self.shortcut(F.avg_pool2d(x, 2))
        return y + self.shortcut(x)


class ProjectionDiscriminator(nn.Module):
    """Is it real, and is it of its class? One logit for both.

    logit = linear(h) + <embedding(class), h>, with h the features summed over the picture. Each
    2x2 block of pixels enters as one position with four times the channels: nothing is lost, and
    the costliest resolution is skipped.
    """

    def __init__(self, config: StyleGanConfig) -> None:
        super().__init__()
        self.config = config
        widths = config.discriminator_widths[::-1]
        self.first = spectral_norm(nn.Conv2d(4 * config.channels, widths[0], 3, padding=1))
        self.blocks = nn.ModuleList(
            ResidualBlock(inputs, outputs, down=index < len(widths) - 1)
            for index, (inputs, outputs) in enumerate(
                zip(widths, (*widths[1:], widths[-1]), strict=True)
            )
        )
        self.linear = spectral_norm(nn.Linear(widths[-1], 1))
        self.label = (
            spectral_norm(nn.Embedding(config.classes, widths[-1])) if config.classes else None
        )

    def forward(
        self,
        images: Tensor,
        labels: Tensor | None = None,
        *,
        capture: dict[str, Tensor] | None = None,
    ) -> Tensor:
        """Return logits (B,) for pictures (B, C, H, W) in [-1, 1] and labels (B,)."""
        x = F.pixel_unshuffle(images, 2)  # (B, 4C, H/2, W/2)
        x = self.first(x.contiguous(memory_format=torch.channels_last))
        for index, block in enumerate(self.blocks):
            x = block(x)
            if capture is not None:
                capture[f"block{index}"] = x
        features = F.leaky_relu(x, 0.2).float().sum(dim=(2, 3))  # (B, discriminator_widths[0])
        read = self.linear(features.to(next(self.parameters()).dtype))  # (B, 1)
        logits = read.squeeze(1).float()  # (B,)
        if self.label is not None:
            logits = logits + (self.label(labels) * features).sum(dim=1)
        return logits
