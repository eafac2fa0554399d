import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genimg.models.attention_masks import (
    causal_mask,
    sliding_window_mask,
)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 12), st.integers(0, 12), st.integers(0, 3))
def test_masks_are_what_their_definitions_say(length, reach, first):
    masks = {
        "causal": causal_mask(length),
        "window": sliding_window_mask(length, reach, first),
    }
    for row in range(length):
        for column in range(length):
            expected = {
                "causal": column <= row,
                "window": abs(row - column) <= reach or row < first or column < first,
            }
            for name, mask in masks.items():
                assert bool(mask[row, column]) == expected[name], (name, row, column)


@pytest.mark.parametrize(
    "mask",
    [causal_mask(7), sliding_window_mask(7, 0)],
)
def test_no_token_is_left_without_anything_to_look_at(mask):
    assert mask.dtype == torch.bool
    assert mask.diagonal().all()
