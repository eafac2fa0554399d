"""Pictures as the browser and the server exchange them: raw bytes, never a file.

The browser opens an uploaded file itself and sends only the pixels of the size that the model
takes. So the server never decodes a picture that a stranger made, and all it has to check is a
length.
"""

import base64
import binascii
from typing import Any

import numpy as np

from genimg.ui.texts import say


def picture_of(text: Any, size: int, channels: int) -> np.ndarray:
    """Return the picture that a browser sent, uint8 (size, size, channels).

    Args:
        text: base64 of size * size * channels bytes, in rows from the top, as `text_of` writes it.
        size: side in pixels.
        channels: 1 grey, 3 RGB.

    Raises:
        ValueError: it is anything else.
    """
    expected = size * size * channels
    try:
        # The length is checked first, so that nobody can make the server decode a long text.
        if not isinstance(text, str) or len(text) != -(-expected // 3) * 4:
            raise ValueError
        content = base64.b64decode(text, validate=True)
        if len(content) != expected:
            raise ValueError
    except (ValueError, binascii.Error):
        kind = say("pad.grey" if channels == 1 else "pad.colour_pixels")
        given = {"size": str(size), "kind": kind, "bytes": str(expected)}
        raise ValueError(say("pad.bad_pixels", **given)) from None
    return np.frombuffer(content, np.uint8).reshape(size, size, channels)  # (H, W, C)


def text_of(picture: np.ndarray) -> str:
    """Return a picture, uint8 (H, W, C), as base64; the inverse of `picture_of`."""
    return base64.b64encode(np.ascontiguousarray(picture).tobytes()).decode("ascii")


def mask_of(text: Any, grid: tuple[int, int]) -> np.ndarray:
    """Return which cells of a grid are marked, bool (rows, columns).

    Args:
        text: a "1" for each marked cell and a "0" for each other, in raster order.
        grid: rows and columns.

    Raises:
        ValueError: it is anything else.
    """
    rows, columns = grid
    if not isinstance(text, str) or len(text) != rows * columns or set(text) - {"0", "1"}:
        given = {"cells": str(rows * columns), "rows": str(rows), "columns": str(columns)}
        raise ValueError(say("pad.bad_cells", **given))
    return np.array([cell == "1" for cell in text]).reshape(grid)


def text_of_mask(mask: np.ndarray) -> str:
    """Return a mask, bool (rows, columns), as text; the inverse of `mask_of`."""
    return "".join("1" if cell else "0" for cell in mask.flat)


def disc(size: int, channels: int) -> np.ndarray:
    """Return a light disc on black, uint8 (size, size, channels).

    It is what a pad shows first where a model's test pictures are not on this machine.
    """
    middle = (size - 1) / 2
    rows, columns = np.mgrid[:size, :size]
    distance = np.hypot(rows - middle, columns - middle)
    light = np.clip(0.35 * size + 0.5 - distance, 0, 1) * 230  # one pixel wide at the edge
    return np.repeat(light.astype(np.uint8)[..., None], channels, axis=2)  # (H, W, C)
