"""Nearest pictures in a data set, and whether a model has learned its pictures by heart."""

import math

import numpy as np
import torch
from torch import Tensor

from genimg.checks import is_whole, shown
from genimg.tensors import Images, image_tensor

# Pixels of the bank, or distances, held at once: 2**20 of 8 bytes are 8 MiB, which stays in the
# cache of a processor.
CHUNK = 2**20


def nearest(query: Images, bank: Images, count: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Find the pictures of `bank` that are nearest to each picture of `query`, pixel by pixel.

    Args:
        query, bank: uint8 pictures of one shape, tensors (Q, C, H, W) and (B, C, H, W) or arrays
            (Q, H, W, C) and (B, H, W, C), or one of each.
        count: neighbours to find, 1..B.

    Returns:
        indices, int64 (Q, count), nearest first, and distances, float64 (Q, count): the root mean
        square difference of two pictures in grey levels, 0..255. They are exact; of bank
        pictures at the same distance any may come first.

    Raises:
        ValueError: the pictures are not uint8 sets of one shape, or `count` is out of range.
    """
    query, bank = image_tensor(query), image_tensor(bank)
    if query.shape[1:] != bank.shape[1:]:
        raise ValueError(
            "images can only be compared at one size and number of channels, not "
            f"{tuple(query.shape[1:])} with {tuple(bank.shape[1:])}"
        )
    if not is_whole(count) or not 1 <= count <= len(bank):
        raise ValueError(
            f"count must be from 1 to the {len(bank)} images searched, not {shown(count)}"
        )
    indices, distances = [], []
    for part in query.flatten(1).split(1000):
        part_indices, part_distances = _nearest_rows(part.double(), bank.flatten(1), count)
        indices.append(part_indices)
        distances.append((part_distances / part.shape[1]).sqrt())
    return torch.cat(indices).numpy(), torch.cat(distances).numpy()


def memorisation_ratio(generated: Images, training: Images, held_out: Images) -> dict[str, float]:
    """Tell whether generated pictures are nearer to the training pictures than unseen ones are.

    Args:
        generated, training, held_out: uint8 pictures of one shape, as in `nearest`; `held_out` are
            real pictures that are not in `training`.

    Returns:
        ratio: the median distance of a generated picture to its nearest training picture, divided
            by that of a held-out picture. About 1: as far away as unseen real pictures. Well below
            1: copies, or pictures plainer than real ones.
        generated_median, held_out_median: the two medians, in grey levels 0..255.
        share_closer: the share of generated pictures that are as near to a training picture as the
            nearest 1 % of the held-out ones; 0.01 is expected of unseen real pictures.

    Raises:
        ValueError: the pictures are not uint8 sets of one shape, or at least half of the held-out
            pictures are exact copies of training pictures.
    """
    generated_distances = nearest(generated, training)[1]
    held_out_distances = nearest(held_out, training)[1]
    held_out_median = float(np.median(held_out_distances))
    if held_out_median == 0:
        raise ValueError(
            "at least half of the held-out images are also training images, so they cannot show "
            "how far an unseen one is; hold out other images"
        )
    generated_median = float(np.median(generated_distances))
    threshold = np.percentile(held_out_distances, 1)
    return {
        "ratio": generated_median / held_out_median,
        "generated_median": generated_median,
        "held_out_median": held_out_median,
        "share_closer": float((generated_distances <= threshold).mean()),
    }


def _nearest_rows(query: Tensor, bank: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return indices int64 and squared distances float64, both (Q, count), nearest first.

    Args:
        query, bank: float64 (Q, P) and uint8 (B, P), whole numbers 0..255. All sums are then
            whole numbers below 2**53, which float64 holds exactly.
        count: 1..B.
    """
    query_squares = (query * query).sum(1, keepdim=True)  # (Q, 1)
    indices = torch.empty(len(query), 0, dtype=torch.int64)
    distances = torch.empty(len(query), 0, dtype=torch.float64)
    rows_at_once = math.ceil(CHUNK / max(query.shape))
    for start in range(0, len(bank), rows_at_once):
        rows = bank[start : start + rows_at_once].double()
        found = query_squares + (rows * rows).sum(1) - 2 * query @ rows.T  # (Q, rows)
        here = found.topk(min(count, len(rows)), dim=1, largest=False)
        indices = torch.cat([indices, here.indices + start], dim=1)
        distances = torch.cat([distances, here.values], dim=1)
        best = distances.topk(min(count, distances.shape[1]), dim=1, largest=False)
        indices, distances = indices.gather(1, best.indices), best.values
    return indices, distances
