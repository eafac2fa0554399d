"""Colour tables for numbers, uniform to the eye because they are drawn in OKLab.

OKLab (Björn Ottosson, "A perceptual color space for image processing", 2020) has three axes: the
lightness L from 0 (black) to 1 (white), a (green to red) and b (blue to yellow). Equal distances
in it look about equally large. A table is a path of straight pieces between a few anchor colours,
cut into steps of equal length, so equal differences of the value look equally large as well.
"""

import functools

import numpy as np

# (lightness, chroma, hue in degrees). Lightness only rises, so the order survives a grey print.
_SEQUENTIAL = (
    (0.22, 0.09, 295.0),
    (0.36, 0.11, 265.0),
    (0.50, 0.09, 230.0),
    (0.64, 0.10, 180.0),
    (0.78, 0.15, 140.0),
    (0.93, 0.15, 105.0),
)
# Both arms have the lightness and the chroma of the other, so neither sign looks stronger.
_DIVERGING = ((0.42, 0.13, 255.0), (0.97, 0.0, 0.0), (0.42, 0.13, 28.0))
_ANCHORS = {"sequential": _SEQUENTIAL, "diverging": _DIVERGING}

COLOR_MAPS = tuple(_ANCHORS)
MISSING = (255, 0, 255)  # magenta is on neither path, so NaN cannot be taken for a value

_STEPS = 257  # odd, so the middle of the diverging table is exactly neutral

_OKLAB_TO_LMS = np.array(
    [
        [1.0, 0.3963377774, 0.2158037573],
        [1.0, -0.1055613458, -0.0638541728],
        [1.0, -0.0894841775, -1.2914855480],
    ]
)
_LMS_TO_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)


@functools.cache
def color_table(name: str) -> np.ndarray:
    """Return the colours from the lowest to the highest value: uint8 (257, 3), read-only, sRGB.

    "sequential" runs from dark violet to light yellow for amounts; "diverging" from blue through
    near white to red for signed values.

    Raises:
        ValueError: `name` is not in `COLOR_MAPS`.
    """
    if name not in _ANCHORS:
        raise ValueError(f"color_map must be one of {', '.join(COLOR_MAPS)}, not {name!r}")
    lightness, chroma, hue = np.array(_ANCHORS[name]).T
    angle = np.deg2rad(hue)
    anchors = np.stack([lightness, chroma * np.cos(angle), chroma * np.sin(angle)])  # (3, anchors)

    lengths = np.linalg.norm(np.diff(anchors), axis=0)
    position = np.concatenate([[0.0], np.cumsum(lengths)]) / lengths.sum()
    at = np.linspace(0.0, 1.0, _STEPS)
    path = np.stack([np.interp(at, position, axis) for axis in anchors], axis=1)  # (257, 3)

    table = np.rint(255 * _oklab_to_srgb(path)).astype(np.uint8)
    table.flags.writeable = False  # every caller gets this same array
    return table


def _oklab_to_srgb(lab: np.ndarray) -> np.ndarray:
    """Convert OKLab (..., 3) to gamma-encoded sRGB in [0, 1]; colours outside are clipped."""
    linear = (lab @ _OKLAB_TO_LMS.T) ** 3 @ _LMS_TO_RGB.T
    linear = linear.clip(0.0, 1.0)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
