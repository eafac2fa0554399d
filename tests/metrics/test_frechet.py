import numpy as np
import pytest

from genimg.metrics.frechet import frechet_distance


def correlated(seed, rows=400, width=12):
    generator = np.random.default_rng(seed)
    mixing = generator.normal(size=(width, width))
    return generator.normal(size=(rows, width)) @ mixing + generator.normal(size=width)


def with_moments(seed, mean, deviations, rows=50):
    """Rows whose sample mean is `mean` and sample covariance is diag(deviations**2), exactly."""
    width = len(mean)
    noise = np.random.default_rng(seed).normal(size=(rows, width))
    orthonormal, _ = np.linalg.qr(noise - noise.mean(0))
    return orthonormal * np.sqrt(rows - 1) * np.asarray(deviations) + np.asarray(mean)


@pytest.mark.parametrize(("rows_a", "rows_b"), [(400, 300), (2, 400), (8, 400)])
def test_equals_the_formula_with_a_matrix_square_root(rows_a, rows_b):
    scipy_linalg = pytest.importorskip("scipy.linalg")
    a, b = correlated(0, rows_a), correlated(1, rows_b)
    covariance_a, covariance_b = np.cov(a.T), np.cov(b.T)
    # On singular covariances sqrtm(A B) has no digits to trust, so take the symmetric form.
    root = np.real(scipy_linalg.sqrtm(covariance_b))
    common = np.real(scipy_linalg.sqrtm(root @ covariance_a @ root))
    expected = np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(
        covariance_a + covariance_b - 2 * common
    )
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-5)


def test_equals_the_textbook_product_form_on_full_rank():
    scipy_linalg = pytest.importorskip("scipy.linalg")
    a, b = correlated(2), correlated(3)
    covariance_a, covariance_b = np.cov(a.T), np.cov(b.T)
    common = np.real(scipy_linalg.sqrtm(covariance_a @ covariance_b))
    expected = np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(
        covariance_a + covariance_b - 2 * common
    )
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-9)


def test_closed_form_of_diagonal_gaussians():
    a = with_moments(0, [0, 1, -2, 5], [1, 2, 3, 0])
    b = with_moments(1, [1, 1, 1, 5], [2, 2, 0.5, 0])
    assert frechet_distance(a, b) == pytest.approx(1 + 9 + 1 + 6.25, rel=1e-12)


def test_closed_form_in_one_dimension():
    a, b = np.array([[0.0], [2.0]]), np.array([[10.0], [10.0]])
    assert frechet_distance(a, b) == pytest.approx(81 + 2)


@pytest.mark.parametrize("rows", [2, 5, 400])
def test_same_set_is_at_distance_zero(rows):
    a = correlated(4, rows) * 100
    assert 0 <= frechet_distance(a, a) < 1e-12 * np.square(a).sum()


def test_dead_features_add_nothing():
    a, b = correlated(5), correlated(6)
    dead = np.zeros((400, 100))
    padded = frechet_distance(np.hstack([a, dead]), np.hstack([b, dead]))
    assert padded == pytest.approx(frechet_distance(a, b), rel=1e-12)


def test_symmetric_and_blind_to_row_order_and_rotation():
    a, b = correlated(7), correlated(8, rows=150)
    rotation, _ = np.linalg.qr(np.random.default_rng(9).normal(size=(12, 12)))
    distance = frechet_distance(a, b)
    assert frechet_distance(b, a) == pytest.approx(distance, rel=1e-10)
    assert frechet_distance(a[::-1], b) == pytest.approx(distance, rel=1e-10)
    assert frechet_distance(a @ rotation, b @ rotation) == pytest.approx(distance, rel=1e-10)


def test_translation_adds_its_squared_length_and_scale_goes_in_squared():
    a, b = correlated(10), correlated(11)
    shift = np.random.default_rng(12).normal(size=12) * 3
    assert frechet_distance(a, a + shift) == pytest.approx(shift @ shift, rel=1e-9)
    assert frechet_distance(5 * a, 5 * b) == pytest.approx(25 * frechet_distance(a, b), rel=1e-10)


def test_fewer_images_raise_the_floor():
    draw = np.random.default_rng(13).normal
    few = frechet_distance(draw(size=(60, 12)), draw(size=(60, 12)))
    many = frechet_distance(draw(size=(6000, 12)), draw(size=(6000, 12)))
    assert few > 10 * many


@pytest.mark.parametrize(
    ("a", "b", "sentence"),
    [
        (np.zeros((1, 3)), np.zeros((5, 3)), "at least 2 images"),
        (np.zeros((5, 3)), np.zeros((0, 3)), "at least 2 images"),
        (np.zeros((5, 3)), np.zeros((5, 4)), "not \\(5, 3\\) and \\(5, 4\\)"),
        (np.zeros(5), np.zeros(5), "feature sets"),
        (np.full((5, 3), np.nan), np.zeros((5, 3)), "finite"),
        (np.zeros((5, 3)), np.full((5, 3), np.inf), "finite"),
    ],
)
def test_bad_features_are_refused(a, b, sentence):
    with pytest.raises(ValueError, match=sentence):
        frechet_distance(a, b)
