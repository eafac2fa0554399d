"""How real and how varied: two sets of features compared through their nearest neighbours.

Around each point of a set lies a ball that reaches to the point's k-th nearest neighbour in the
same set; the balls together stand for the manifold of the set. Generated pictures within the real
manifold are realistic; real pictures within the generated manifold are reproduced.

Distances are float64 throughout: at 10 000 points of 128 features that takes seconds, and their
order is then that of the true distances, except for ties at the 15th digit.
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from genimg.checks import is_whole, shown
from genimg.metrics.features import check_features

# Distances held at once: 2**20 of 8 bytes are 8 MiB, which stays in the cache of a processor.
CHUNK = 2**20


def precision_recall(
    real: np.ndarray, fake: np.ndarray, neighbours: int = 3
) -> tuple[float, float]:
    """Return the improved precision and recall, each in 0..1.

    Precision is the share of generated points within the real manifold, recall the share of real
    points within the generated one (Kynkaanniemi et al. 2019, arXiv 1904.06991, section 2). Both
    grow and shrink with the set sizes, so give as many of one kind as of the other.

    Args:
        real, fake: features (N, D) and (M, D).
        neighbours: k, how many neighbours a ball reaches to.

    Raises:
        ValueError: a set has no k other points or has non-finite entries, or the widths differ,
            or `neighbours` < 1.
    """
    real_points, fake_points = _points(real, fake, neighbours)
    real_balls, _ = _memberships(fake_points, real_points, neighbours)
    fake_balls, _ = _memberships(real_points, fake_points, neighbours)
    return _share(real_balls), _share(fake_balls)


def density_coverage(
    real: np.ndarray, fake: np.ndarray, neighbours: int = 5
) -> tuple[float, float]:
    """Return density, at least 0 and about 1 for equal distributions, and coverage in 0..1.

    Density is the mean number of real balls that a generated point lies in, divided by k; an
    outlier's wide ball counts once instead of deciding alone. Coverage is the share of real balls
    that hold a generated point (Naeem et al. 2020, arXiv 2002.09797, section 3).

    Args:
        real, fake: features (N, D) and (M, D).
        neighbours: k, how many neighbours a ball reaches to.

    Raises:
        ValueError: as for `precision_recall`.
    """
    real_points, fake_points = _points(real, fake, neighbours)
    balls_of_point, points_of_ball = _memberships(fake_points, real_points, neighbours)
    return balls_of_point.double().mean().item() / neighbours, _share(points_of_ball)


def _points(real: np.ndarray, fake: np.ndarray, neighbours: int) -> tuple[Tensor, Tensor]:
    if not is_whole(neighbours) or neighbours < 1:
        raise ValueError(f"neighbours must be at least 1, not {shown(neighbours)}")
    real, fake = check_features(real, fake, least=neighbours + 1)
    return torch.from_numpy(real), torch.from_numpy(fake)


def _share(counts: Tensor) -> float:
    """Return the share of counts (N,) above zero."""
    return (counts > 0).double().mean().item()


def _memberships(points: Tensor, centres: Tensor, neighbours: int) -> tuple[Tensor, Tensor]:
    """Count which points lie in which of the balls around `centres`, borders included.

    Args:
        points, centres: (N, D) and (M, D).
        neighbours: k of the balls.

    Returns:
        int64 (N,), the balls that each point is in, and int64 (M,), the points in each ball.
    """
    # The nearest "neighbour" of a point in its own set is itself, hence k + 1.
    radii = torch.cat(
        [
            distances.topk(neighbours + 1, dim=1, largest=False).values[:, -1]
            for distances in _squared_distances(centres, centres)
        ]
    )
    balls_of_point, points_of_ball = [], torch.zeros(len(centres), dtype=torch.int64)
    for distances in _squared_distances(points, centres):
        inside = distances <= radii
        balls_of_point.append(inside.sum(1))
        points_of_ball += inside.sum(0)
    return torch.cat(balls_of_point), points_of_ball


def _squared_distances(a: Tensor, b: Tensor) -> Iterator[Tensor]:
    """Yield the squared distances of rows (N, D) from rows (M, D), some rows (n, M) at a time."""
    squares = (b * b).sum(1)  # (M,)
    for rows in a.split(max(1, CHUNK // len(b))):
        scale = (rows * rows).sum(1, keepdim=True) + squares  # (n, M)
        distances = scale - 2 * rows @ b.T
        # Equal points must be at distance 0, not at the rounding error of |a|^2 + |b|^2: otherwise
        # chance decides whether a copy lies in the ball of a duplicated point, which has radius 0.
        yield distances.masked_fill(distances < 1e-13 * scale, 0)
