"""Inside the generator, on the GAN tab: components and wiring.

What happens is in `inside_handlers` and `spectrum_handlers`. The part follows the picture on the
stage by its link, which the browser tells it (`static/inside.js`).
"""

from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from genimg.ui.components import component
from genimg.ui.events import QUIET
from genimg.ui.gan.components import STATIC
from genimg.ui.gan.handlers import GanHandlers
from genimg.ui.gan.inside_handlers import InsideHandlers
from genimg.ui.gan.spectrum_handlers import SpectrumHandlers

_UNITS = (
    "The generator makes the picture above in layers, each of many *units*. Every unit finds"
    " something in its places, such as an edge or the rim of a pair of glasses. Choose some and"
    " switch them off, make them stronger, or paint them into the picture: what changes is what"
    " they are for."
)
_SPECTRUM = (
    "## Blur, jaggies, checkerboards\nA picture is a sum of waves, from broad to fine. How much of"
    " each there is tells what no single picture shows: whether a model blurs, draws steps, or"
    " leaves the pattern that gave the first convolutional generators away."
)
_BUSY = {"error": "The server is too busy for this just now; try again in a moment."}
# In the queue, one at a time: both take seconds, and thirty may ask at once.
_HEAVY: dict[str, Any] = QUIET | {
    "concurrency_limit": 1,
    "concurrency_id": "inside",
    "trigger_mode": "once",
}
_LIVE: dict[str, Any] = QUIET | {"queue": False}


def build(gan: GanHandlers, demo: gr.Blocks) -> None:
    """Add the part, folded, to the GAN tab; a link to it opens it. Nothing runs before."""
    handlers, spectra = InsideHandlers(gan), SpectrumHandlers(gan)

    def look_inside(request: Any) -> dict[str, Any]:
        return handlers.look(request)

    with gr.Accordion("Inside", open=False, elem_id="inside-fold") as fold:
        gr.Markdown(_UNITS, elem_classes=["explanation"])
        scripts = ["helpers.js", "payload.js", "maps.js", "inside.js", "inside_brush.js"]
        inside = component(
            STATIC, "inside", scripts, None, name="inside", server_functions=[look_inside]
        )
        with gr.Column(elem_classes=["stage"]):
            gr.Markdown(_SPECTRUM, elem_classes=["explanation"])
            scripts = ["helpers.js", "spectrum.js"]
            shown = component(STATIC, "spectrum", scripts, None, name="spectrum")

    _answer(inside, handlers.measure)
    _answer(shown, spectra.compare)

    def open_link(request: gr.Request) -> Any:
        return gr.update(open=True) if "inside" in request.query_params else gr.skip()

    demo.load(open_link, None, fold, **_LIVE)


def _answer(asking: Any, handler: Callable[[Any], Iterator[dict[str, Any]]]) -> None:
    """Let a component's event "measure" be answered with what `handler` yields."""

    def answer(event: gr.EventData) -> Iterator[dict[str, Any]]:
        yield from handler(event._data)

    asked = asking.measure(answer, None, asking, **_HEAVY)
    asked.failure(lambda: _BUSY, None, asking, **_LIVE)
