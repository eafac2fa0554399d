"""A discriminator that judges patches, for the adversarial term of a tokenizer.

Isola et al., arXiv 1611.07004, section 3.2.2: a few convolutions whose every output sees only a
part of the picture (here 18 pixels across), so that it judges texture and sharpness and leaves the
content to the reconstruction error. Spectral norm (Miyato et al. 2018, arXiv 1802.05957) bounds how
steep it can become, and with it the gradient that the tokenizer gets: without, both exploded.

Shape letters: B batch, K colour channels, R x R pixels.
"""

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from genimg.configuration import Configuration, setting


@dataclass(frozen=True, kw_only=True, slots=True)
class PatchDiscriminatorConfig(Configuration):
    """What a `PatchDiscriminator` is made of."""

    channels: int = setting(1, "Colour channels of the pictures.", choices=(1, 3))
    width: int = setting(64, "Channels at half size; twice as many below.", low=8, high=512)


class PatchDiscriminator(nn.Module):
    """Pictures to one logit for each patch: positive means real."""

    def __init__(self, config: PatchDiscriminatorConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.body = nn.Sequential(
            spectral_norm(
                nn.Conv2d(config.channels, width, 4, stride=2, padding=1)
            ),  # (B, width, R/2, R/2)
            nn.LeakyReLU(0.2),
            spectral_norm(
                nn.Conv2d(width, 2 * width, 4, stride=2, padding=1)
            ),  # (B, 2 width, R/4, R/4)
            nn.LeakyReLU(0.2),
            spectral_norm(nn.Conv2d(2 * width, 2 * width, 3, padding=1)),  # (B, 2 width, R/4, R/4)
            nn.LeakyReLU(0.2),
            spectral_norm(nn.Conv2d(2 * width, 1, 1)),  # (B, 1, R/4, R/4)
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return logits float (B, 1, R/4, R/4) of pictures float (B, K, R, R) in [-1, 1]."""
        return self.body(images)
