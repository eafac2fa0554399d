import numpy as np
import pytest

from genimg.metrics.kernel import kernel_distance


def direct(a, b):
    """The unbiased estimator, pair by pair."""

    def kernel(x, y):
        return (float(x @ y) / len(x) + 1) ** 3

    n, m = len(a), len(b)
    within_a = sum(kernel(a[i], a[j]) for i in range(n) for j in range(n) if i != j)
    within_b = sum(kernel(b[i], b[j]) for i in range(m) for j in range(m) if i != j)
    between = sum(kernel(x, y) for x in a for y in b)
    return within_a / (n * (n - 1)) + within_b / (m * (m - 1)) - 2 * between / (n * m)


def test_equals_the_sum_over_pairs():
    generator = np.random.default_rng(0)
    a, b = generator.normal(size=(15, 4)), generator.normal(1, 2, size=(15, 4))
    mean, deviation = kernel_distance(a, b, subsets=3, subset_size=15)
    assert mean == pytest.approx(direct(a, b), rel=1e-12)
    # Subsets as large as the sets are the sets, so all agree but for the order of summation.
    assert deviation == pytest.approx(0, abs=1e-12 * abs(mean))


def test_subsets_average_to_the_value_of_the_whole_sets():
    generator = np.random.default_rng(1)
    a, b = generator.normal(size=(60, 3)), generator.normal(0.5, size=(60, 3))
    whole, _ = kernel_distance(a, b, subsets=1, subset_size=60)
    mean, deviation = kernel_distance(a, b, subsets=2000, subset_size=20)
    assert abs(mean - whole) < 4 * deviation / np.sqrt(2000)


def test_no_bias_when_both_sets_come_from_one_distribution():
    generator = np.random.default_rng(2)
    values = [
        kernel_distance(*generator.normal(size=(2, 8, 3)), subsets=1, subset_size=8)[0]
        for _ in range(3000)
    ]
    assert abs(np.mean(values)) < 4 * np.std(values) / np.sqrt(3000)
    assert min(values) < 0


def test_grows_with_the_distance_of_the_distributions():
    generator = np.random.default_rng(3)
    a = generator.normal(size=(500, 6))
    values = [
        kernel_distance(a, generator.normal(shift, size=(500, 6)), subsets=5, subset_size=400)[0]
        for shift in (0, 0.5, 1, 2)
    ]
    assert values == sorted(values)
    assert abs(values[0]) < values[1] / 10


def test_seed_decides_the_subsets():
    a, b = np.random.default_rng(4).normal(size=(2, 50, 3))
    options = {"subsets": 4, "subset_size": 10}
    assert kernel_distance(a, b, seed=1, **options) == kernel_distance(a, b, seed=1, **options)
    assert kernel_distance(a, b, seed=1, **options) != kernel_distance(a, b, seed=2, **options)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"subset_size": 11}, "at least 11 images"),
        ({"subset_size": 1}, "1 subset of at least 2"),
        ({"subset_size": 5, "subsets": 0}, "1 subset of at least 2"),
    ],
)
def test_impossible_subsets_are_refused(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        kernel_distance(np.zeros((10, 3)), np.zeros((20, 3)), **options)


def test_non_finite_features_are_refused():
    with pytest.raises(ValueError, match="finite"):
        kernel_distance(np.full((10, 3), np.nan), np.zeros((10, 3)), subset_size=5)
