import base64

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from genimg.ui.pixels import disc, mask_of, picture_of, text_of, text_of_mask

SHAPES = st.sampled_from([(4, 4, 1), (5, 5, 1), (4, 4, 3), (5, 5, 3), (28, 28, 1)])


@given(SHAPES.flatmap(lambda shape: arrays(np.uint8, shape)))
def test_a_picture_survives_the_way(picture):
    size, _, channels = picture.shape
    np.testing.assert_array_equal(picture_of(text_of(picture), size, channels), picture)


ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(),
    st.lists(st.integers()), st.dictionaries(st.text(), st.text()),
)  # fmt: skip


@given(ANYTHING, SHAPES)
def test_what_is_no_picture_is_one_sentence(text, shape):
    """No short text is one: the smallest picture here has 16 bytes, so 24 letters and no less."""
    if isinstance(text, str) and len(text) >= 24:
        text = text[:23]
    with pytest.raises(ValueError, match=r"^the picture must be [^\n]*$"):
        picture_of(text, shape[0], shape[2])


@given(
    st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_ \né", min_size=24,
            max_size=24)
)  # fmt: skip
def test_a_text_of_the_right_length_is_a_picture_only_if_it_is_base64(text):
    try:
        picture = picture_of(text, 4, 1)
    except ValueError:
        return
    assert base64.b64decode(text, validate=True) == picture.tobytes()
    assert picture.shape == (4, 4, 1)


@pytest.mark.parametrize("extra", [-1, 1, 100])
def test_another_length_is_refused(extra):
    with pytest.raises(ValueError, match="base64 of 784 bytes"):
        picture_of(base64.b64encode(bytes(784 + extra)).decode(), 28, 1)


@given(arrays(bool, (3, 5)))
def test_a_mask_survives_the_way(mask):
    np.testing.assert_array_equal(mask_of(text_of_mask(mask), (3, 5)), mask)


@given(ANYTHING)
def test_what_is_no_mask_is_one_sentence(text):
    with pytest.raises(ValueError, match=r"^the cells must be [^\n]*$"):
        mask_of(text, (40, 50))


@pytest.mark.parametrize("text", ["01", "012" * 5, "٠" * 15, " " * 15])
def test_other_signs_are_refused(text):
    with pytest.raises(ValueError, match="15 times 0 or 1"):
        mask_of(text, (3, 5))


@pytest.mark.parametrize(("size", "channels"), [(28, 1), (32, 3)])
def test_the_disc_is_round_and_light(size, channels):
    picture = disc(size, channels)
    assert picture.shape == (size, size, channels)
    np.testing.assert_array_equal(picture, picture.transpose(1, 0, 2))
    np.testing.assert_array_equal(picture, picture[::-1])
    assert picture[0, 0].max() == 0
    assert picture[size // 2, size // 2].min() == 230
