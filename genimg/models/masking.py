"""Which tokens of a picture are masked.

Shape letters: B batch, N tokens of a picture.
"""

import torch
from torch import Tensor


def mask_places(uniforms: Tensor, counts: Tensor) -> Tensor:
    """Return which places are masked, bool (B, N): in each row the `counts` (B,) lowest of them.

    Args:
        uniforms: float (B, N).
    """
    return uniforms.argsort(dim=1).argsort(dim=1) < counts[:, None]


def even_masks(pictures: int, size: int, numbers: torch.Generator) -> Tensor:
    """Return masks bool (pictures, size) of 1 to `size` places, every number about as often."""
    uniforms = torch.rand(pictures, size, generator=numbers)
    # Evenly spaced from a random beginning: any one of them alone is as likely as any other.
    offset = torch.rand((), generator=numbers)
    counts = ((torch.arange(pictures) + offset) * size / pictures).long().clamp(max=size - 1) + 1
    return mask_places(uniforms, counts)
