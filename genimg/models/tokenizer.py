"""A tokenizer for pictures: a convolutional autoencoder with finite scalar quantisation (FSQ).

Mentzer et al., "Finite Scalar Quantization: VQ-VAE Made Simple" (arXiv 2309.15505). The encoder
makes a small vector for each patch; each of its numbers is squashed and rounded to one of a few
levels; the combination of levels is the token. There is no codebook to learn, so none that could
collapse.

Shape letters: B batch, K colour channels, R x R pixels, P x P pixels of a patch, h = w = R / P the
token grid, N = h * w tokens, Q numbers per token.
"""

import math
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genimg.configuration import Configuration, setting
from genimg.wording import Wording


@dataclass(frozen=True, kw_only=True, slots=True)
class AutoencoderConfig(Configuration):
    """Architecture of the encoder and the decoder around a quantiser."""

    size: int = setting(32, "Height and width of the pictures, in pixels.", low=8, high=64)
    channels: int = setting(1, "Colour channels of the pictures.", choices=(1, 3))
    widths: tuple[int, ...] = setting(
        (32, 64, 96),
        "Channels at full size, half, quarter and so on; each pixel of the last is a token. Two to"
        " five multiples of 8.",
        low=8,
        high=512,
    )

    @property
    def patch_size(self) -> int:
        """Height and width, in pixels, of what one token stands for."""
        return 2 ** (len(self.widths) - 1)

    def __post_init__(self) -> None:
        """Check each field, then that the sizes fit."""
        Configuration.__post_init__(self)
        if not 2 <= len(self.widths) <= 5 or any(width % 8 for width in self.widths):
            raise ValueError(
                Wording(
                    "model.tokenizer_widths",
                    "widths must be two to five multiples of 8, not {widths}",
                    widths=str(self.widths),
                )
            )
        if self.size % self.patch_size:
            raise ValueError(
                Wording(
                    "model.tokenizer_size",
                    "size must be a multiple of {step}, as {widths} widths halve the"
                    " picture {times} times, not {size}",
                    step=self.patch_size,
                    widths=len(self.widths),
                    times=len(self.widths) - 1,
                    size=self.size,
                )
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class FsqTokenizerConfig(AutoencoderConfig):
    """What an `FsqTokenizer` is made of; the defaults have 0.7 million parameters.

    The levels are the paper's for about 2^10 codes (table 1): as few numbers per token as
    possible, with at least 5 levels each.
    """

    levels: tuple[int, ...] = setting(
        (8, 5, 5, 5),
        "Levels of each number of a token; their product is the vocabulary.",
        low=2,
        high=256,
    )

    def __post_init__(self) -> None:
        """Check each field, then that the vocabulary is of a usable size."""
        AutoencoderConfig.__post_init__(self)
        if math.prod(self.levels) > 65536:
            raise ValueError(
                Wording(
                    "model.levels",
                    "levels multiply to {codes} codes; use at most 65536",
                    codes=math.prod(self.levels),
                )
            )


class PicturesConfig(Protocol):
    """A configuration that tells of which pictures a tokenizer makes tokens."""

    @property
    def size(self) -> int:
        """Height and width, in pixels."""

    @property
    def channels(self) -> int:
        """Colour channels."""


class Tokenizer(Protocol):
    """A module between pictures and tokens; `FsqTokenizer` is one.

    Attributes:
        config: its configuration.
        grid: (h, w) of the tokens, in raster order.
        num_tokens: N, tokens of a picture.
        vocabulary_size: number of different tokens.
        local: whether what a token looks like depends on no other token.
    """

    local: bool
    config: AutoencoderConfig
    grid: tuple[int, int]
    num_tokens: int
    vocabulary_size: int

    def encode(self, images: Tensor) -> Tensor:
        """Return the tokens int64 (B, N) of pictures float (B, K, R, R) in [-1, 1]."""

    def decode(self, tokens: Tensor) -> Tensor:
        """Return the pictures float (B, K, R, R) in [-1, 1] of tokens int64 (B, N)."""

    def __call__(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return (reconstruction, tokens), with a gradient from one to the pictures."""


def straight_through(value: Tensor, path: Tensor) -> Tensor:
    """Return exactly `value`, with the gradient of `path` (Bengio et al., arXiv 1308.3432)."""
    return value.detach() + (path - path.detach())


def clamp_inward(x: Tensor) -> Tensor:
    """Return x clamped to [-1, 1], with the gradient of x except where that leads further out.

    A plain clamp leaves a value outside there for ever. Ignoring the clamp lets a loss that no
    value satisfies, such as a discriminator's, push it out without end.
    """
    above, below = x.detach() > 1, x.detach() < -1
    clamped = straight_through(x.clamp(-1, 1), x)
    if clamped.requires_grad:  # a step goes against the gradient
        clamped.register_hook(lambda g: g.masked_fill(above & (g < 0) | below & (g > 0), 0))
    return clamped


class ResidualBlock(nn.Module):
    """x + two 3x3 convolutions of the normalised x, at one width."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, width)
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        for parameter in self.second.parameters():
            nn.init.zeros_(parameter)  # the block starts as the identity

    def forward(self, x: Tensor) -> Tensor:
        """Map float (B, C, H, W) to the same shape."""
        return x + self.second(F.silu(self.first(F.silu(self.norm(x)))))


class Encoder(nn.Module):
    """Pictures (B, K, R, R) to one vector of `dimensions` for each patch (B, Q, h, w)."""

    def __init__(self, config: AutoencoderConfig, dimensions: int) -> None:
        super().__init__()
        full, *smaller = config.widths
        layers: list[nn.Module] = []
        layers += [nn.Conv2d(config.channels, full, 3, padding=1), nn.SiLU()]  # (B, full, R, R)
        for above, width in zip(config.widths, smaller, strict=False):
            layers.append(nn.Conv2d(above, width, 4, stride=2, padding=1))  # half the size
            layers.append(ResidualBlock(width))
        last = config.widths[-1]
        layers += [nn.GroupNorm(8, last), nn.SiLU(), nn.Conv2d(last, dimensions, 1)]  # (B, Q, h, w)
        self.body = nn.Sequential(*layers)

    def forward(self, images: Tensor) -> Tensor:
        """Return float (B, Q, h, w)."""
        return self.body(images)


class Decoder(nn.Module):
    """Vectors (B, Q, h, w) to pictures (B, K, R, R).

    Upsampling repeats pixels and then convolves; a transposed convolution would leave a
    checkerboard (Odena et al. 2016, "Deconvolution and Checkerboard Artifacts").
    """

    def __init__(self, config: AutoencoderConfig, dimensions: int) -> None:
        super().__init__()
        smallest, *larger = reversed(config.widths)
        layers: list[nn.Module] = []
        layers.append(nn.Conv2d(dimensions, smallest, 3, padding=1))  # (B, smallest, h, w)
        for below, width in zip(reversed(config.widths), larger, strict=False):
            layers += [ResidualBlock(below), nn.Upsample(scale_factor=2)]  # twice the size
            layers.append(nn.Conv2d(below, width, 3, padding=1))
        full = config.widths[0]
        layers += [nn.SiLU(), nn.Conv2d(full, config.channels, 3, padding=1)]  # (B, K, R, R)
        self.body = nn.Sequential(*layers)

    def forward(self, codes: Tensor) -> Tensor:
        """Return pictures in [-1, 1].

        A clamp lets the many exactly black pixels come out black without a saturated activation.
        """
        codes = codes.to(next(self.parameters()).dtype)  # a quantiser gives float32
        return clamp_inward(self.body(codes).float())


class FiniteScalarQuantizer(nn.Module):
    """Rounds each of Q numbers to its own count of levels; has no parameters.

    A code is the rounded vector, each entry in [-1, 1]; a token is that vector written as one
    whole number (mixed radix), from 0 to the product of the levels, less one.
    """

    def __init__(self, levels: tuple[int, ...]) -> None:
        super().__init__()
        self.levels = levels

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Quantise.

        Args:
            z: float (B, Q, h, w), any range.

        Returns:
            codes float32 (B, Q, h, w) in [-1, 1], whose gradient is that of the squashed z, and
            tokens int64 (B, h * w).
        """
        count, place = self._radix(z.device)
        # tanh spreads over the levels evenly for even and odd counts alike.
        continuous = (torch.tanh(z.float()) + 1) / 2 * (count - 1)
        level = straight_through(continuous.round(), continuous)  # (B, Q, h, w)
        tokens = (level.detach().long() * place).sum(dim=1).flatten(1)  # (B, h * w)
        return level * 2 / (count - 1) - 1, tokens

    def codes(self, tokens: Tensor) -> Tensor:
        """Return the codes of tokens int64 (B, h, w), float32 (B, Q, h, w) in [-1, 1]."""
        count, place = self._radix(tokens.device)
        level = tokens[:, None] // place % count  # (B, Q, h, w)
        return level.float() * 2 / (count - 1) - 1

    def _radix(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """Return the count of levels and the place value of each number, int64 (Q, 1, 1) each."""
        count = torch.tensor(self.levels, device=device)
        place = torch.cat((count.new_ones(1), count[:-1].cumprod(dim=0)))
        return count[:, None, None], place[:, None, None]


class FsqTokenizer(nn.Module):
    """Pictures to tokens and back.

    Attributes:
        grid: (h, w) of the tokens.
        num_tokens: N, tokens of a picture.
        vocabulary_size: number of different tokens.
        local: False: the decoder looks at neighbouring tokens.
    """

    local = False

    def __init__(self, config: FsqTokenizerConfig) -> None:
        super().__init__()
        self.config = config
        side = config.size // config.patch_size
        self.grid = (side, side)
        self.num_tokens = side * side
        self.vocabulary_size = math.prod(config.levels)
        self.encoder = Encoder(config, len(config.levels))
        self.quantizer = FiniteScalarQuantizer(config.levels)
        self.decoder = Decoder(config, len(config.levels))

    def encode(self, images: Tensor) -> Tensor:
        """Return the tokens, int64 (B, N) in raster order, of pictures (B, K, R, R) in [-1, 1].

        Raises:
            ValueError: the pictures have another shape than the configuration says.
        """
        check_images(images, self.config)
        return self.quantizer(self.encoder(images))[1]

    def decode(self, tokens: Tensor) -> Tensor:
        """Return the pictures float (B, K, R, R) in [-1, 1] of tokens int64 (B, N).

        Raises:
            ValueError: the tokens have another shape, or one is not in the vocabulary.
        """
        check_tokens(tokens, self.num_tokens, self.vocabulary_size)
        return self.decoder(self.quantizer.codes(tokens.unflatten(1, self.grid)))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return (reconstruction, tokens); gradients pass straight through the rounding."""
        check_images(images, self.config)
        codes, tokens = self.quantizer(self.encoder(images))
        return self.decoder(codes), tokens


def check_images(images: Tensor, config: PicturesConfig) -> None:
    """Raise ValueError unless `images` are (B, K, R, R) as the configuration says."""
    expected = (config.channels, config.size, config.size)
    if images.dim() != 4 or tuple(images.shape[1:]) != expected:
        raise ValueError(
            f"images must be (batch, {', '.join(map(str, expected))}), not {tuple(images.shape)}"
        )


def check_tokens(tokens: Tensor, num_tokens: int, vocabulary_size: int) -> None:
    """Raise ValueError unless `tokens` are (B, num_tokens) from 0 to vocabulary_size - 1."""
    if tokens.dim() != 2 or tokens.shape[1] != num_tokens:
        raise ValueError(f"tokens must be (batch, {num_tokens}), not {tuple(tokens.shape)}")
    if tokens.numel() and not 0 <= int(tokens.min()) <= int(tokens.max()) < vocabulary_size:
        raise ValueError(
            f"tokens must be from 0 to {vocabulary_size - 1}, "
            f"not {int(tokens.min())} to {int(tokens.max())}"
        )


@dataclass(frozen=True, slots=True)
class VocabularyUse:
    """How much of a vocabulary some tokens use.

    Attributes:
        used: number of different tokens that occur.
        perplexity: exp of the entropy of their frequencies, from 1 (all the same) to the size of
            the vocabulary (all equally often).
    """

    used: int
    perplexity: float


def vocabulary_use(tokens: Tensor, vocabulary_size: int) -> VocabularyUse:
    """Measure the use of a vocabulary over tokens int64 of any shape.

    Give it the tokens of a whole epoch: over one batch both numbers depend on the batch's size.

    Raises:
        ValueError: there are no tokens, or one is not in the vocabulary.
    """
    tokens = tokens.flatten()
    if not tokens.numel() or not 0 <= int(tokens.min()) <= int(tokens.max()) < vocabulary_size:
        raise ValueError(f"give at least one token, all from 0 to {vocabulary_size - 1}")
    count = torch.bincount(tokens, minlength=vocabulary_size).double()
    share = count[count > 0] / count.sum()
    entropy = -(share * share.log()).sum()
    return VocabularyUse(used=len(share), perplexity=float(entropy.exp()))
