"""Which pictures a step sees, and how they reach the task."""

from functools import lru_cache

import torch
from torch import Tensor

from genimg.data import Dataset
from genimg.randomness import generator


@lru_cache(maxsize=2)
def _permutation(seed: int, epoch: int, total: int) -> Tensor:
    return torch.randperm(total, generator=generator(seed, "order", epoch))


def batch_indices(seed: int, start: int, count: int, total: int) -> Tensor:
    """Return which `count` of `total` pictures follow after `start` pictures were seen.

    Every epoch is a fresh permutation; each picture comes exactly once in each. int64 (count,).
    """
    parts = []
    while count:
        epoch, offset = divmod(start, total)
        part = _permutation(seed, epoch, total)[offset : offset + count]
        parts.append(part)
        start, count = start + len(part), count - len(part)
    return torch.cat(parts)


def batch_tensors(
    dataset: Dataset, targets: Tensor, indices: Tensor, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Return pictures, float32 (B, C, H, W) in [-1, 1], and their targets (B, ...) on `device`.

    Args:
        targets: what the task makes of the data set, a row for each of its pictures.
    """
    images = dataset.images[indices].to(device).float().div_(127.5).sub_(1)
    images = images.contiguous(memory_format=torch.channels_last)
    return images, targets[indices].to(device)
