"""Pictures side by side, each of which can be chosen: what the page is sent of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from genimg.checks import require_whole_number
from genimg.render import data_uri, grid
from genimg.ui.texts import sent


def sheet_of(
    pixels: np.ndarray,
    names: Sequence[str],
    caption: str,
    *,
    columns: int | None = None,
    query: str = "",
    texts: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Return what `static/cells.js` shows.

    Args:
        pixels: uint8 (N, H, W, C).
        names: what each is called.
        caption: what they are together.
        columns: of the sheet; by default as square as can be.
        query: what tells the server later of which sheet one was chosen.
        texts: what is written below each; by default nothing.
    """
    sheet = grid(pixels, columns)
    return {
        "src": data_uri(sheet, "png"),
        "caption": sent(caption),
        "columns": sheet.width // pixels.shape[2],
        "cells": [sent(name) for name in names],
        "query": query,
    } | ({} if texts is None else {"texts": list(texts)})


def chosen_cell(asked: Any, count: int) -> tuple[int, str]:
    """Return which cell of how many was chosen, and the query of its sheet, as the browser says.

    Raises:
        ValueError: it is none of them.
    """
    known = asked if isinstance(asked, dict) else {}
    require_whole_number("the picture", known.get("cell"), 0, count - 1)
    return int(known["cell"]), str(known.get("query", ""))
