"""Numbers as colours, on a scale the caller names.

The range is always an argument. A picture that stretched its own smallest and largest value over
the colours would make an almost even attention map look as sharp as a peaked one; with one range
for all heads they can be compared. For the same reason values are never interpolated: a cell of
the array is a block of one colour.
"""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from genimg.checks import require_number, require_one_of, require_whole_number
from genimg.render.colors import COLOR_MAPS, MISSING, color_table
from genimg.render.images import enlarge, to_image


def heat_map(
    values: np.ndarray,
    *,
    low: float,
    high: float,
    size_px: int,
    color_map: str = "sequential",
) -> Image.Image:
    """Draw each value as a square of one colour; RGB.

    Args:
        values: float or integer (H, W). Values outside the range get the colour of its end, NaN
            is magenta.
        low, high: the values of the first and the last colour. For "diverging" give -x and x, so
            that zero is neutral.
        size_px: pixels of the long side, at least; 1 to 8192.
        color_map: "sequential" or "diverging".

    Raises:
        ValueError: an argument has another shape, type or range.
    """
    return enlarge(_colors(values, low, high, color_map), size_px)


def overlay(
    image: np.ndarray | Image.Image,
    values: np.ndarray,
    low: float,
    high: float,
    alpha: float = 0.5,
    color_map: str = "sequential",
) -> Image.Image:
    """Lay a heat map over a picture: `(1 - alpha) * image + alpha * colors`; RGB, the same size.

    Args:
        image: as for `to_image`, (H, W) pixels.
        values: float or integer (h, w), one for each patch; h divides H and w divides W.
        low, high, color_map: as for `heat_map`.
        alpha: 0 (only the picture) to 1 (only the colours).

    Raises:
        ValueError: an argument has another shape, type or range.
    """
    picture = np.asarray(to_image(image).convert("RGB"), np.float32)  # (H, W, 3)
    colors = _colors(values, low, high, color_map)  # (h, w, 3)
    require_number("alpha", alpha, 0, 1)
    rows, columns = (
        side // cells for side, cells in zip(picture.shape[:2], colors.shape[:2], strict=True)
    )
    colors = colors.repeat(rows, axis=0).repeat(columns, axis=1)  # (H, W, 3)
    if colors.shape != picture.shape:
        raise ValueError(
            f"values of shape {values.shape} do not divide an image of shape "
            f"{picture.shape[:2]} into whole patches"
        )
    return to_image(np.rint(picture + alpha * (colors - picture)).astype(np.uint8))


def color_bar(
    low: float,
    high: float,
    *,
    width: int = 256,
    height: int = 16,
    color_map: str = "sequential",
) -> Image.Image:
    """Draw the scale of a heat map from left to right, with low and high written below; RGB.

    Args:
        low, high, color_map: as for `heat_map`.
        width: pixels of the bar and of the picture, 128 to 4096.
        height: pixels of the bar, 1 to 256; the numbers add 16.

    Raises:
        ValueError: an argument has another type or range.
    """
    require_whole_number("width", width, 128, 4096)
    require_whole_number("height", height, 1, 256)
    ramp = _colors(np.linspace(0, 1, width)[None], 0, 1, color_map)  # (1, width, 3)
    _require_range(low, high)

    picture = Image.new("RGB", (width, height + 16), "white")
    picture.paste(to_image(ramp.repeat(height, axis=0)), (0, 0))
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(12)
    draw.text((2, height + 2), f"{low:.4g}", "black", font, anchor="lt")
    draw.text((width - 2, height + 2), f"{high:.4g}", "black", font, anchor="rt")
    return picture


def _colors(values: np.ndarray, low: float, high: float, color_map: str) -> np.ndarray:
    """Return the colour of each value (H, W) as uint8 (H, W, 3)."""
    require_one_of("color_map", color_map, COLOR_MAPS)
    table = color_table(color_map)
    _require_range(low, high)
    if (
        not isinstance(values, np.ndarray)
        or values.dtype.kind not in "fiu"
        or values.ndim != 2
        or values.size == 0
    ):
        raise ValueError("values must be a numpy array of numbers of shape (H, W), not empty")
    missing = np.isnan(values)
    clipped = np.where(missing, low, values).astype(np.float64).clip(low, high)
    share = (clipped - low) / (high - low)  # 0 to 1
    colors = table[np.rint(share * (len(table) - 1)).astype(np.intp)]  # (H, W, 3)
    colors[missing] = MISSING
    return colors


def _require_range(low: float, high: float) -> None:
    largest = float(np.finfo(np.float32).max)  # a range of float64 could itself overflow
    require_number("low", low, -largest, largest)
    require_number("high", high, -largest, largest)
    if not low < high:
        raise ValueError(f"low must be less than high, not {low:g} and {high:g}")
