"""How models and drawings present themselves: a line in a terminal, a card in a notebook.

A model may come from a stranger, so what its card says is shown as plain text, never as HTML.
"""

import html
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image

from genimg.checks import shown
from genimg.render import data_uri, encode, enlarge, grid

_SHEET_COLUMNS, _SHEET_PIXELS, _PICTURE_PIXELS = 10, 600, 256


def pixels_text(size: int, channels: int) -> str:
    """Return the kind of pictures in words: "28 x 28 grey pixels"."""
    return f"{size} x {size} {'grey' if channels == 1 else 'colour'} pixels"


def model_facts(model: Any) -> dict[str, str]:
    """Return the facts about a `LoadedModel` by name, in the order of its line."""
    facts = {
        "kind": model.kind,
        "pictures": pixels_text(model.config.size, model.config.channels),
        "data set": shown(model.info["dataset"]) if "dataset" in model.info else "",
        "classes": f"{len(model.classes)} classes" if model.classes else "",
        "size": f"{sum(weight.numel() for weight in model.module.parameters()):,} parameters",
        "computes": f"{str(model.dtype).removeprefix('torch.')} on {model.device}",
    }
    return {name: fact for name, fact in facts.items() if fact}


def line(what: str, facts: Mapping[str, str]) -> str:
    """Return what something is, on one line."""
    return f"<{what}: {', '.join(facts.values())}>"


def sheet(pictures: np.ndarray) -> Image.Image:
    """Return pictures, uint8 (N, H, W, C), in rows of ten."""
    return enlarge(grid(pictures, columns=min(len(pictures), _SHEET_COLUMNS), gap=2), _SHEET_PIXELS)


def large(picture: np.ndarray) -> Image.Image:
    """Return one picture, uint8 (H, W, C), large enough to be looked at."""
    return enlarge(picture, _PICTURE_PIXELS)


def png(picture: Image.Image | None) -> bytes | None:
    """Return a picture as a notebook takes it; None, for which it shows none, stays None."""
    return None if picture is None else encode(picture, "png")


def card(title: str, facts: Mapping[str, str], picture: Image.Image | None) -> str:
    """Return HTML: a title, a table of facts, and a picture."""
    rows = "".join(
        f"<tr><th style='text-align:left'>{html.escape(name)}</th>"
        f"<td style='text-align:left'>{html.escape(fact)}</td></tr>"
        for name, fact in facts.items()
    )
    image = "" if picture is None else f"<img alt='' src='{data_uri(picture, 'png')}'>"
    return f"<div><strong>{html.escape(title)}</strong><table>{rows}</table>{image}</div>"
