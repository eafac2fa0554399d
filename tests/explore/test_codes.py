import base64

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genimg.explore.codes import LARGEST, checked_code, text_of


@given(st.integers(0, 1000), st.sampled_from([1, 2, 3, 12, 64, 128, 512]))
def test_there_and_back_again(seed, dimensions):
    code = np.random.default_rng(seed).normal(size=dimensions)
    known = checked_code(code, dimensions)
    assert known.dtype == np.float32
    np.testing.assert_allclose(known, code, rtol=1e-3, atol=1e-6)
    text = text_of(known)
    np.testing.assert_array_equal(checked_code(text, dimensions), known)
    assert set(text).isdisjoint("+/=&?#%")
    assert len(text) <= 1366  # of the longest code there is


def _bytes(*numbers):
    content = np.array(numbers, "<f2").tobytes()
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


@pytest.mark.parametrize(
    "code",
    [
        "",
        "A" * 5,
        "A" * 100_000,
        "A+/=",
        "é" * 6,
        "../../",
        _bytes(1, np.nan),
        _bytes(np.inf, 1),
        [1.0],
        [1.0, 2.0, 3.0],
        [[1.0, 2.0]],
        [1.0, np.nan],
        ["a", "b"],
        [[1.0], [1.0, 2.0]],
        [True, False],
        None,
        3,
    ],
)
def test_anything_else_is_refused_in_one_sentence(code):
    with pytest.raises(ValueError, match="must be 2 finite numbers"):
        checked_code(code, 2)


def test_no_number_is_further_out_than_any_that_occurs():
    assert checked_code([1e6, -1e6], 2).tolist() == [LARGEST, -LARGEST]
