"""Bring the pictures of a published data set to the size that is asked for."""

import torch
import torch.nn.functional as F

SIZES = (28, 32, 48, 64)
CHUNK = 1024  # pictures resized at once: as float32, 64 px RGB, they take 50 MB


def only_pads(old: int, new: int) -> bool:
    """Return whether `fit` brings pictures of side `old` to `new` without changing a pixel."""
    return 0 <= new - old < 8


def fit(images: torch.Tensor, size: int) -> torch.Tensor:
    """Return square pictures at `size` pixels, by padding where that is enough.

    Pictures that have the size already are left alone. If they lack fewer than 8 pixels (28 to 32),
    they are padded with zeros all around, which loses nothing and stretches nothing; an odd row and
    column goes to the bottom and to the right. Any other larger size is reached by a bilinear
    resize. For a smaller size each pixel is the average of the area that it covers, which keeps
    thin lines sharper than a bilinear resize does.

    Args:
        images: uint8 (N, C, S, S).
        size: the new side in pixels.

    Returns:
        uint8 (N, C, size, size).

    Raises:
        ValueError: the pictures are not square.
    """
    height, width = images.shape[-2:]
    if height != width:
        raise ValueError(f"pictures must be square, not {height} by {width} pixels")
    extra = size - height
    if extra == 0:
        return images
    if only_pads(height, size):
        before, after = extra // 2, extra - extra // 2
        return F.pad(images, (before, after, before, after))  # (N, C, S, S) -> (N, C, size, size)
    return torch.cat([_resize(chunk, size) for chunk in images.split(CHUNK)])


def _resize(images: torch.Tensor, size: int) -> torch.Tensor:
    if size > images.shape[-1]:
        resized = F.interpolate(images.float(), size=(size, size), mode="bilinear")
    else:
        shares = _area_shares(images.shape[-1], size)
        resized = shares @ images.float() @ shares.T  # rows, then columns
    return resized.round().clamp(0, 255).to(torch.uint8)


def _area_shares(old: int, new: int) -> torch.Tensor:
    """Return the share of each old pixel in every new one, float32 (new, old)."""
    edges = torch.arange(new + 1, dtype=torch.float64) * old / new  # of the new pixels, in old ones
    pixels = torch.arange(old)
    overlap = torch.minimum(edges[1:, None], pixels + 1) - torch.maximum(edges[:-1, None], pixels)
    return (overlap.clamp(min=0) * new / old).float()  # rows sum to 1
