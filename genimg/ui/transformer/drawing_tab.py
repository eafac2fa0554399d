"""The Draw tab: components and wiring. What happens is in `drawing_handlers`.

A drawing is made when somebody asks for it, because it takes a second. What can be seen of it then
is in the browser (`static/drawing.js`); only the code beside it and whatever else follows the event
`select` asks the server again.
"""

import time
from dataclasses import dataclass
from typing import Any

import gradio as gr

from genimg.ui import components
from genimg.ui.events import IN_ORDER, QUIET
from genimg.ui.gan.handlers import random_seed
from genimg.ui.messages import as_error, as_warning, silently, warn
from genimg.ui.model_shelf import ModelShelf
from genimg.ui.opening import Opening
from genimg.ui.texts import label as label_of
from genimg.ui.texts import say
from genimg.ui.transformer import components as transformer_components
from genimg.ui.transformer.drawing_handlers import DrawingHandlers, sampling
from genimg.ui.transformer.drawing_view import (
    ANY_CLASS,
    GUIDANCE,
    LARGEST_SEED,
    TEMPERATURE,
    TOP_P,
    DrawingView,
)

# The handlers check the values themselves, with a sentence that says what to do.
_QUEUED: dict[str, Any] = QUIET | {
    "preprocess": False,
    "trigger_mode": "always_last",
}
_LIVE: dict[str, Any] = _QUEUED | {"queue": False}
# What could have come next follows the sliders at once, in the browser alone.
_RESHAPE = """(temperature, top_k, top_p, guidance) => {
  const panels = document.querySelector('#drawing .panels');
  const detail = { temperature, top_k, top_p, guidance };
  panels?.dispatchEvent(new CustomEvent('reshape', { detail }));
  return [];
}"""


@dataclass(frozen=True, slots=True)
class DrawingPart:
    """What others need of the Draw tab.

    Attributes:
        component: shows the drawing; its event `select` tells what is looked at.
        handlers: `asked` turns the detail of that event into the attention.
        opening: shows another model, in this tab.
    """

    component: gr.HTML
    handlers: DrawingHandlers
    opening: Opening


def build(shelf: ModelShelf, demo: gr.Blocks) -> DrawingPart:
    """Add the tab to `demo`, the page that is being built."""
    handlers = DrawingHandlers(shelf)
    first = handlers.first_view()
    initial = handlers.controls(first)
    gr.Markdown(label_of("transformer.draw.explanation"), elem_classes=["explanation", "wide"])
    with gr.Row(elem_classes=["stage", "aligned"]):
        checkpoint = components.choice(
            **initial["checkpoint"], label=say("transformer.model"), name="drawer", scale=3,
            min_width=150,
        )  # fmt: skip
        label = components.choice(
            **initial["label"], label=say("transformer.class_label"), name="draw-label", scale=3,
            min_width=130,
        )  # fmt: skip
        seed = gr.Number(
            label=label_of("transformer.seed"), precision=0, minimum=0, maximum=LARGEST_SEED,
            elem_id="draw-seed", scale=2, min_width=90, **initial["seed"],
        )  # fmt: skip
        die = gr.Button(
            label_of("transformer.new_seed"), elem_id="draw-die", scale=1, min_width=100
        )
        make = gr.Button(
            label_of("transformer.draw.make"), variant="primary", elem_id="draw-make", scale=2,
            min_width=120,
        )  # fmt: skip
    with gr.Row(elem_classes=["stage", "sliders"]):
        temperature = gr.Slider(
            *TEMPERATURE, step=0.05, label=label_of("transformer.temperature"), min_width=150,
            buttons=[], elem_id="draw-temperature", **initial["temperature"],
        )  # fmt: skip
        top_k = gr.Slider(
            0, step=1, label=label_of("transformer.top_k"), min_width=150, buttons=[],
            elem_id="draw-top-k", **initial["top_k"],
        )  # fmt: skip
        top_p = gr.Slider(
            *TOP_P, step=0.05, label=label_of("transformer.top_p"), min_width=150, buttons=[],
            elem_id="draw-top-p", **initial["top_p"],
        )  # fmt: skip
        guidance = gr.Slider(
            *GUIDANCE, step=0.05, label=label_of("transformer.guidance"), min_width=150, buttons=[],
            elem_id="draw-guidance", **initial["guidance"],
        )  # fmt: skip
    facts = gr.HTML(elem_id="draw-facts", elem_classes=["facts"], **initial["facts"])
    drawing = transformer_components.drawing(name="drawing", looks=handlers.looks)
    with gr.Column(elem_classes=["stage", "foldable", "quiet"]):
        components.heading(say("transformer.draw.python"))
        code = components.snippet("", name="drawing-code")

    settings = [checkpoint, label, seed, temperature, top_k, top_p, guidance]
    controls = [*settings, facts]

    def draw_picture(*values: Any) -> dict[str, Any]:
        # With the time it is news to the browser even if it is the same drawing: it appears again.
        return handlers.payload(handlers.view(*values)) | {"asked": time.time()}

    def choose(checkpoint: str, label: Any, seed: int) -> list[Any]:
        view = handlers.view_in(checkpoint, label, seed)
        return [handlers.payload(view), *_updates(handlers, view)]

    def open_link(request: gr.Request) -> Any:
        query = dict(request.query_params)
        try:
            view = handlers.linked_view(query) if "drawer" in query else None
            sliders = handlers.linked_sliders(query) if view else None
        except ValueError as error:
            warn(error)
            view = sliders = None
        if view is None or sliders is None:  # not made before the page is served: it takes a second
            return [handlers.payload(first), *[gr.skip()] * len(controls)]
        shown = handlers.payload(view) | {"sliders": sampling(sliders)}
        return [shown, *_updates(handlers, sliders)]

    def show_code(event: gr.EventData) -> str:
        return handlers.snippet(event._data)

    # A drawing takes a second, so the old picture tells that it is on its way.
    drawn = _QUEUED | {"show_progress": "minimal", "show_progress_on": drawing}
    gr.on(
        [make.click, seed.submit, label.input], as_warning(draw_picture), settings, drawing,
        **drawn,
    )  # fmt: skip
    die.click(random_seed, None, seed, **_LIVE).then(
        as_warning(draw_picture), settings, drawing, **drawn
    )
    checkpoint.input(as_warning(choose), settings[:3], [drawing, *controls], **drawn)
    reshaping = [temperature, top_k, top_p, guidance]
    gr.on([slider.change for slider in reshaping], None, reshaping, None, js=_RESHAPE, **_LIVE)
    drawing.select(silently(show_code), None, code, **IN_ORDER)
    demo.load(open_link, None, [drawing, *controls], **_QUEUED)
    gr.api(as_error(handlers.draw), api_name="draw")
    opening = Opening(shelf, lambda name: choose(name, ANY_CLASS, first.seed), [drawing, *controls])
    return DrawingPart(drawing, handlers, opening)


def _updates(handlers: DrawingHandlers, view: DrawingView) -> list[Any]:
    """Return the updates of all settings and of the facts."""
    return transformer_components.updates(handlers.controls(view))
