"""Changing the pictures that a discriminator sees, where it would learn its few pictures by heart.

Adaptive discriminator augmentation (ADA; Karras et al. 2020, arXiv 2006.06676): real and generated
pictures go through the same random changes before the discriminator judges them, so what it learns
by heart helps it less. Each change happens to a picture with probability p: as long as p stays
below 1, the generator is best off with unchanged pictures (section 2.2). Where the discriminator
knows its real pictures too well, p rises, otherwise it falls (section 3): a run on many pictures
stays at 0 and costs nothing.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

TARGET = 0.8
"""While the discriminator tells more than this share of all pictures, real and generated, right, p
rises. The paper counts the real ones only (r_t of 0.6 is the same share); but our discriminator
begins weak, and often calls everything real without knowing anything by heart."""
RISE = 50_000
"""Pictures within which p can rise from 0 to 1. For small data sets the paper takes twice as many,
but its runs are a hundred times as long."""
LIMIT = 0.8
"""The largest p, as in the paper (section 2.2): above it the changes begin to show in what is
generated."""
_SHIFT = 0.125  # of the picture's height and width: the paper's for whole pixels
_SCALE = 0.2  # standard deviation of the logarithm to base 2
_BRIGHTNESS = 0.2  # standard deviation, of a range from -1 to 1
_CONTRAST = 0.5  # standard deviation of the logarithm to base 2
_SATURATION = 1.0  # the same
_CUT = 0.5  # side of the square cut out, of the picture's


def adapted(probability: float, accuracy: float, images: int) -> float:
    """Return p after so many `images` more, of which the share `accuracy` (0 to 1) was right."""
    step = images / RISE
    return min(max(probability + (step if accuracy > TARGET else -step), 0.0), LIMIT)


class Changes(NamedTuple):
    """How each of B pictures is changed; where it is not, the value that changes nothing."""

    shift: Tensor
    """float32 (B, 2), in halves of the width and of the height."""
    scale: Tensor
    """float32 (B,)."""
    brightness: Tensor
    """float32 (B,), added."""
    contrast: Tensor
    """float32 (B,), multiplied."""
    saturation: Tensor
    """float32 (B,), multiplied; grey pictures have none."""
    middle: Tensor
    """float32 (B, 2): the middle of the square that is cut out, in heights and widths from the
    corner; far outside where none is."""


def draw_changes(count: int, probability: float) -> Changes:
    """Return random changes for `count` pictures, from torch's global generator, on the CPU."""

    def chosen(values: Tensor, otherwise: float) -> Tensor:
        chance = torch.rand(count).view(-1, *[1] * (values.dim() - 1)) < probability
        return torch.where(chance, values, torch.tensor(otherwise))

    return Changes(
        shift=chosen((torch.rand(count, 2) * 2 - 1) * 2 * _SHIFT, 0.0),
        scale=chosen(torch.exp2(torch.randn(count) * _SCALE), 1.0),
        brightness=chosen(torch.randn(count) * _BRIGHTNESS, 0.0),
        contrast=chosen(torch.exp2(torch.randn(count) * _CONTRAST), 1.0),
        saturation=chosen(torch.exp2(torch.randn(count) * _SATURATION), 1.0),
        middle=chosen(torch.rand(count, 2), 9.0),
    )


def augment(images: Tensor, changes: Changes) -> Tensor:
    """Return pictures, float (B, C, H, W) from -1 to 1, changed; differentiable."""
    dtype, images = images.dtype, images.float()
    changes = Changes(*(values.to(images.device) for values in changes))
    images = _moved(images, changes) + changes.brightness[:, None, None, None]
    images = images * changes.contrast[:, None, None, None]
    if images.shape[1] > 1:
        grey = images.mean(dim=1, keepdim=True).expand_as(images)
        images = torch.lerp(grey, images, changes.saturation[:, None, None, None])  # exact at 1
    cut = _square(changes.middle, *images.shape[2:])
    return images.masked_fill(cut, 0).to(dtype).contiguous(memory_format=torch.channels_last)


def _moved(images: Tensor, changes: Changes) -> Tensor:
    """Shift and scale; what comes in from outside is the picture's mirror image."""
    matrix = torch.zeros(len(images), 2, 3, device=images.device)
    matrix[:, 0, 0] = matrix[:, 1, 1] = 1 / changes.scale
    matrix[:, :, 2] = changes.shift
    where = F.affine_grid(matrix, list(images.shape), align_corners=False)
    moved = F.grid_sample(images, where, padding_mode="reflection", align_corners=False)
    # Interpolation may change the last bit even where nothing moves.
    still = (changes.shift == 0).all(dim=1) & (changes.scale == 1)
    return torch.where(still[:, None, None, None], images, moved)


def _square(middle: Tensor, height: int, width: int) -> Tensor:
    """Return which pixels are cut out, bool (B, 1, H, W)."""
    rows, columns = (
        ((torch.arange(side, device=middle.device) + 0.5) / side - at[:, None]).abs() < _CUT / 2
        for side, at in zip((height, width), middle.T, strict=True)
    )
    return (rows[:, :, None] & columns[:, None, :])[:, None]
