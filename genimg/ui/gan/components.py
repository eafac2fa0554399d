"""The components of the GAN tab."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from genimg.ui.components import component
from genimg.ui.texts import sent

STATIC = Path(__file__).parent / "static"


def picture(value: dict[str, Any] | None, *, name: str) -> gr.HTML:
    """Return a picture with a caption; its event `settled` comes when it stopped changing."""
    return component(STATIC, "picture", ["helpers.js", "picture.js"], value, name=name)


def cells(value: dict[str, Any] | None, *, name: str) -> gr.HTML:
    """Return pictures side by side to choose from; hidden without a value.

    Its value is from `genimg.ui.gan.cells.sheet_of`; its event `choose` carries {"cell", "query"}.
    """
    return component(STATIC, "cells", ["cells.js"], value, name=name)


def plane(*, name: str) -> gr.HTML:
    """Return a map of the plane through three pictures, see `genimg.ui.gan.blending`.

    Its events `draw` and `use` carry what `Blending.draw_map` and `Blending.on_the_map` take.
    """
    return component(STATIC, "plane", ["here.js", "plane.js"], None, name=name)


def layers(*, name: str) -> gr.HTML:
    """Return a seed for each layer; its event `mix` carries what `Blending.layers` takes."""
    return component(STATIC, "layers", ["here.js", "layers.js"], None, name=name)


def ask(words: str, *, name: str) -> gr.HTML:
    """Return a button; its event `ask` carries {"here": the query of the picture on the stage}."""
    return component(STATIC, "ask", ["here.js", "ask.js"], sent(words), name=name)


def player(value: dict[str, Any], *, name: str, export: Callable) -> gr.HTML:
    """Return a player of a walk; `export` makes the file that a visitor saves."""

    def export_walk(request: Any) -> dict[str, Any]:
        return export(request)

    scripts = ["helpers.js", "player.js"]
    return component(STATIC, "player", scripts, value, name=name, server_functions=[export_walk])


def history(*, name: str) -> gr.HTML:
    """Return Undo, Redo, bookmarks, and ways to take the picture away.

    Its event `restore` carries {"query"}, of the view to show again; see `GanView.query`.
    """
    return component(STATIC, "history", ["helpers.js", "history.js"], None, name=name)


def slider_ends(*, name: str) -> gr.HTML:
    """Return what puts a picture at both ends of each slider; its value is {"ends": [[low, high]]}.

    The pictures are data addresses of PNGs.
    """
    return component(STATIC, "slider_ends", ["ends.js"], None, name=name)


def names(value: dict[str, Any], *, name: str) -> gr.HTML:
    """Return where sliders get names of one's own; its value: `genimg.ui.gan.nearby.called`."""
    scripts = ["helpers.js", "slider_words.js", "names.js"]
    return component(STATIC, "names", scripts, value, name=name)


def found(value: str, *, name: str) -> gr.HTML:
    """Return the line that says that a picture was found; its value is the code as text or ''."""
    return component(STATIC, "found", ["found.js"], value, name=name)


def noise(value: str, *, name: str, **options: Any) -> gr.HTML:
    """Return the choice of the noise; its value is "own", "off" or a seed as text."""
    return component(STATIC, "noise", ["noise.js"], value, name=name, **options)


def search(*, name: str) -> gr.HTML:
    """Return the progress and the end of a search, see `OwnPictureHandlers.find`."""
    return component(STATIC, "search", ["search.js"], None, name=name)
