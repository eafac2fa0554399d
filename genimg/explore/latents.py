"""Latent vectors that can be drawn again: those of a seed, and those around one."""

import torch
from torch import Tensor

from genimg.checks import check_seed
from genimg.randomness import generator


def seed_latents(seed: int, rows: range, dimensions: int) -> Tensor:
    """Return z, float32 (len(rows), dimensions); row i is a function of (seed, i) alone.

    Raises:
        ValueError: the seed is no whole number from 0 to 2^32 - 1.
    """
    check_seed(seed)
    return torch.stack([torch.randn(dimensions, generator=generator(seed, "z", i)) for i in rows])


def near(z: Tensor, count: int, spread: float, seed: int) -> Tensor:
    """Return latent vectors around one, float32 (count, Z); the first is `z` itself.

    Each of the others is sqrt(1 - spread^2) of `z` and `spread` of a fresh one, which keeps its
    distribution, and is a function of (seed, its number) alone.

    Args:
        z: (1, Z).
        spread: 0 to 1.
    """
    fresh = [torch.randn(1, z.shape[1], generator=generator(seed, "near", i)) for i in range(count)]
    amount = torch.full((count, 1), spread)
    amount[0] = 0
    return (1 - amount.square()).sqrt() * z + amount * torch.cat(fresh)
