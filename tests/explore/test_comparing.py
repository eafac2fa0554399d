import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genimg.data import Dataset
from genimg.explore.comparing import (
    classes_of_both,
    decoded,
    detail_of,
    numbers_of,
    partner,
    question,
    same_tokens,
    seconds_per_picture,
)
from genimg.explore.tokenizing import TokenizerModel


@pytest.fixture
def other_decoder(make_tiny, tokenizer):
    """A tokenizer with the encoder of `tokenizer` and a decoder of its own."""
    model = TokenizerModel(make_tiny("fsq-tokenizer"))
    with torch.no_grad():
        for parameter in model.tokenizer.decoder.parameters():
            parameter.mul_(0.5)
    return model


def test_one_of_two_is_real_and_the_order_is_by_chance(drawer, style):
    for model, size in ((drawer, 16), (style, 32)):
        real = np.full((size, size, 1), 77, np.uint8)
        places = set()
        for seed in range(12):
            asked = question(model, real, seed, "Bag")
            assert np.array_equal(asked.pictures[asked.real], real)
            made = model.sample(1, seed=seed, label=["Bag"])[0]
            assert np.array_equal(asked.pictures[1 - asked.real], made)
            assert question(model, real, seed, "Bag").real == asked.real
            places.add(asked.real)
        assert places == {0, 1}


def test_a_real_picture_of_another_size_is_refused(drawer):
    with pytest.raises(ValueError, match="resize or convert"):
        question(drawer, np.zeros((8, 8, 1), np.uint8), 0)


def test_a_picture_takes_time(plain):
    assert 0 < seconds_per_picture(plain) < 60


def test_the_same_tokens_are_those_of_the_same_encoder(tokenizer, other_decoder, make_tiny):
    assert same_tokens(tokenizer.tokenizer, other_decoder.tokenizer)
    another = TokenizerModel(make_tiny("fsq-tokenizer"))
    with torch.no_grad():
        next(another.tokenizer.encoder.parameters()).add_(0.01)
    assert not same_tokens(tokenizer.tokenizer, another.tokenizer)
    shaped = TokenizerModel(make_tiny("fsq-tokenizer", levels=(3, 4)))
    assert not same_tokens(tokenizer.tokenizer, shaped.tokenizer)
    with pytest.raises(ValueError, match="different tokens"):
        decoded([tokenizer, another], np.zeros((1, 16, 16, 1), np.uint8))


def test_each_decoder_makes_its_own_of_the_same_tokens(tokenizer, other_decoder, pictures):
    found = decoded([tokenizer, other_decoder], pictures)
    tokens = tokenizer.encode(pictures)
    for model, made in zip((tokenizer, other_decoder), found, strict=True):
        assert np.array_equal(made.pictures, model.decode(tokens))
        off = np.abs(made.pictures.astype(int) - pictures).mean()
        assert made.error == pytest.approx(off)
        assert made.detail == detail_of(made.pictures)
    assert not np.array_equal(found[0].pictures, found[1].pictures)


def test_detail_is_the_difference_of_neighbours():
    plain = np.full((2, 6, 6, 3), 9, np.uint8)
    assert detail_of(plain) == 0
    board = np.indices((6, 6)).sum(0) % 2 * 100
    assert detail_of(board[None, ..., None].astype(np.uint8)) == 100
    ramp = np.tile(np.arange(6, dtype=np.uint8) * 10, (6, 1))[None, ..., None]
    assert detail_of(ramp) == 5  # 10 across, 0 down
    assert detail_of(np.zeros((1, 1, 1, 1), np.uint8)) == 0


@given(st.lists(st.sampled_from("abcd"), unique=True), st.lists(st.sampled_from("bcde")))
def test_classes_of_both_are_known_to_both(one, other):
    found = classes_of_both(one, other)
    assert set(found) == set(one) & set(other)
    assert found == sorted(found, key=one.index)


def test_a_partner_learned_from_the_same_pictures():
    datasets = {"a": "x", "b": "y", "c": "y", "d": None}
    assert partner("c", datasets, "y") == "c"
    assert partner("a", datasets, "y") == "b"
    assert partner("a", datasets, "z") == "a"


def test_pictures_of_a_class_are_of_that_class_and_always_the_same():
    labels = torch.tensor([0, 1, 2] * 5)
    split = Dataset(
        name="mine", images=torch.zeros(15, 1, 8, 8, dtype=torch.uint8),
        labels=labels, classes=("a", "b", "c"), source="here",
    )  # fmt: skip
    found = numbers_of(split, "b", 3, 4)
    assert len(set(found)) == 4
    assert set(labels[found].tolist()) == {1}
    assert (numbers_of(split, "b", 3, 4) == found).all()
    assert len(numbers_of(split, "b", 3, 99)) == 5
    with pytest.raises(ValueError, match="no test pictures of this class"):
        numbers_of(split.subset(labels != 1), "b", 3, 4)
    assert len(numbers_of(split, None, 3, 99)) == len(numbers_of(split, "z", 3, 99)) == 15
