"""The components of the GAN tab."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from genimg.ui.components import component

STATIC = Path(__file__).parent / "static"


def picture(value: dict[str, str] | None, *, name: str) -> gr.HTML:
    """Return a picture with a caption; its event `settled` comes when it stopped changing."""
    return component(STATIC, "picture", ["helpers.js", "picture.js"], value, name=name)


def player(value: dict[str, Any], *, name: str, export: Callable) -> gr.HTML:
    """Return a player of a walk; `export` makes the file that a visitor saves."""

    def export_walk(request: Any) -> dict[str, str]:
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


def found(value: str, *, name: str) -> gr.HTML:
    """Return the line that says that a picture was found; its value is the code as text or ''."""
    return component(STATIC, "found", ["found.js"], value, name=name)


def search(*, name: str) -> gr.HTML:
    """Return the progress and the end of a search, see `OwnPictureHandlers.find`."""
    return component(STATIC, "search", ["search.js"], None, name=name)
