"""The GAN tab's own components; see `genimg.ui.components` for how they are made."""

import gradio as gr

from genimg.ui.components import component

_HISTORY = """
<div class="line">
  <button type="button" data-do="undo" title="Ctrl+Z" disabled>Undo</button>
  <button type="button" data-do="redo" title="Ctrl+Shift+Z" disabled>Redo</button>
  <button type="button" data-do="bookmark" disabled>Bookmark</button>
  <button type="button" data-do="save" disabled>Save picture</button>
  <button type="button" data-do="link" disabled>Copy link</button>
</div>
<p role="status"></p>
<ul class="bookmarks" aria-label="Bookmarks" hidden></ul>
"""
_FOUND = "<p>This picture was found for yours. Undo leads back; a new seed draws another.</p>"
_SEARCH = """
<figure hidden><img alt=""><figcaption></figcaption></figure>
<progress max="1" value="0" aria-label="Progress of the search" hidden></progress>
<p role="status"></p>
<table hidden>
  <caption>How far off the same search ends, in grey levels of 255</caption>
  <tbody></tbody>
</table>
"""


def history(*, name: str) -> gr.HTML:
    """Return Undo, Redo, bookmarks, and ways to take the picture away.

    Its event `restore` carries {"query"}, of the view to show again; see `GanView.query`.
    """
    return component(None, _HISTORY, "history.js", name, "history")


def slider_ends(*, name: str) -> gr.HTML:
    """Return what puts a picture at both ends of each slider; its value is {"ends": [[low, high]]}.

    The pictures are data addresses of PNGs.
    """
    return component(None, "<span hidden></span>", "ends.js", name, "slider-ends")


def found(value: str, *, name: str) -> gr.HTML:
    """Return the line that says that a picture was found; its value is the code as text or ''."""
    return component(value, _FOUND, "found.js", name, "found")


def search(*, name: str) -> gr.HTML:
    """Return the progress and the end of a search, see `OwnPictureHandlers.find`."""
    return component(None, _SEARCH, "search.js", name, "search")
