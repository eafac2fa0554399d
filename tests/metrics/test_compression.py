import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genimg.metrics.compression import order_zero_bits, png_bits


@given(greys=st.sampled_from((2, 4, 16, 256)))
def test_equally_frequent_greys_cost_their_logarithm(greys):
    pixels = np.arange(greys).repeat(3)
    assert order_zero_bits(pixels, pixels, greys) == pytest.approx(math.log2(greys))


@given(greys=st.integers(2, 20), seed=st.integers(0, 99))
def test_no_other_frequencies_cost_less_than_the_true_ones(greys, seed):
    """Gibbs' inequality, and the entropy as the limit of many pixels."""
    random = np.random.default_rng(seed)
    shares = random.dirichlet(np.ones(greys))
    test = random.choice(greys, 5000, p=shares)
    count = np.bincount(test, minlength=greys)
    some = count[count > 0] / count.sum()
    entropy = -(some * np.log2(some)).sum()
    own = order_zero_bits(test, test, greys)
    other = order_zero_bits(random.integers(greys, size=5000), test, greys)
    assert entropy <= own <= entropy + greys * math.log2(math.e) / 5000 + 1e-9
    assert own <= other + 1e-9 + greys / 5000


def test_a_grey_that_was_never_seen_is_dear_but_possible():
    seen, unseen = np.zeros(98, int), np.ones(1, int)
    assert order_zero_bits(seen, unseen, 2) == pytest.approx(math.log2(100))


def test_a_png_packs_what_repeats_and_cannot_pack_noise():
    random = np.random.default_rng(0)
    noise = random.integers(16, size=(50, 28, 28))
    assert 4 < png_bits(noise, 16) < 4.3
    flat = np.full((50, 28, 28), 7)
    assert png_bits(flat, 16) < 0.05
    steps = np.tile(np.arange(28), (50, 28, 1))
    assert png_bits(steps, 28) < 0.2


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: order_zero_bits(np.zeros(0, int), np.zeros(1, int), 2), "train must be pixels"),
        (lambda: order_zero_bits(np.zeros(1, int), np.full(1, 2), 2), "test must be .* 0 to 1"),
        (lambda: png_bits(np.zeros((2, 3), int), 2), r"pictures \(N, H, W\)"),
        (lambda: png_bits(np.full((1, 2, 2), 16), 16), "from 0 to 15"),
    ],
)
def test_what_is_no_picture_is_refused(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
