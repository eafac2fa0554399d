"""The components of the Transformer tab."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from genimg.ui.components import component

STATIC = Path(__file__).parent / "static"


def drawing(*, name: str) -> gr.HTML:
    """Return a drawing of an image GPT; its event `select` tells which attention is looked at.

    Its value is a `DrawingHandlers.payload`, or None before the first.
    """
    scripts = ["helpers.js", "fold.js", "payload.js", "heads.js", "next_token.js", "lens.js"]
    return component(STATIC, "drawing", [*scripts, "drawing.js"], None, name=name)


def parallel(*, name: str) -> gr.HTML:
    """Return a drawing of a MaskGIT; its event `select` tells which step is looked at.

    Its value is a `ParallelHandlers.payload`, or None before the first.
    """
    scripts = ["helpers.js", "payload.js", "heads.js", "parallel.js"]
    return component(STATIC, "parallel", scripts, None, name=name)


def numbers(*, name: str, export: Callable) -> gr.HTML:
    """Return the steps of one head's attention; `export` makes the file of all of them."""

    def export_numbers(request: Any) -> dict[str, str]:
        return export(request)

    scripts = ["helpers.js", "payload.js", "numbers.js"]
    return component(STATIC, "numbers", scripts, None, name=name, server_functions=[export_numbers])


def surgery(*, name: str, operate: Callable) -> gr.HTML:
    """Return the panel in which parts of a model are changed; `operate` makes the drawing again."""

    def operate_on(request: Any) -> dict[str, Any]:
        return operate(request)

    scripts = ["helpers.js", "payload.js", "heads.js", "surgery.js"]
    return component(STATIC, "surgery", scripts, None, name=name, server_functions=[operate_on])


def tiles(*, name: str) -> gr.HTML:
    """Return the picture that a model was given, and those that it made from it."""
    return component(STATIC, "tiles", ["helpers.js", "tiles.js"], None, name=name)


def vision(value: dict[str, Any], *, name: str) -> gr.HTML:
    """Return the viewer of a classifier's attention; its event `select` tells what is looked at."""
    scripts = ["helpers.js", "payload.js", "heads.js", "vision.js"]
    return component(STATIC, "vision", scripts, value, name=name)
