import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genimg.models.token_orders import FIXED, fixed_ranks


@given(st.sampled_from(FIXED), st.integers(1, 9), st.integers(1, 9))
def test_every_place_comes_once(order, rows, columns):
    ranks = fixed_ranks(order, rows, columns)
    assert ranks.sort().values.tolist() == list(range(rows * columns))


@given(st.integers(1, 9), st.integers(1, 9))
def test_a_spiral_never_jumps(rows, columns):
    places = fixed_ranks("spiral", rows, columns).argsort()
    steps = torch.stack((places // columns, places % columns), dim=1).diff(dim=0)
    assert (steps.abs().sum(dim=1) == 1).all()


def test_the_orders_of_a_small_grid():
    assert fixed_ranks("raster", 2, 3).tolist() == [0, 1, 2, 3, 4, 5]
    assert fixed_ranks("spiral", 3, 3).tolist() == [0, 1, 2, 7, 8, 3, 6, 5, 4]
    centre = fixed_ranks("centre-out", 3, 3).view(3, 3)
    assert centre[1, 1] == 0
    assert centre[0, 0] > centre[0, 1]
    assert centre[[0, 0, 2, 2], [0, 2, 0, 2]].tolist() == [5, 6, 7, 8]


def test_another_order_is_refused():
    with pytest.raises(ValueError, match="the orders are raster, spiral, centre-out, not 'random'"):
        fixed_ranks("random", 2, 2)
