import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from genimg.data.png_chunks import SIGNATURE, bits_of_png, without_extras

NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 30, 3), np.uint8))


def png(image=NOISE, **options):
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **options)
    return buffer.getvalue()


def with_chunk(kind, data):
    """A picture with one chunk more, behind its header."""
    chunk = struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return png()[:33] + chunk + png()[33:]


def texts(count, **options):
    info = PngImagePlugin.PngInfo()
    for number in range(count):
        info.add_text(f"key{number}", "workflow " * 1000, **options)
    return {"pnginfo": info}


@pytest.mark.parametrize(
    "options",
    [
        texts(300),
        texts(300, zip=True),
        {"icc_profile": np.random.default_rng(0).bytes(3_000_000)},
        {"dpi": (72, 72)},
    ],
    ids=["texts", "packed texts", "profile", "small"],
)
def test_what_is_no_pixel_is_left_out(options):
    content = without_extras(png(**options))
    assert len(content) <= len(png())
    with Image.open(io.BytesIO(content)) as image:
        assert np.array_equal(image, NOISE)


def test_what_the_pixels_need_stays():
    palette = NOISE.convert("P")
    palette.info["transparency"] = 3
    with Image.open(io.BytesIO(without_extras(png(palette)))) as image:
        assert np.array_equal(image.convert("RGBA"), palette.convert("RGBA"))
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(io.BytesIO(without_extras(png(exif=exif)))) as image:
        assert image.getexif()[0x0112] == 6


def test_the_first_frame_of_an_animation_stays():
    content = png(save_all=True, append_images=[NOISE.rotate(90), NOISE.rotate(180)])
    assert b"acTL" not in without_extras(content)
    with Image.open(io.BytesIO(without_extras(content))) as image:
        assert np.array_equal(image, NOISE)


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"iCCP"])
def test_texts_that_unpack_to_very_much_are_refused(kind):
    head = b"k\0\1\0\0\0" if kind == b"iTXt" else b"k\0\0"
    bomb = with_chunk(kind, head + zlib.compress(bytes(2**24 + 1)))
    with pytest.raises(ValueError, match="unpack to over 16 MB"):
        without_extras(bomb)
    assert without_extras(with_chunk(kind, head + zlib.compress(bytes(2**20)))) == png()


def test_other_files_stay_as_they_are():
    assert without_extras(b"GIF89a") == b"GIF89a"
    assert bits_of_png(b"GIF89a") == 0
    assert bits_of_png(png()) == 8


@given(st.binary(max_size=300))
def test_any_bytes_behind_the_signature(content):
    assert without_extras(SIGNATURE + content).startswith(SIGNATURE)
