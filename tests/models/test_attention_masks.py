import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genimg.models.attention_masks import (
    block_causal_mask,
    causal_mask,
    prefix_mask,
    sliding_window_mask,
)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 12), st.integers(0, 12), st.integers(0, 3))
def test_masks_are_what_their_definitions_say(length, reach, first):
    masks = {
        "causal": causal_mask(length),
        "prefix": prefix_mask(length, reach),
        "window": sliding_window_mask(length, reach, first),
    }
    for row in range(length):
        for column in range(length):
            expected = {
                "causal": column <= row,
                "prefix": column <= row or (row < reach and column < reach),
                "window": abs(row - column) <= reach or row < first or column < first,
            }
            for name, mask in masks.items():
                assert bool(mask[row, column]) == expected[name], (name, row, column)


def test_block_causal_sees_its_own_block_and_those_before():
    mask = block_causal_mask((1, 2, 3))
    assert mask.sum(dim=1).tolist() == [1, 3, 3, 6, 6, 6]
    assert torch.equal(block_causal_mask((1,) * 5), causal_mask(5))
    assert block_causal_mask((5,)).all()


@pytest.mark.parametrize(
    "mask",
    [causal_mask(7), prefix_mask(7, 3), sliding_window_mask(7, 0), block_causal_mask((3, 4))],
)
def test_no_token_is_left_without_anything_to_look_at(mask):
    assert mask.dtype == torch.bool
    assert mask.diagonal().all()
