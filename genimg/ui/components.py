"""The page's own components: a template, and one plain JavaScript file each.

Templates hold no values. Gradio evaluates a template as a JavaScript string *after* it put the
values in, so that even the escaping `{{value}}` runs a `${...}` that is part of a value. The
scripts set text and attributes instead.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

STATIC = Path(__file__).parent / "static"

_PICTURE = "<figure><img alt=''><figcaption></figcaption></figure>"
_SNIPPET = "<button type='button'>Copy</button><pre><code></code></pre>"
_PLAYER = """
<canvas role="img" aria-label="The walk at the chosen moment"></canvas>
<div class="scrub">
  <button type="button" class="play">Play</button>
  <input type="range" min="0" max="1" value="0" step="1" aria-label="Moment of the walk">
  <output></output>
</div>
<div class="keyframes"></div>
<div class="save">
  <span>Save as</span>
  <button type="button" data-format="gif">GIF</button>
  <button type="button" data-format="webp">WebP</button>
  <button type="button" data-format="png">PNG strip</button>
</div>
<p role="status"></p>
"""


def picture(value: dict[str, str], *, name: str) -> gr.HTML:
    """Return a picture with a caption; its event `settled` comes when it stopped changing."""
    return _component(value, _PICTURE, "picture.js", name, "picture")


def snippet(value: str, *, name: str) -> gr.HTML:
    """Return Python code with a button that copies it."""
    return _component(value, _SNIPPET, "snippet.js", name, "snippet")


def player(value: dict[str, Any], *, name: str, export: Callable) -> gr.HTML:
    """Return a player of a walk; `export` makes the file that a visitor saves."""

    def export_walk(request: Any) -> dict[str, str]:
        return export(request)

    return _component(value, _PLAYER, "player.js", name, "player", server_functions=[export_walk])


def _component(
    value: Any, template: str, script: str, name: str, style: str, **options: Any
) -> gr.HTML:
    return gr.HTML(
        value,
        html_template=template,
        js_on_load=(STATIC / script).read_text(encoding="utf-8"),
        apply_default_css=False,
        elem_id=name,
        elem_classes=[style],
        **options,
    )
