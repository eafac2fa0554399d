import numpy as np
import pytest
import torch

from genimg.explore.positions import learned_similarity, rotary_similarity, sinusoidal_similarity
from genimg.explore.vision import VisionTransformerModel
from genimg.models.attention import TokenLayout, rotary_table, rotate

LAYOUT = TokenLayout(rows=4, columns=5, registers=2)


def every_kind():
    vectors = torch.randn(LAYOUT.length, 16, generator=torch.Generator().manual_seed(0))
    yield sinusoidal_similarity(LAYOUT, 16)
    yield rotary_similarity(LAYOUT, 16)
    yield learned_similarity(LAYOUT, vectors)


@pytest.mark.parametrize("kind", range(3))
def test_every_place_is_most_like_itself(kind):
    found = list(every_kind())[kind]
    assert found.shape == (20, 20)
    assert found.dtype == np.float32
    np.testing.assert_allclose(np.diag(found), 1, rtol=1e-5)
    np.testing.assert_allclose(found, found.T, atol=1e-6)
    assert found.max() <= 1 + 1e-5
    assert (found + 2 * np.eye(20)).argmax(axis=1).tolist() == list(range(20))


def test_rotary_is_what_is_left_of_a_dot_product():
    table = rotary_table(LAYOUT.coordinates(), 16)
    turned = rotate(torch.ones(1, 1, LAYOUT.length, 16), table)[0, 0, LAYOUT.first_patch :]
    expected = (turned @ turned.T) / 16
    np.testing.assert_allclose(rotary_similarity(LAYOUT, 16), expected, atol=1e-5)


def test_rotary_knows_two_axes_and_sinusoidal_one():
    below, beside, next_row = 5, 1, 4  # from patch 0; 4 is the end of the first row
    rotary, waves = rotary_similarity(LAYOUT, 16), sinusoidal_similarity(LAYOUT, 16)
    assert rotary[0, below] == pytest.approx(rotary[0, beside], abs=1e-6)
    assert waves[0, below] != pytest.approx(waves[0, beside], abs=0.01)
    # In raster order the end of a row and the beginning of the next are neighbours.
    assert waves[next_row, below] == pytest.approx(waves[0, beside], abs=1e-6)
    assert rotary[next_row, below] < rotary[0, beside] - 0.1


@pytest.mark.parametrize(("position", "names"), [
    ("learned", ["sinusoidal", "rotary", "learned"]), ("rope", ["sinusoidal", "rotary"]),
])  # fmt: skip
def test_a_model_is_compared_with_what_it_could_have_had(make_tiny, position, names):
    model = VisionTransformerModel(make_tiny("vision-transformer", position=position))
    found = model.position_similarities()
    assert list(found) == names
    np.testing.assert_array_equal(found["rotary"], rotary_similarity(model.layout, 8))
    np.testing.assert_array_equal(found["sinusoidal"], sinusoidal_similarity(model.layout, 16))
    if position == "learned":
        one, other = model.module.positions[[2, 5]].double()  # a register before the patches
        expected = float(one @ other / one.norm() / other.norm())
        assert found["learned"][0, 3] == pytest.approx(expected, abs=1e-5)
