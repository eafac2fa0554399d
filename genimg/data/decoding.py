"""One picture file from a stranger becomes a small square of pixels.

A picture is decoded only after its stated size is known to be small enough, by one of three
decoders and no other, whatever its name says.
"""

import warnings
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps

FORMATS = ("PNG", "JPEG", "WEBP")
MAX_PIXELS = 16_000_000
FITS = ("crop", "pad")


def read_picture(source: Path | BinaryIO, size: int, fit: str = "crop") -> np.ndarray:
    """Read one PNG, JPEG or WebP picture (the first frame of an animation) as a square.

    The rotation in its EXIF data is applied, transparency is laid on white, and 16-bit grey is
    reduced to 8. An antialiasing (Lanczos) filter resizes.

    Args:
        source: a file by its path, or opened for reading bytes.
        size: side of the result, in pixels.
        fit: "crop" cuts out the largest centred square; "pad" keeps the whole picture and adds
            black bars.

    Returns:
        uint8 (size, size, 1) for a grey picture, else uint8 (size, size, 3).

    Raises:
        ValueError: it is none of these formats, is damaged, or has over 16 megapixels.
        MemoryError: the process may not take the memory that it needs.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(source, formats=FORMATS) as image:
                # Only the header has been read so far.
                if image.width * image.height > MAX_PIXELS:
                    raise ValueError(
                        f"it has {image.width} x {image.height} pixels; at most "
                        f"{MAX_PIXELS // 10**6} million are allowed"
                    )
                image.load()
                upright = ImageOps.exif_transpose(image)
                square = _as_square(_as_grey_or_rgb(upright), size, fit)
    except (ValueError, MemoryError):
        raise
    except Image.UnidentifiedImageError:
        raise ValueError("it is not a PNG, JPEG or WebP picture") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ValueError("it has far too many pixels") from None
    except Exception as error:  # hostile bytes can make a decoder raise anything
        raise ValueError(f"it cannot be decoded ({error or type(error).__name__})") from None
    return np.asarray(square).reshape(size, size, -1)


def _as_grey_or_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16-bit grey, which Pillow's own conversion clips at 255
        return Image.fromarray((np.asarray(image) >> 8).clip(0, 255).astype(np.uint8))
    grey = image.mode in ("1", "L", "LA", "La")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        image = Image.alpha_composite(white, layer)
    return image.convert("L" if grey else "RGB")


def _as_square(image: Image.Image, size: int, fit: str) -> Image.Image:
    if fit == "crop":
        return ImageOps.fit(image, (size, size), Image.Resampling.LANCZOS)
    scale = size / max(image.size)
    inner = [max(1, round(side * scale)) for side in image.size]  # (width, height)
    canvas = Image.new(image.mode, (size, size))  # black
    place = ((size - inner[0]) // 2, (size - inner[1]) // 2)
    canvas.paste(image.resize(inner, Image.Resampling.LANCZOS), place)
    return canvas
