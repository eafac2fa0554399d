import io

import numpy as np
import pytest
from PIL import Image

from genimg.data.decoding import FITS, read_picture


def noise(width, height, mode="RGB"):
    shape = (height, width, 3) if mode == "RGB" else (height, width)
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    return Image.fromarray(pixels)


def as_file(image, kind="PNG"):
    buffer = io.BytesIO()
    image.save(buffer, kind)
    buffer.seek(0)
    return buffer


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_square_of_the_right_size_is_left_alone(tmp_path, fit, mode):
    image = noise(32, 32, mode)
    image.save(tmp_path / "picture.png")
    for source in (as_file(image), tmp_path / "picture.png"):
        pixels = read_picture(source, 32, fit)
        assert np.array_equal(pixels, np.asarray(image).reshape(32, 32, -1))


@pytest.mark.parametrize(("width", "height"), [(28, 10), (10, 28), (28, 27), (1, 28)])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_padding_keeps_every_pixel_and_adds_black(width, height, mode):
    image = noise(width, height, mode)
    pixels = read_picture(as_file(image), 28, "pad")
    left, top = (28 - width) // 2, (28 - height) // 2
    inside = pixels[top : top + height, left : left + width]
    assert np.array_equal(inside, np.asarray(image).reshape(height, width, -1))
    assert pixels.astype(int).sum() == np.asarray(image).astype(int).sum()  # the rest is 0


def test_padding_scales_the_longer_side_to_the_size():
    white = Image.new("L", (200, 100), 255)
    pixels = read_picture(as_file(white), 32, "pad")[:, :, 0]
    assert np.array_equal(np.flatnonzero(pixels.any(axis=1)), np.arange(8, 24))
    assert (pixels[8:24] == 255).all()


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize(("width", "height"), [(5000, 1), (1, 5000), (1, 1)])
def test_extreme_shapes_still_become_squares(fit, width, height):
    pixels = read_picture(as_file(Image.new("L", (width, height), 255)), 48, fit)
    assert pixels.shape == (48, 48, 1)
    assert pixels.max() == 255


def test_lack_of_memory_is_not_blamed_on_the_picture(monkeypatch):
    def fail(self):
        raise MemoryError

    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", fail)
    with pytest.raises(MemoryError):
        read_picture(as_file(noise(8, 8)), 28)
