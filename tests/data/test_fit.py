import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genimg.data.fit import CHUNK, SIZES, fit, only_pads


def random_images(count, channels, side, seed=0):
    generator = torch.Generator().manual_seed(seed)
    shape = (count, channels, side, side)
    return torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)


@given(side=st.integers(1, 40), extra=st.integers(0, 7), channels=st.sampled_from([1, 3]))
def test_padding_loses_and_adds_nothing(side, extra, channels):
    images = random_images(2, channels, side)
    padded = fit(images, side + extra)
    start = extra // 2
    crop = padded[:, :, start : start + side, start : start + side]
    assert torch.equal(crop, images)
    assert padded.sum() == images.sum()  # everything around the crop is 0
    assert only_pads(side, side + extra)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("side", [28, 32, 96])
def test_every_size_can_be_reached(side, size):
    result = fit(random_images(3, 3, side), size)
    assert result.shape == (3, 3, size, size)
    assert result.dtype == torch.uint8


@pytest.mark.parametrize(("side", "size"), [(28, 48), (32, 28), (96, 64)])
@pytest.mark.parametrize("value", [0, 1, 127, 255])
def test_resize_keeps_a_flat_picture_flat(side, size, value):
    images = torch.full((1, 1, side, side), value, dtype=torch.uint8)
    assert (fit(images, size) == value).all()


@pytest.mark.parametrize(("side", "size"), [(32, 28), (28, 48), (28, 64), (64, 32)])
def test_a_resize_is_no_padding(side, size):
    assert not only_pads(side, size)
    images = random_images(1, 1, side)
    assert fit(images, size).sum() != images.sum()


def test_shrinking_is_antialiased():
    stripes = torch.zeros(1, 1, 112, 112, dtype=torch.uint8)
    stripes[..., ::2] = 200
    inner = fit(stripes, 28)[..., 2:-2, 2:-2].float()
    assert (inner - 100).abs().max() < 5  # picking every fourth pixel would give 0 or 200


@pytest.mark.parametrize(("side", "size"), [(64, 32), (96, 32), (64, 48), (64, 28), (32, 28)])
def test_a_smaller_picture_averages_areas(side, size):
    images = random_images(2, 3, side)
    # Enlarged so much that each new pixel is a whole number of small ones.
    fine = images.double().repeat_interleave(size, 2).repeat_interleave(size, 3)
    expected = torch.nn.functional.avg_pool2d(fine, side)
    assert (fit(images, size) - expected).abs().max() <= 0.51  # rounded, in float32


def test_resizing_in_chunks_equals_resizing_alone():
    images = random_images(CHUNK + 2, 1, 8)
    together = fit(images, 28)
    for index in (0, CHUNK - 1, CHUNK, CHUNK + 1):
        assert torch.equal(together[index], fit(images[index : index + 1], 28)[0])


def test_oblong_pictures_are_refused():
    with pytest.raises(ValueError, match="square"):
        fit(torch.zeros(1, 1, 8, 9, dtype=torch.uint8), 28)
