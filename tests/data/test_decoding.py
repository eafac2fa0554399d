import io
import struct
import zlib
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from genimg.data.decoding import FITS, MAX_PIXELS, read_picture


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


def large(width, height, kind="JPEG", **options):
    """A photo's smooth colours."""
    small = noise(8, 8).resize((width, height), Image.Resampling.BILINEAR)
    return as_file_with(small, kind, **options)


def as_file_with(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    buffer.seek(0)
    return buffer


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize(("width", "height"), [(6000, 4000), (2000, 20_000), (300, 60_000)])
def test_photos_of_many_megapixels_are_decoded_smaller(width, height, progressive):
    assert width * height > MAX_PIXELS
    pixels = read_picture(large(width, height, progressive=progressive, quality=80), 32)
    side = min(width, height)
    box = ((width - side) // 2, (height - side) // 2, (width + side) // 2, (height + side) // 2)
    whole = noise(8, 8).resize((width, height), Image.Resampling.BILINEAR)
    expected = np.asarray(whole.resize((32, 32), Image.Resampling.LANCZOS, box), int)
    assert np.abs(pixels - expected).mean() < 4


def test_a_photo_of_a_phone_that_holds_several_pictures():
    photo = noise(200, 200)
    content = as_file_with(photo, "MPO", save_all=True, append_images=[photo], quality=95)
    assert read_picture(content, 28).shape == (28, 28, 3)
    assert read_picture(as_file_with(large_photo(), "MPO", quality=30), 28).shape == (28, 28, 3)


def large_photo():
    return noise(8, 8).resize((6000, 4000))


def test_a_png_of_many_megapixels_is_refused_with_what_to_do():
    with pytest.raises(ValueError, match=r"5000 x 4000 pixels.*at most 16 million.*or a JPEG"):
        read_picture(as_file(Image.new("1", (5000, 4000))), 28)


@pytest.mark.parametrize("depth", [8, 10, 12, 14, 16])
def test_the_bits_that_16_bit_grey_uses_are_kept(depth):
    values = np.linspace(0, 2**depth - 1, 900).astype(np.uint16).reshape(30, 30)
    notes = Counter()
    pixels = read_picture(as_file(Image.fromarray(values)), 30, notes=notes)
    assert np.array_equal(pixels[:, :, 0], values >> (depth - 8))
    assert notes == (
        {f"only {depth} of 16 bits used, so they were brightened": 1} if depth < 16 else {}
    )


def deep_png(values):
    """A 16-bit RGB picture, which Pillow cannot write."""
    height, width, _ = values.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0))]
    chunks += [(b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return io.BytesIO(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
            for kind, data in chunks
        )
    )


def test_16_bit_colours():
    values = np.random.default_rng(0).integers(0, 2**16, (28, 28, 3))
    assert np.array_equal(read_picture(deep_png(values), 28), values >> 8)
    dim = values >> 4  # 12 bits: the low byte is lost in decoding, but not the picture
    difference = read_picture(deep_png(dim), 28).astype(int) - (dim >> 4)
    assert np.abs(difference).max() < 16


@pytest.mark.parametrize(
    ("kind", "options"), [("PNG", {}), ("JPEG", {}), ("WEBP", {"quality": 90})]
)
def test_grey_that_is_saved_in_colours_is_grey(kind, options):
    grey = noise(40, 40, "L").resize((80, 80), Image.Resampling.BILINEAR)
    assert read_picture(as_file_with(grey.convert("RGB"), kind, **options), 32).shape == (32, 32, 1)
    tinted = Image.merge("RGB", [grey, grey, grey.point(lambda value: value // 2)])
    assert read_picture(as_file_with(tinted, kind, **options), 32).shape == (32, 32, 3)


@pytest.mark.parametrize("fit", FITS)
def test_a_transparent_logo_lies_on_white_and_bars_are_black(fit):
    logo = Image.new("RGBA", (60, 30), (255, 0, 0, 0))
    for image in (logo, logo.quantize(4), Image.new("LA", (60, 30), (0, 0))):
        pixels = read_picture(as_file(image), 28, fit)
        assert (pixels[14] == 255).all()
        assert (pixels[0] == (0 if fit == "pad" else 255)).all()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\0\0\0\x18ftypheic", "it is a HEIC picture, not a PNG"),
        (b"\0\0\0\x18ftypavif", "it is an AVIF picture, not a PNG"),
        (b"\0\0\0\x18ftypmp42", "it is a film, not a PNG"),
        (b"II*\0", "it is a TIFF picture, not a PNG"),
        (b"BM", "it is a BMP picture, not a PNG"),
        (b"hello", "it is not a PNG, JPEG or WebP picture"),
    ],
)
def test_what_is_no_picture_for_us_is_named(content, words):
    with pytest.raises(ValueError, match=words):
        read_picture(io.BytesIO(content + bytes(50)), 28)
