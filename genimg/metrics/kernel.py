"""The kernel distance (KID, with a named feature net) between two sets of features."""

import numpy as np

from genimg.checks import check_seed, is_whole, shown
from genimg.metrics.features import check_features

MOST_SUBSETS = 10_000


def kernel_distance(
    features_a: np.ndarray,
    features_b: np.ndarray,
    *,
    subsets: int = 100,
    subset_size: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the mean and the standard deviation over random subsets of the squared MMD.

    The maximum mean discrepancy of the kernel (x.y / D + 1)^3, by its unbiased estimator
    (Binkowski et al. 2018, arXiv 1801.01401, section 4). Unlike the Fréchet distance it needs no
    Gaussian and its mean does not depend on the number of pictures; for equal distributions it is 0
    on average, so single values may be negative.

    Args:
        features_a, features_b: (N, D) and (M, D).
        subsets: number of random subsets.
        subset_size: rows drawn from each set, without replacement.
        seed: of the draws.

    Raises:
        ValueError: a set has fewer than `subset_size` rows or non-finite entries, the widths
            differ, or `subsets` < 1 or `subset_size` < 2.
    """
    good = is_whole(subsets) and is_whole(subset_size)
    if not good or not 1 <= subsets <= MOST_SUBSETS or subset_size < 2:
        raise ValueError(
            f"the kernel distance needs at least 1 subset of at least 2 images, and at most"
            f" {MOST_SUBSETS} subsets, not {shown(subsets)} of {shown(subset_size)}"
        )
    check_seed(seed)
    a, b = check_features(features_a, features_b, least=subset_size)
    generator = np.random.default_rng(seed)
    values = []
    for _ in range(subsets):
        rows_a = generator.choice(len(a), subset_size, replace=False)
        rows_b = generator.choice(len(b), subset_size, replace=False)
        values.append(_squared_discrepancy(a[rows_a], b[rows_b]))
    return float(np.mean(values)), float(np.std(values))


def _squared_discrepancy(a: np.ndarray, b: np.ndarray) -> float:
    """Return the unbiased estimate of MMD^2 for two sets (N, D) of equal size."""
    pairs = len(a) * (len(a) - 1)
    within_a, within_b = _kernel(a, a), _kernel(b, b)
    # A point is not a pair with itself: counting it would bias the estimate upwards.
    within = within_a.sum() - within_a.trace() + within_b.sum() - within_b.trace()
    return within / pairs - 2 * _kernel(a, b).mean()


def _kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the cubic kernel (N, M) of rows (N, D) and (M, D)."""
    k = a @ b.T / a.shape[1] + 1
    return k * k * k
