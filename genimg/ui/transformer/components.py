"""The components of the Transformer tab."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gradio as gr

from genimg.ui.components import component
from genimg.ui.texts import choices

STATIC = Path(__file__).parent / "static"


def updates(controls: Mapping[str, dict[str, Any]]) -> list[Any]:
    """Return the update of each control, by what it must show: its value, choices and range."""
    found = []
    for entry in controls.values():
        words = {"choices": choices(entry["choices"])} if "choices" in entry else {}
        found.append(gr.update(**entry | words))
    return found


def drawing(*, name: str, looks: Callable) -> gr.HTML:
    """Return a drawing of an image GPT; its event `select` tells which attention is looked at.

    Its value is a `DrawingHandlers.payload`, or None before the first. `looks` gives the attention
    of one query of a drawing that is too long to send that of all.
    """

    def look_at(request: Any) -> dict[str, Any]:
        return looks(request)

    scripts = ["helpers.js", "fold.js", "payload.js", "heads.js", "head_table.js", "next_token.js"]
    scripts += ["lens.js", "overview.js", "drawing.js"]
    return component(STATIC, "drawing", scripts, None, name=name, server_functions=[look_at])


def parallel(*, name: str) -> gr.HTML:
    """Return a drawing of a MaskGIT; its event `select` tells which step is looked at.

    Its value is a `ParallelHandlers.payload`, or None before the first.
    """
    scripts = ["helpers.js", "payload.js", "heads.js", "parallel.js"]
    return component(STATIC, "parallel", scripts, None, name=name)


def numbers(*, name: str, export: Callable) -> gr.HTML:
    """Return the steps of one head's attention; `export` makes the file of all of them."""

    def export_numbers(request: Any) -> dict[str, Any]:
        return export(request)

    scripts = ["helpers.js", "payload.js", "numbers.js"]
    return component(STATIC, "numbers", scripts, None, name=name, server_functions=[export_numbers])


def reasons(*, name: str, explain: Callable) -> gr.HTML:
    """Return the panel that tells why a token was drawn; `explain` asks the model."""

    def explain_token(request: Any) -> dict[str, Any]:
        return explain(request)

    scripts = ["helpers.js", "payload.js", "heads.js", "reasons.js"]
    return component(STATIC, "reasons", scripts, None, name=name, server_functions=[explain_token])


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
    scripts = ["helpers.js", "fold.js", "payload.js", "heads.js", "vision.js"]
    return component(STATIC, "vision", scripts, value, name=name)
