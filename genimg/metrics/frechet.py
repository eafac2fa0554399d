"""The Fréchet distance between two sets of features, each summed up as a Gaussian."""

import numpy as np

from genimg.metrics.features import check_features


def frechet_distance(features_a: np.ndarray, features_b: np.ndarray) -> float:
    """Return the squared Fréchet distance of the two fitted Gaussians, at least 0.

    |m_a - m_b|^2 + trace(A + B - 2 (A B)^(1/2)), with means m and unbiased covariances A and B
    (Heusel et al. 2017, arXiv 1706.08500, "Experiments", equation 6). It is an "FID" only with
    the features of their Inception net; with another net, give that net's name.

    The estimate is too high when there are few rows, the more so the wider the features: compare
    it with the distance between two sets of real pictures of the same sizes.

    Args:
        features_a, features_b: (N, D) and (M, D).

    Raises:
        ValueError: a set has fewer than 2 rows or non-finite entries, or the widths differ.
    """
    a, b = check_features(features_a, features_b, least=2)
    root_a, root_b = _covariance_root(a), _covariance_root(b)
    # With A = R_a^T R_a and B = R_b^T R_b, A B has the non-zero eigenvalues of M^T M for
    # M = R_b R_a^T, so trace((A B)^(1/2)) is the sum of M's singular values. This never squares
    # the data: the root of a rounded zero eigenvalue, 1e-16, would be an error of 1e-8 for each
    # feature that does not vary.
    common = np.linalg.svd(root_b @ root_a.T, compute_uv=False).sum()
    shift = a.mean(0) - b.mean(0)
    distance = shift @ shift + (root_a**2).sum() + (root_b**2).sum() - 2 * common
    return max(0.0, float(distance))


def _covariance_root(features: np.ndarray) -> np.ndarray:
    """Return R (min(N, D), D) with R^T R the unbiased covariance (D, D) of features (N, D)."""
    centred = features - features.mean(0)
    return np.linalg.qr(centred, mode="r") / np.sqrt(len(features) - 1)
