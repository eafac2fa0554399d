"""All randomness of a run is a function of (seed, stream, step).

Nothing has to be saved to resume a run exactly: whoever knows the seed and the step can draw the
same numbers again.
"""

import zlib
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor


def derive(seed: int, stream: str, step: int) -> int:
    """Return a seed of 63 bits for `stream` (what the numbers are for) at `step`."""
    sequence = np.random.SeedSequence([seed, zlib.crc32(stream.encode()), step])
    return int(sequence.generate_state(1, np.uint64)[0]) >> 1


def generator(seed: int, stream: str, step: int) -> torch.Generator:
    """Return a CPU generator for `stream` at `step`."""
    return torch.Generator().manual_seed(derive(seed, stream, step))


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
