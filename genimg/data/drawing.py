"""Pictures drawn from named attributes: which values a picture has, and how it gets its pixels.

The numbers behind picture `index` of a seed come from Philox, a counter-based generator (Salmon et
al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011; numpy.random.Philox, whose raw stream
NumPy promises never to change). So a picture is the same however many are drawn, in any order and
by any number of processes, and its attributes are independent of one another. The seeds of
dicebear-core are not used, because consecutive ones give correlated pictures.
"""

import io
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from dicebear import Style

SUPERSAMPLING = 2
"""A picture is drawn at this many times its side, and averaged."""


@dataclass(frozen=True, slots=True)
class Names:
    """The values of an attribute that has names, in the order of their indices."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Numbers:
    """An attribute that takes every number in [0, 1)."""

    cyclic: bool = False
    """Whether 1 is the same as 0, as it is for a hue."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Design:
    """How the pictures of one data set are drawn."""

    style: str
    """Name of the style in the package dicebear-styles."""
    attributes: Mapping[str, Names | Numbers]
    class_attribute: str
    """The attribute that serves as the label; its values have names."""
    options: Callable[[Mapping[str, str], Mapping[str, float]], dict[str, Any]]
    """Turns the values of a picture, first the names, then the numbers, into options of the style.

    They must leave nothing to chance.
    """
    adapt: Callable[[dict[str, Any]], None] = lambda definition: None
    """Changes the definition of the style, before anything is drawn."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names, in label order."""
        kind = self.attributes[self.class_attribute]
        assert isinstance(kind, Names)  # a class is one of several names
        return kind.values


def values_of(design: Design, seed: int, split: int, index: int) -> dict[str, str | float]:
    """Return the values of picture `index`, one for each attribute, all independent and uniform.

    Args:
        design: what is drawn.
        seed: 0 to 2**64 - 1.
        split: 0 for train, 1 for test: another stream of the same seed.
        index: which picture, from 0.

    Returns:
        For each attribute one of its names, or a number in [0, 1] that float32 can hold.
    """
    # The picture's number is in the word above the one that Philox counts up: no streams overlap.
    key = np.array([seed, split], np.uint64)
    stream = np.random.Philox(key=key, counter=np.array([0, index, 0, 0], np.uint64))
    numbers = stream.random_raw(len(design.attributes)) >> np.uint64(11)  # 53 bits, as a float64
    values: dict[str, str | float] = {}
    for (name, attribute), number in zip(design.attributes.items(), numbers, strict=True):
        uniform = float(number) * 2.0**-53  # [0, 1)
        if isinstance(attribute, Names):
            values[name] = attribute.values[int(uniform * len(attribute.values))]
        else:
            # As it is stored, so that a picture can be drawn again from its attributes.
            values[name] = float(np.float32(uniform))
    return values


def draw(design: Design, values: Mapping[str, str | float], size: int) -> np.ndarray:
    """Draw one picture.

    Args:
        design: what is drawn.
        values: one value for each attribute.
        size: side in pixels.

    Returns:
        uint8 (size, size, 3).

    Raises:
        ImportError: dicebear-core, dicebear-styles or resvg-py is not installed.
    """
    # Imported here: reading a set that was drawn before must not need them.
    import resvg_py
    from dicebear import Avatar

    names = {name: value for name, value in values.items() if isinstance(value, str)}
    numbers = {name: value for name, value in values.items() if not isinstance(value, str)}
    svg = str(Avatar(_style(design.style, design.adapt), design.options(names, numbers)))
    side = size * SUPERSAMPLING
    png = resvg_py.svg_to_bytes(svg_string=svg, width=side, height=side, skip_system_fonts=True)
    with Image.open(io.BytesIO(png), formats=["PNG"]) as drawn:
        return _average(np.asarray(drawn.convert("RGB")))


def _average(pixels: np.ndarray) -> np.ndarray:
    """Average squares of `SUPERSAMPLING` pixels, uint8 (k * S, k * S, 3) to uint8 (S, S, 3)."""
    size = len(pixels) // SUPERSAMPLING
    squares = pixels.reshape(size, SUPERSAMPLING, size, SUPERSAMPLING, 3)
    return np.rint(squares.mean(axis=(1, 3))).astype(np.uint8)


@cache
def _style(name: str, adapt: Callable[[dict[str, Any]], None]) -> "Style":
    from dicebear import Style

    text = resources.files("dicebear_styles").joinpath(f"{name}.json").read_text("utf-8")
    definition = json.loads(text)
    adapt(definition)
    return Style(definition)


def color(lightness: float, chroma: float, hue: float) -> str:
    """Return a colour of OKLCH (Björn Ottosson, 2020) as six hexadecimal digits of sRGB.

    In OKLCH equal steps of hue look equally large, and colours of the same lightness equally light.

    Args:
        lightness: 0 (black) to 1 (white).
        chroma: 0 (grey) or more; what sRGB cannot show is clipped.
        hue: in full turns, so that 0 and 1 are the same.
    """
    angle = 2 * math.pi * hue
    a, b = chroma * math.cos(angle), chroma * math.sin(angle)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear = (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )
    return "".join(f"{round(255 * _encode(channel)):02x}" for channel in linear)


def _encode(linear: float) -> float:
    """Return the sRGB value, 0 to 1, of a channel of linear light."""
    linear = min(max(linear, 0.0), 1.0)
    return 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055
