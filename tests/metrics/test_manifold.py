import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genimg.metrics import manifold
from genimg.metrics.manifold import density_coverage, precision_recall


def reference(real, fake, neighbours):
    """Balls of both sets, from scikit-learn: (fake in real balls (M, N), real in fake (N, M))."""
    sklearn_neighbors = pytest.importorskip("sklearn.neighbors")
    pairwise = pytest.importorskip("sklearn.metrics.pairwise")

    def inside(points, centres):
        finder = sklearn_neighbors.NearestNeighbors(n_neighbors=neighbours).fit(centres)
        radii = finder.kneighbors()[0][:, -1]  # without arguments a point is not its neighbour
        return pairwise.euclidean_distances(points, centres) <= radii

    return inside(fake, real), inside(real, fake)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    sizes=st.tuples(st.integers(7, 60), st.integers(7, 60)),
    neighbours=st.integers(1, 6),
    spread=st.floats(0.2, 3),
)
def test_equals_scikit_learn(seed, sizes, neighbours, spread):
    generator = np.random.default_rng(seed)
    real = generator.normal(size=(sizes[0], 5))
    fake = generator.normal(0.3, spread, size=(sizes[1], 5))
    fake_in_real, real_in_fake = reference(real, fake, neighbours)
    assert precision_recall(real, fake, neighbours) == pytest.approx(
        (fake_in_real.any(1).mean(), real_in_fake.any(1).mean())
    )
    assert density_coverage(real, fake, neighbours) == pytest.approx(
        (fake_in_real.sum() / neighbours / len(fake), fake_in_real.any(0).mean())
    )


def test_chunks_do_not_change_the_values(monkeypatch):
    generator = np.random.default_rng(0)
    real, fake = generator.normal(size=(90, 4)), generator.normal(size=(70, 4))
    whole = precision_recall(real, fake), density_coverage(real, fake)
    monkeypatch.setattr(manifold, "CHUNK", 500)
    assert (precision_recall(real, fake), density_coverage(real, fake)) == whole


@pytest.mark.parametrize("scale", [1e-3, 1, 1e3])
def test_identical_sets_are_perfect(scale):
    points = np.random.default_rng(1).normal(5, size=(80, 6)) * scale
    assert precision_recall(points, points) == (1, 1)
    density, coverage = density_coverage(points, points)
    assert coverage == 1
    assert density >= 1


@pytest.mark.parametrize("width", [3, 40, 128, 500])
def test_copies_of_duplicated_points_count_as_inside(width):
    # All balls have radius 0, so rounding must not push the copies out of them.
    distinct = np.random.default_rng(2).normal(10, size=(37, width))
    real, fake = np.repeat(distinct, 8, axis=0), np.tile(distinct, (6, 1))[1:]
    assert precision_recall(real, fake) == (1, 1)
    assert density_coverage(real, fake)[1] == 1


def test_distances_are_zero_for_equal_points_only():
    # Whether rounding shows in the test above depends on the processor; here it always would.
    points = torch.from_numpy(np.random.default_rng(8).normal(10, size=(50, 128)))
    points[1] = points[0]
    points[2] = points[0]
    points[2, 5] += 1e-4
    (distances,) = manifold._squared_distances(points, points)
    assert (distances.diagonal() == 0).all()
    assert distances[0, 1] == distances[1, 0] == 0
    assert distances[0, 2].item() == pytest.approx(1e-8, rel=1e-2)


def test_disjoint_sets_score_nothing():
    real = np.random.default_rng(3).normal(size=(50, 6))
    fake = real + 1000
    assert precision_recall(real, fake) == (0, 0)
    assert density_coverage(real, fake) == (0, 0)


def test_same_distribution_has_density_near_one():
    real, fake = np.random.default_rng(4).normal(size=(2, 1500, 8))
    density, coverage = density_coverage(real, fake)
    assert density == pytest.approx(1, abs=0.1)
    # A ball is empty if its centre's k nearest points of both kinds are all real: 1/2^k.
    assert coverage == pytest.approx(1 - 1 / 2**5, abs=0.03)


def test_a_collapsed_generator_is_precise_but_covers_little():
    generator = np.random.default_rng(5)
    real = generator.normal(size=(400, 4))
    fake = real[0] + 1e-3 * generator.normal(size=(400, 4))
    precision, recall = precision_recall(real, fake)
    assert precision == 1
    assert recall < 0.02
    assert density_coverage(real, fake)[1] < 0.1


def test_precision_and_recall_change_places_with_the_sets():
    generator = np.random.default_rng(6)
    real, fake = generator.normal(size=(60, 4)), generator.normal(1, 0.5, size=(40, 4))
    assert precision_recall(real, fake) == precision_recall(fake, real)[::-1]


@pytest.mark.parametrize("metric", [precision_recall, density_coverage])
@pytest.mark.parametrize(
    ("rows", "neighbours", "sentence"),
    [(4, 4, "at least 5 images"), (4, 0, "neighbours must be at least 1")],
)
def test_too_few_points_or_neighbours_are_refused(metric, rows, neighbours, sentence):
    with pytest.raises(ValueError, match=sentence):
        metric(np.zeros((rows, 3)), np.zeros((10, 3)), neighbours)
