"""Still pictures: arrays to Pillow images, larger ones, grids, and encoded bytes.

Which format is fastest? Milliseconds and kilobytes of one picture on one core of an x86 server,
from a 32 px colour picture of random noise, the hardest case; real pictures take less.

                                     png              jpeg             webp
    32 px, sent as it is          0.15 ms   3 kB   0.03 ms   2 kB    0.3 ms   1 kB
    512 px, enlarged by nearest    3.4 ms  11 kB    0.4 ms   9 kB    6.8 ms  14 kB
    512 px, enlarged smoothly       21 ms 420 kB    0.6 ms  62 kB     10 ms  42 kB

So JPEG is always the fastest, but it changes the values. A live view should send the small
picture as PNG, which is exact, and let the browser enlarge it (`image-rendering: pixelated`, or
smoothly): that is faster than any 512 px picture. WebP is for large pictures that must be small.
To measure again (PNG of the last row; the others by changing the last two lines):

    python -m timeit -s "import numpy as np; from genimg.render import encode, enlarge" \\
        -s "tiny = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)" \\
        -s "image = enlarge(tiny, 512, smooth=True)" \\
        "encode(image, 'png')"
"""

import base64
import io
import math
from typing import Any

import numpy as np
from PIL import Image

from genimg.checks import require_flag, require_one_of, require_whole_number

# PNG level 1 and WebP method 0 are the fastest settings; the files are somewhat larger.
_SAVE_OPTIONS = {"png": {"compress_level": 1}, "jpeg": {}, "webp": {"method": 0}}
_LONGEST_SIDE = {"png": 2**31 - 1, "jpeg": 65_500, "webp": 16_383}  # limits of the encoders


def to_image(array: np.ndarray | Image.Image) -> Image.Image:
    """Return an array as a picture of mode "L" (grey) or "RGB".

    Args:
        array: uint8 (H, W), (H, W, 1) or (H, W, 3); a picture of those modes is returned as it is.

    Raises:
        ValueError: anything else.
    """
    if isinstance(array, Image.Image):
        if array.mode not in ("L", "RGB"):
            raise ValueError(f"a picture must have mode L or RGB, not {array.mode}; use convert()")
        return array
    _require_uint8("an image", array)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]  # (H, W)
    if array.size == 0 or not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 3)):
        raise ValueError(
            f"an image needs the shape (H, W), (H, W, 1) or (H, W, 3), not {array.shape}"
        )
    return Image.fromarray(array.copy())  # Pillow would share the memory of a grey array


def enlarge(image: np.ndarray | Image.Image, size_px: int, smooth: bool = False) -> Image.Image:
    """Enlarge by the smallest whole factor that makes the long side at least `size_px`.

    Args:
        image: as for `to_image`. One that is large enough already keeps its size.
        size_px: pixels, 1 to 8192.
        smooth: False repeats every pixel exactly; True interpolates (Lanczos). Both give the
            same size.

    Raises:
        ValueError: not a picture, or `size_px` out of range.
    """
    image = to_image(image)
    require_whole_number("size_px", size_px, 1, 8192)
    require_flag("smooth", smooth)
    factor = _factor(image.size, size_px)
    if factor == 1:
        return image
    resampling = Image.Resampling.LANCZOS if smooth else Image.Resampling.NEAREST
    return image.resize((image.width * factor, image.height * factor), resampling)


def grid(
    images: np.ndarray, columns: int | None = None, gap: int = 0, background: int = 255
) -> Image.Image:
    """Lay out pictures in rows, left to right, top to bottom.

    The top left pixel of picture i is at row `(i // columns) * (H + gap)` and column
    `(i % columns) * (W + gap)`.

    Args:
        images: uint8 (N, H, W, C), C 1 or 3.
        columns: pictures in a row; the default makes the grid as square as it can be.
        gap: pixels between neighbours, 0 to 256.
        background: grey level of gaps and of empty places, 0 to 255.

    Raises:
        ValueError: an argument has another shape, type or range.
    """
    require_images(images)
    count, height, width, channels = images.shape
    columns = _square(count) if columns is None else columns
    require_whole_number("columns", columns, 1, 10_000)
    require_whole_number("gap", gap, 0, 256)
    require_whole_number("background", background, 0, 255)

    size = _grid_size(count, height, width, columns, gap)
    canvas = np.full((*size, channels), background, np.uint8)
    for i, image in enumerate(images):
        top, left = i // columns * (height + gap), i % columns * (width + gap)
        canvas[top : top + height, left : left + width] = image
    return to_image(canvas)


def encode(image: np.ndarray | Image.Image, format: str = "webp", quality: int = 92) -> bytes:
    """Return the picture as the bytes of a file.

    Args:
        image: as for `to_image`.
        format: "png" (exact), "jpeg" or "webp" (both lossy).
        quality: 1 (small) to 100 (faithful); PNG does not use it.

    Raises:
        ValueError: not a picture, an unknown format, `quality` out of range, or a side longer
            than the format allows.
    """
    image = to_image(image)
    require_one_of("format", format, _SAVE_OPTIONS)
    require_whole_number("quality", quality, 1, 100)
    _check_side(format, max(image.size))
    buffer = io.BytesIO()
    image.save(buffer, format, quality=quality, **_SAVE_OPTIONS[format])
    return buffer.getvalue()


def check_sheet(
    count: int, side: int, format: str, *, columns: int | None = None, size_px: int = 1
) -> None:
    """Raise ValueError unless `encode(enlarge(grid(images, columns), size_px), format)` will work.

    Args:
        count, side: how many square pictures, and their side in pixels.
    """
    sheet = _grid_size(count, side, side, _square(count) if columns is None else columns, 0)
    _check_side(format, max(sheet) * _factor(sheet, size_px))


def _square(count: int) -> int:
    """Return how many columns make a grid as square as it can be."""
    return math.ceil(math.sqrt(count))


def _grid_size(count: int, height: int, width: int, columns: int, gap: int) -> tuple[int, int]:
    """Return height and width of a grid in pixels."""
    return math.ceil(count / columns) * (height + gap) - gap, columns * (width + gap) - gap


def _factor(size: tuple[int, int], size_px: int) -> int:
    return math.ceil(size_px / max(size))


def _check_side(format: str, side: int) -> None:
    if side > _LONGEST_SIDE[format]:
        raise ValueError(
            f"a {format} picture has at most {_LONGEST_SIDE[format]} pixels a side, "
            f"not {side}; use png"
        )


def data_uri(image: np.ndarray | Image.Image, format: str = "webp", quality: int = 92) -> str:
    """Return the picture as a `data:` address that an HTML `<img>` shows; arguments of `encode`."""
    content = base64.b64encode(encode(image, format, quality)).decode("ascii")
    return f"data:image/{format};base64,{content}"


def require_images(images: Any) -> None:
    """Raise ValueError unless `images` is uint8 (N, H, W, C), not empty, with C 1 or 3."""
    _require_uint8("images", images)
    if images.ndim != 4 or images.size == 0 or images.shape[3] not in (1, 3):
        raise ValueError(
            f"images need the shape (N, H, W, C) with C 1 or 3 and N at least 1, not {images.shape}"
        )


def _require_uint8(noun: str, array: Any) -> None:
    if not isinstance(array, np.ndarray) or array.dtype != np.uint8:
        kind = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
        raise ValueError(f"{noun} must be a numpy array of uint8 (0 to 255), not {kind}")
