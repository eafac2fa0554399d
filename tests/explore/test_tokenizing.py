import numpy as np
import pytest
import torch

from genimg.models.tokenizer import vocabulary_use


def test_tokens_and_pictures(tokenizer, pictures, monkeypatch):
    tokens = tokenizer.encode(pictures)
    assert tokens.shape == (5, 16)
    assert tokens.dtype == np.int64
    assert 0 <= tokens.min() <= tokens.max() < tokenizer.vocabulary_size == 12
    rebuilt = tokenizer.decode(tokens)
    assert rebuilt.shape == pictures.shape
    assert rebuilt.dtype == np.uint8
    assert np.array_equal(tokenizer.reconstruct(pictures), rebuilt)
    monkeypatch.setattr("genimg.explore.tokenizing._BATCH", 2)
    assert np.array_equal(tokenizer.encode(pictures), tokens)


def test_it_is_the_network(tokenizer, pictures):
    x = torch.from_numpy(pictures).permute(0, 3, 1, 2) / 127.5 - 1
    _, expected = tokenizer.tokenizer(x)
    assert np.array_equal(tokenizer.encode(pictures), expected.numpy())


def test_usage_is_that_of_the_tokens(tokenizer, pictures):
    expected = vocabulary_use(torch.from_numpy(tokenizer.encode(pictures)), 12)
    assert tokenizer.usage(pictures) == expected
    assert 1 <= expected.used <= 12


@pytest.mark.parametrize(
    "bad", [np.zeros((2, 16, 16), np.uint8), np.zeros((1, 16, 16, 1)), np.zeros((0, 16, 16, 1))]
)
def test_what_is_no_picture(tokenizer, bad):
    with pytest.raises(ValueError, match="images must be"):
        tokenizer.encode(bad)


def test_pictures_of_another_size(tokenizer):
    with pytest.raises(ValueError, match="images must be"):
        tokenizer.reconstruct(np.zeros((1, 8, 8, 1), np.uint8))


@pytest.mark.parametrize(
    "bad", [np.zeros((1, 15), int), np.full((1, 16), 12), np.zeros((1, 16)), np.zeros((0, 16), int)]
)
def test_what_are_no_tokens(tokenizer, bad):
    with pytest.raises(ValueError, match="tokens must be"):
        tokenizer.decode(bad)
