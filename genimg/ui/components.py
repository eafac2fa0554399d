"""The page's own components: a template each, and plain JavaScript.

Templates hold no values. Gradio evaluates a template as a JavaScript string *after* it put the
values in, so that even the escaping `{{value}}` runs a `${...}` that is part of a value. The
scripts set text and attributes instead.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

STATIC = Path(__file__).parent / "static"
_TABS = [STATIC.parent / tab / "static" for tab in ("gan", "transformer", "training")]

_PICTURE = "<figure><img alt=''><figcaption></figcaption></figure>"
_PAGE = "<p role='alert' class='refused' hidden></p>"
_CHOICE = "<label><span></span><select></select></label>"
_HEADING = "<h2><button type='button' class='fold'></button></h2>"
_SNIPPET = (
    "<button type='button'>Copy</button><pre tabindex='0' aria-label='Python'><code></code></pre>"
)
_PLAYER = """
<canvas role="img" aria-label="The walk at the chosen moment"></canvas>
<p class="caption"></p>
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
_NUMBERS = """
<div class="top">
  <h3></h3>
  <button type="button" class="everything">All stages (.npz)</button>
  <p role="status"></p>
</div>
<ol></ol>
"""

_DRAWING = """
<div class="panels">
<div class="here">
<section class="now">
  <h2>The picture</h2>
  <div class="map canvas hatched busy" tabindex="0" role="application"
    aria-label="The drawing: click, or use the arrow keys, to choose a token">
    <canvas class="picture"></canvas><div class="marker picture-marker"></div>
  </div>
  <div class="line">
    <button type="button" class="play">Play</button>
    <input type="range" class="step" min="1" max="1" step="1" aria-label="Tokens drawn so far">
    <output></output>
  </div>
  <label class="line">Token
    <input type="range" class="query" min="0" max="1" step="1"><output></output>
  </label>
  <p class="caption">The model is drawing its first picture ...</p>
</section>
<section class="heads">
  <h2>All heads of all layers</h2>
  <p>One scale for all; below each its entropy in nats, low where it looks at few tokens.</p>
  <div class="head-grid"></div>
</section>
</div>
<section class="attention">
  <h2>What it looked at: <span class="place"></span></h2>
  <div class="seen">
    <div class="special"></div>
    <div class="map hatched">
      <canvas class="under"></canvas><canvas class="heat"></canvas><div class="marker"></div>
    </div>
  </div>
  <div class="color-bar"></div>
  <p class="numbers"></p>
  <p class="reading"></p>
</section>
<div class="ahead">
<section class="next">
  <h2><button type="button" class="fold">What could have come next</button></h2>
  <p>Temperature, top-k and top-p reshape it at once; a new guidance takes a new drawing.</p>
  <div class="bars"></div>
  <p class="numbers"></p>
  <p class="reshaped"></p>
</section>
<section class="rollout">
  <h2><button type="button" class="fold">Attention rollout</button></h2>
  <p>All layers together: through whom information can have come, if heads count alike.</p>
  <div class="seen">
    <div class="special"></div>
    <div class="map hatched">
      <canvas class="under"></canvas><canvas class="heat"></canvas><div class="marker"></div>
    </div>
  </div>
  <div class="color-bar"></div>
  <p class="numbers"></p>
  <p class="reading"></p>
</section>
</div>
</div>
"""
_PAD = """
<div class="tools" role="group" aria-label="Tool">
  <button type="button" data-tool="hide">Hide</button>
  <button type="button" data-tool="draw">Draw</button>
  <button type="button" data-tool="erase">Erase</button>
  <span class="brush">
    <label class="width">Brush <input type="range" min="1" max="8" step="0.5" value="3"></label>
    <label class="shade">Shade <input type="range" min="0" max="255" value="230"></label>
    <label class="paint">Colour <input type="color" value="#ffffff"></label>
  </span>
</div>
<canvas tabindex="0" role="application"></canvas>
<p class="caption"></p>
<label class="rows">Rows to keep, from the top
  <span><input type="range" min="0" max="1" step="1" value="0"><output></output></span>
</label>
<div class="sources">
  <button type="button" data-do="upload">Upload…</button>
  <button type="button" data-do="camera">Camera</button>
  <button type="button" data-do="invert">Invert</button>
  <button type="button" data-do="clear">Clear</button>
  <button type="button" data-do="undo" disabled>Undo</button>
  <button type="button" data-do="save">Save</button>
  <label class="crop" hidden><input type="checkbox" checked> Crop to a square</label>
  <input type="file" accept="image/png,image/jpeg,image/webp" aria-label="Picture file" hidden>
</div>
<div class="camera" hidden>
  <video muted playsinline aria-label="What the camera sees"></video>
  <button type="button" data-do="take">Take</button>
  <button type="button" data-do="leave">Close the camera</button>
</div>
<div class="number">
  <label>Test picture <input type="number" min="0" step="1"></label>
  <button type="button" data-do="random">Any</button>
</div>
<p role="status"></p>
<p class="note"></p>
"""
_TILES = """
<figure class="given">
  <img alt="What the model was given"><figcaption>What the model was given</figcaption>
</figure>
<div class="made busy"></div>
<p class="caption">The model is finishing its first pictures ...</p>
"""
_VISION = """
<div class="panels">
<section class="classes">
  <h2>The model takes it for</h2>
  <div class="class-bars"></div>
  <p>Choose a class to see what speaks for it.</p>
</section>
<section class="relevance">
  <h2>Speaks for <span class="place"></span></h2>
  <div class="seen">
    <div class="special"></div>
    <div class="map" role="img" aria-label="Relevance of each patch for the class">
      <canvas class="under"></canvas><canvas class="heat"></canvas>
    </div>
  </div>
  <div class="color-bar"></div>
  <p>Attention weighted by its gradient, each class on its own scale.</p>
</section>
<section class="attention">
  <h2>Attention <span class="place"></span></h2>
  <div class="seen">
    <div class="special"></div>
    <div class="map canvas" role="img"
      aria-label="Attention of the query to each patch; click a patch to ask from there">
      <canvas class="under"></canvas><canvas class="heat"></canvas><div class="marker"></div>
    </div>
  </div>
  <div class="color-bar"></div>
  <label class="own"><input type="checkbox"> Its own scale, for faint ones</label>
  <p class="numbers"></p>
</section>
<section class="rollout">
  <h2>Through all layers</h2>
  <div class="seen">
    <div class="special"></div>
    <div class="map canvas" role="img"
      aria-label="Attention rollout of the query; click a patch to ask from there">
      <canvas class="under"></canvas><canvas class="heat"></canvas><div class="marker"></div>
    </div>
  </div>
  <div class="color-bar"></div>
  <p class="numbers"></p>
</section>
<section class="asks">
  <label class="query">Query: who looks
    <span><input type="range" min="0" max="1" step="1" value="0"><output></output>
    <button type="button">Class token</button></span>
  </label>
</section>
<section class="heads">
  <h2>Every layer and head</h2>
  <div class="head-grid" role="group" aria-label="Layers and heads"></div>
  <p>Below each its entropy in nats. One scale for all, the one of the large map.</p>
</section>
</div>
"""


def static(file: str) -> Path:
    """Return the script or style called `file`: of one tab, or else of the whole page."""
    return next(
        (path for path in (folder / file for folder in _TABS) if path.exists()), STATIC / file
    )


def page() -> gr.HTML:
    """Return what watches over the whole page: numbers that a field does not allow, the open tab.

    Its value is {"tab"}, once that tab is open.
    """
    return component(None, _PAGE, ["address.js", "tabs.js", "fields.js"], "page", "page")


def picture(value: dict[str, str], *, name: str) -> gr.HTML:
    """Return a picture with a caption; its event `settled` comes when it stopped changing."""
    return component(value, _PICTURE, ["address.js", "picture.js"], name, "picture")


def choice(
    choices: Sequence[str | tuple[str, Any]], value: Any, *, label: str, name: str, **options: Any
) -> gr.HTML:
    """Return a list to choose one of: the browser's own, which opens and closes as others do.

    Its event `input` comes only when another value has been chosen. Its event `focus` comes
    before the list is opened.

    Args:
        choices: what to show, or (what to show, value) of each.
        value: the one that is chosen.
        options: of the layout: `scale`, `min_width`, `visible`.
    """
    made = component(
        value, _CHOICE, "choice.js", name, "choice", label=label, choices=list(choices), **options
    )
    # An update that says nothing of the choices loses them where the list is not shown yet.
    made.js_on_load = f"const FIRST_CHOICES = {json.dumps(list(choices))};\n{made.js_on_load}"
    return made


def heading(words: str) -> gr.HTML:
    """Return the heading of the part around it, of class "foldable", which a phone folds."""
    return component(words, _HEADING, ["fold.js", "heading.js"], None, "heading")


def snippet(value: str, *, name: str) -> gr.HTML:
    """Return Python code with a button that copies it."""
    return component(value, _SNIPPET, "snippet.js", name, "snippet")


def player(value: dict[str, Any], *, name: str, export: Callable) -> gr.HTML:
    """Return a player of a walk; `export` makes the file that a visitor saves."""

    def export_walk(request: Any) -> dict[str, str]:
        return export(request)

    scripts = ["address.js", "player.js"]
    return component(value, _PLAYER, scripts, name, "player", server_functions=[export_walk])


def numbers(*, name: str, export: Callable) -> gr.HTML:
    """Return the steps of one head's attention; `export` makes the file of all of them."""

    def export_numbers(request: Any) -> dict[str, str]:
        return export(request)

    scripts = ["payload.js", "numbers.js"]
    return component(None, _NUMBERS, scripts, name, "numbers", server_functions=[export_numbers])


def drawing(*, name: str) -> gr.HTML:
    """Return a drawing of an image GPT; its event `select` tells which attention is looked at.

    Its value is a `DrawingHandlers.payload`, or None before the first.
    """
    scripts = [
        "address.js",
        "fold.js",
        "format.js",
        "payload.js",
        "heads.js",
        "next_token.js",
        "drawing.js",
    ]
    return component(None, _DRAWING, scripts, name, "drawing")


def pad(value: dict[str, Any], *, name: str, pick: Callable) -> gr.HTML:
    """Return a small picture to draw, upload or pick; its event `drawn` follows every change.

    Args:
        value: of `genimg.ui.pad.first_value`.
        pick: answers a question for a test picture, see `genimg.ui.pad.pick`.
    """

    def held_out(request: Any) -> dict[str, Any]:
        return pick(request)

    scripts = ["upload.js", "pad.js", "pad_drawing.js", "pad_camera.js", "pad_sources.js"]
    return component(value, _PAD, scripts, name, "pad", server_functions=[held_out])


def linked(name: str) -> str:
    """Return JavaScript that tells the pad `name` that all controls are as the address wants."""
    return f"() => {{ document.dispatchEvent(new CustomEvent('linked', {{ detail: '{name}' }})) }}"


def tiles(*, name: str) -> gr.HTML:
    """Return the picture that a model was given, and those it made of it."""
    return component(None, _TILES, ["address.js", "tiles.js"], name, "tiles")


def vision(value: dict[str, Any], *, name: str) -> gr.HTML:
    """Return the viewer of a classifier's attention; its event `select` tells what is looked at."""
    scripts = ["address.js", "format.js", "payload.js", "heads.js", "vision.js"]
    return component(value, _VISION, scripts, name, "vision")


def component(
    value: Any | None,
    template: str,
    scripts: str | Sequence[str],
    name: str | None,
    style: str,
    **options: Any,
) -> gr.HTML:
    """Return a component; of several scripts, a later one can call what an earlier one defines."""
    files = [scripts] if isinstance(scripts, str) else scripts
    return gr.HTML(
        value,
        html_template=template,
        js_on_load="\n".join(static(file).read_text(encoding="utf-8") for file in files),
        apply_default_css=False,
        elem_id=name,
        elem_classes=[style],
        **options,
    )
