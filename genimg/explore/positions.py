"""Three ways to tell a Transformer where a patch is, compared: how alike are two places?

Shape letters: N patches of a grid in raster order, C width of the model, D width of a head.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from genimg.models.attention import TokenLayout, rotary_table
from genimg.models.transformer import sinusoidal_table


def sinusoidal_similarity(layout: TokenLayout, width: int) -> np.ndarray:
    """Return the cosine of the vectors of every two patches, float32 (N, N), 1 at most.

    Sines and cosines of the number of the patch in raster order (arXiv 1706.03762, section 3.5):
    the neighbour below is as far away as a whole row.

    Args:
        layout: of the patches; what stands before them counts, too.
        width: C, even.
    """
    return _cosines(sinusoidal_table(layout.length, width)[layout.first_patch :])


def rotary_similarity(layout: TokenLayout, head_width: int) -> np.ndarray:
    """Return what is left of a vector's dot product with itself, turned to two patches, (N, N).

    float32, 1 at most, for a vector whose pairs are equally long: the average cosine of the angles
    between row and row, column and column (`genimg.models.attention.rotary_table`). Nothing is
    added to the stream; queries and keys are turned.

    Args:
        head_width: D, a multiple of 4.
    """
    cosines, sines = rotary_table(layout.coordinates()[layout.first_patch :], head_width)
    return _cosines(torch.cat((cosines, sines), dim=1))


def learned_similarity(layout: TokenLayout, positions: Tensor) -> np.ndarray:
    """Return the cosine of the learned vectors of every two patches, float32 (N, N), 1 at most.

    Args:
        positions: one vector for each position, float (T, C), the patches last.
    """
    return _cosines(positions[layout.first_patch :].detach().float().cpu())


def _cosines(vectors: Tensor) -> np.ndarray:
    directions = F.normalize(vectors, dim=1)
    return (directions @ directions.T).numpy()
