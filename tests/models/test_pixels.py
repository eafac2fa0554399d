import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genimg.models.pixels import PixelsConfig, PixelTokenizer


def tokenizer(greys=16, size=8):
    return PixelTokenizer(PixelsConfig(size=size, greys=greys))


@given(greys=st.integers(2, 256), seed=st.integers(0, 99))
def test_tokens_survive_the_way_to_a_picture_and_back(greys, seed):
    tokens = torch.randint(greys, (3, 64), generator=torch.Generator().manual_seed(seed))
    pixels = tokenizer(greys)
    images = pixels.decode(tokens)
    assert images.shape == (3, 1, 8, 8)
    assert images.min() >= -1
    assert images.max() <= 1
    assert torch.equal(pixels.encode(images), tokens)


@given(greys=st.integers(2, 256))
def test_a_pixel_gets_the_nearest_grey(greys):
    images = torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(greys)) * 2 - 1
    kept, tokens = tokenizer(greys)(images)
    assert ((kept - images).abs() <= 1 / (greys - 1) + 1e-6).all()
    assert torch.equal(tokens, tokenizer(greys).encode(images))


def test_black_is_the_first_token_and_white_the_last_in_raster_order():
    image = torch.full((1, 1, 8, 8), -1.0)
    image[0, 0, 1, 2] = 1.0
    tokens = tokenizer().encode(image)[0]
    assert tokens.nonzero().tolist() == [[10]]
    assert tokens[10] == 15


def test_256_greys_lose_nothing():
    values = torch.arange(256, dtype=torch.float32)[:64].view(1, 1, 8, 8) * 3
    images = values / 127.5 - 1
    assert torch.equal(tokenizer(256).encode(images), values.long().flatten(1))


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="images must be"):
        tokenizer().encode(torch.zeros(1, 3, 8, 8))
    with pytest.raises(ValueError, match="tokens must be from 0 to 15"):
        tokenizer().decode(torch.full((1, 64), 16))
    with pytest.raises(ValueError, match="tokens must be"):
        tokenizer().decode(torch.zeros(1, 63, dtype=torch.long))
