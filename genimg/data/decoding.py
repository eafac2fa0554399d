"""One picture file from a stranger becomes a small square of pixels.

A picture is decoded only once its stated size is known to be small enough, and only by one of three
decoders, whatever its name says. What is not pixels (texts, colour profiles, previews) is never
decoded.
"""

import io
import warnings
from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps
from PIL.JpegImagePlugin import JpegImageFile

from genimg.data.png_chunks import SIGNATURE, bits_of_png, without_extras
from genimg.wording import Wording

FORMATS = ("PNG", "JPEG", "WEBP")
MAX_PIXELS = 16_000_000
"""The most that are decoded; a larger JPEG is decoded at 1/2, 1/4 or 1/8 of its sides."""
FITS = ("crop", "pad")
_MOST_BYTES = 2**28
_LONGEST_START = 12
_FINE = 4  # a JPEG is decoded to sides of at least this many times those of the result
_DEPTHS = (8, 10, 12, 14, 16)
_TONES = 2  # by which the channels of a grey picture may differ, after lossy compression
_OTHER_KINDS = {
    b"II*\0": Wording("picture.tiff", "a TIFF picture"),
    b"MM\0*": Wording("picture.tiff", "a TIFF picture"),
    b"BM": Wording("picture.bmp", "a BMP picture"),
    b"8BPS": Wording("picture.photoshop", "a Photoshop file"),
    b"%PDF": Wording("picture.pdf", "a PDF file"),
}
_OTHER_BRANDS = {
    **dict.fromkeys(
        (b"heic", b"heix", b"mif1", b"msf1", b"hevc"), Wording("picture.heic", "a HEIC picture")
    ),
    **dict.fromkeys((b"avif", b"avis"), Wording("picture.avif", "an AVIF picture")),
}


def read_picture(
    source: Path | BinaryIO, size: int, fit: str = "crop", notes: Counter[str] | None = None
) -> np.ndarray:
    """Read one PNG, JPEG or WebP picture (the first frame of an animation) as a square.

    The rotation in its EXIF data is applied, and transparent parts become white. More than 8 bits a
    channel are reduced to 8: the highest 8 of those that the picture uses, which may be 10, 12 or
    14 of the 16 in the file. It is resized with an antialiasing (Lanczos) filter. A colour picture
    that shows nothing but greys becomes a grey one.

    Args:
        source: a file by its path, or opened for reading bytes.
        size: side of the result, in pixels.
        fit: "crop" cuts out the largest centred square; "pad" keeps the whole picture and adds
            black bars.
        notes: counts what else was done to the picture, by its description in words.

    Returns:
        uint8 (size, size, 1) for a grey picture, else uint8 (size, size, 3).

    Raises:
        ValueError: it is in none of these formats, is damaged, or has too many pixels.
        OSError: the file cannot be read.
        MemoryError: the process is not allowed as much memory as this needs.
    """
    content = without_extras(_content(source))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # we count ourselves
            with Image.open(io.BytesIO(content), formats=FORMATS) as image:
                # Only the header has been read so far.
                _reduce(image, size)
                image.load()
                upright = ImageOps.exif_transpose(image)
                plain = _as_grey_or_rgb(upright, bits_of_png(content), notes)
                square = _as_square(plain, size, fit)
    except (ValueError, MemoryError):
        raise
    except Image.UnidentifiedImageError:
        raise ValueError(_what_else(content)) from None
    except Image.DecompressionBombError:
        raise ValueError(Wording("picture.too_many_pixels", "it has far too many pixels")) from None
    except Exception as error:  # hostile bytes can make a decoder raise anything
        raise ValueError(
            Wording(
                "picture.undecodable",
                "it cannot be decoded ({reason})",
                reason=str(error) or type(error).__name__,
            )
        ) from None
    return _without_colours(np.asarray(square).reshape(size, size, -1))


def _content(source: Path | BinaryIO) -> bytes:
    with source.open("rb") if isinstance(source, Path) else nullcontext(source) as file:
        start = file.read(_LONGEST_START)
        if not (start.startswith((SIGNATURE, b"\xff\xd8\xff")) or start[8:] == b"WEBP"):
            raise ValueError(_what_else(start))  # before a film is read as a whole
        content = start + file.read(_MOST_BYTES + 1 - len(start))
    if len(content) > _MOST_BYTES:
        raise ValueError(
            Wording(
                "picture.too_large",
                "it is larger than {megabytes} MB; make it smaller",
                megabytes=_MOST_BYTES // 2**20,
            )
        )
    return content


def _reduce(image: Image.Image, size: int) -> None:
    """Let a JPEG be decoded smaller, and refuse what would still have too many pixels."""
    width, height = image.size
    if isinstance(image, JpegImageFile):
        fine = (scale for scale in (8, 4, 2) if min(width, height) >= scale * _FINE * size)
        scale = next(fine, 1)
        while scale < 8 and width * height > MAX_PIXELS * scale**2:  # long and narrow
            scale *= 2
        image.draft(None, (max(1, width // scale), max(1, height // scale)))
    if image.width * image.height > MAX_PIXELS:
        raise ValueError(
            Wording(
                "picture.pixels",
                "it has {width} x {height} pixels, which are too many; at most {most}"
                " million are allowed; make it smaller, or a JPEG",
                width=width,
                height=height,
                most=MAX_PIXELS // 10**6,
            )
        )


def _as_grey_or_rgb(image: Image.Image, bits: int, notes: Counter[str] | None) -> Image.Image:
    if image.mode.startswith("I"):  # 16-bit grey, which Pillow's own conversion clips at 255
        return _eight_bits(np.asarray(image), 16, notes)
    grey = image.mode in ("1", "L", "LA", "La")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        image = Image.alpha_composite(white, layer)
    elif bits == 16 and not grey:  # Pillow has kept the high byte of each channel only
        return _eight_bits(np.asarray(image.convert("RGB")), 8, notes)
    return image.convert("L" if grey else "RGB")


def _eight_bits(values: np.ndarray, kept: int, notes: Counter[str] | None) -> Image.Image:
    """Return the highest 8 bits in use.

    Args:
        values: whole numbers from 0, (H, W) or (H, W, 3).
        kept: how many of the file's 16 bits the values still have.
    """
    used = int(values.max()).bit_length() + 16 - kept
    depth = min(depth for depth in _DEPTHS if depth >= used)
    shift = depth - 8 - (16 - kept)
    shifted = values.astype(np.int64) >> shift if shift >= 0 else values.astype(np.int64) << -shift
    if depth < 16 and used and notes is not None:
        notes[
            Wording(
                "picture.brightened",
                "only {depth} of 16 bits used, so they were brightened",
                depth=depth,
            )
        ] += 1
    return Image.fromarray(shifted.clip(0, 255).astype(np.uint8))


def _as_square(image: Image.Image, size: int, fit: str) -> Image.Image:
    if fit == "crop":
        return ImageOps.fit(image, (size, size), Image.Resampling.LANCZOS)
    scale = size / max(image.size)
    inner = [max(1, round(side * scale)) for side in image.size]  # (width, height)
    canvas = Image.new(image.mode, (size, size))  # black
    place = ((size - inner[0]) // 2, (size - inner[1]) // 2)
    canvas.paste(image.resize(inner, Image.Resampling.LANCZOS), place)
    return canvas


def _without_colours(pixels: np.ndarray) -> np.ndarray:
    """Return one channel of a picture whose three are all but the same, else the picture."""
    if pixels.shape[2] == 3 and np.ptp(pixels, axis=2).max() <= _TONES:
        return np.ascontiguousarray(pixels[:, :, 1:2])
    return pixels


def _what_else(start: bytes) -> str:
    kind = next((kind for mark, kind in _OTHER_KINDS.items() if start.startswith(mark)), None)
    if start[4:8] == b"ftyp":
        kind = _OTHER_BRANDS.get(start[8:12], Wording("picture.film", "a film"))
    if kind is None:
        return Wording("picture.other", "it is not a PNG, JPEG or WebP picture")
    return Wording("picture.of_kind", "it is {kind}, not a PNG, JPEG or WebP picture", kind=kind)
