"""All randomness is a function of (seed, stream, step).

Nothing has to be saved to draw the same picture, or to resume a run exactly: whoever knows the seed
and the step can draw the same numbers again.
"""

import zlib

import numpy as np
import torch


def derive(seed: int, stream: str, step: int) -> int:
    """Return a seed of 63 bits for `stream` (what the numbers are for) at `step`."""
    sequence = np.random.SeedSequence([seed, zlib.crc32(stream.encode()), step])
    return int(sequence.generate_state(1, np.uint64)[0]) >> 1


def generator(seed: int, stream: str, step: int) -> torch.Generator:
    """Return a CPU generator for `stream` at `step`."""
    return torch.Generator().manual_seed(derive(seed, stream, step))
