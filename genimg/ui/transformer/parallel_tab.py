"""Draw in parallel: components and wiring. What happens is in `parallel_handlers`.

A drawing is made when somebody asks for it. Its steps are looked at in the browser
(`static/parallel.js`); only the code below follows the event `select`.
"""

import time
from typing import Any

import gradio as gr

from genimg.explore.parallel import ORDERS
from genimg.ui import components
from genimg.ui.events import IN_ORDER, QUIET
from genimg.ui.gan.handlers import random_seed
from genimg.ui.messages import as_error, as_warning, silently, warn
from genimg.ui.model_shelf import ModelShelf
from genimg.ui.opening import Opening
from genimg.ui.texts import label as label_of
from genimg.ui.texts import say
from genimg.ui.transformer import components as transformer_components
from genimg.ui.transformer.drawing_view import ANY_CLASS, GUIDANCE, LARGEST_SEED
from genimg.ui.transformer.parallel_handlers import ParallelHandlers, next_drawing
from genimg.ui.transformer.parallel_view import NOISE, order_words

# The handlers check the values themselves, with a sentence that says what to do.
_QUEUED: dict[str, Any] = QUIET | {
    "preprocess": False,
    "trigger_mode": "always_last",
}
_LIVE: dict[str, Any] = _QUEUED | {"queue": False}
# What the next drawing would be made with stands in the address, so that a reload loses nothing.
_MOVED = """(...values) => {
  const names = ['steps', 'order', 'guidance', 'noise'];
  const detail = Object.fromEntries(names.map((name, i) => [name, values[i]]));
  document.querySelector('#parallel .panels')
    ?.dispatchEvent(new CustomEvent('moved', { detail }));
  return [];
}"""


def build(shelf: ModelShelf, demo: gr.Blocks) -> Opening:
    """Add this part to `demo`, the page that is being built; return how it shows another model."""
    handlers = ParallelHandlers(shelf)
    first = handlers.first_view()
    initial = handlers.controls(first)
    gr.Markdown(label_of("transformer.parallel.about"), elem_classes=["explanation", "wide"])
    with gr.Row(elem_classes=["stage", "aligned"]):
        checkpoint = components.choice(
            **initial["checkpoint"], label=say("transformer.model"), name="parallel-model",
            scale=3, min_width=150,
        )  # fmt: skip
        label = components.choice(
            **initial["label"], label=say("transformer.class_label"), name="parallel-label",
            scale=3, min_width=130,
        )  # fmt: skip
        order = components.choice(
            [(order_words(name), name) for name in ORDERS], **initial["order"],
            label=say("transformer.parallel.kept_first"), name="parallel-order", scale=3,
            min_width=130,
        )  # fmt: skip
        seed = gr.Number(
            label=label_of("transformer.seed"), precision=0, minimum=0, maximum=LARGEST_SEED,
            elem_id="parallel-seed", scale=2, min_width=90, **initial["seed"],
        )  # fmt: skip
        die = gr.Button(
            label_of("transformer.new_seed"), elem_id="parallel-die", scale=1, min_width=100
        )
        make = gr.Button(
            label_of("transformer.draw.make"), variant="primary", elem_id="parallel-make",
            scale=2, min_width=120,
        )  # fmt: skip
    with gr.Row(elem_classes=["stage", "sliders"]):
        steps = gr.Slider(
            1, step=1, label=label_of("transformer.steps"), min_width=150, buttons=[],
            elem_id="parallel-steps", **initial["steps"],
        )  # fmt: skip
        guidance = gr.Slider(
            *GUIDANCE, step=0.05, label=label_of("transformer.guidance"), min_width=150, buttons=[],
            elem_id="parallel-guidance", **initial["guidance"],
        )  # fmt: skip
        noise = gr.Slider(
            *NOISE, step=0.1, label=label_of("transformer.noise"), min_width=150, buttons=[],
            elem_id="parallel-noise", **initial["noise"],
        )  # fmt: skip
    facts = gr.HTML(elem_id="parallel-facts", elem_classes=["facts"], **initial["facts"])
    drawing = transformer_components.parallel(name="parallel")
    with gr.Column(elem_classes=["stage", "foldable"]):
        components.heading(say("transformer.draw.python"))
        code = components.snippet("", name="parallel-code")

    settings = [checkpoint, label, seed, steps, order, guidance, noise]
    controls = [*settings, facts]

    def draw_picture(*values: Any) -> dict[str, Any]:
        # With the time it is news to the browser even if it is the same drawing: it appears again.
        return handlers.payload(handlers.view(*values)) | {"asked": time.time()}

    def choose(checkpoint: str, label: Any, seed: int) -> list[Any]:
        view = handlers.view_in(checkpoint, label, seed)
        shown = transformer_components.updates(handlers.controls(view))
        # With the time it replaces what somebody asked for of another model.
        return [handlers.payload(view) | {"asked": time.time()}, *shown]

    def open_link(request: gr.Request) -> list[Any]:
        query = dict(request.query_params)
        try:
            view = handlers.linked_view(query) if "parallel" in query else None
            moved = handlers.linked_controls(query) if view else None
        except ValueError as error:
            warn(error)
            view = moved = None
        if view is None or moved is None:  # not made before the page is served
            return [handlers.payload(first), *[gr.skip()] * len(controls)]
        shown = transformer_components.updates(handlers.controls(moved))
        return [handlers.payload(view) | {"controls": next_drawing(moved)}, *shown]

    def show_code(event: gr.EventData) -> str:
        return handlers.snippet(event._data)

    drawn = _QUEUED | {"show_progress": "minimal", "show_progress_on": drawing}
    gr.on(
        [make.click, seed.submit, label.input], as_warning(draw_picture), settings, drawing,
        **drawn,
    )  # fmt: skip
    die.click(random_seed, None, seed, **_LIVE).then(
        as_warning(draw_picture), settings, drawing, **drawn
    )
    checkpoint.input(as_warning(choose), settings[:3], [drawing, *controls], **drawn)
    moving: list[Any] = [steps, order, guidance, noise]
    gr.on([control.change for control in moving], None, moving, None, js=_MOVED, **_LIVE)
    drawing.select(silently(show_code), None, code, **IN_ORDER)
    demo.load(open_link, None, [drawing, *controls], **_QUEUED)
    gr.api(as_error(handlers.draw), api_name="draw_in_parallel")
    return Opening(shelf, lambda name: choose(name, ANY_CLASS, first.seed), [drawing, *controls])
