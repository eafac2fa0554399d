"""Complete a picture: components and wiring. What happens is in `completion_handlers`."""

import time
from typing import Any

import gradio as gr

from genimg.ui import components
from genimg.ui.events import QUIET
from genimg.ui.gan.handlers import random_seed
from genimg.ui.messages import as_error, as_warning, warn
from genimg.ui.model_shelf import ModelShelf
from genimg.ui.texts import choices, say
from genimg.ui.texts import label as label_of
from genimg.ui.transformer import components as transformer_components
from genimg.ui.transformer.completion_handlers import CompletionHandlers
from genimg.ui.transformer.completion_view import COUNT
from genimg.ui.transformer.drawing_view import ANY_CLASS, LARGEST_SEED, TEMPERATURE, TOP_P

# Values come as they are, because the handlers check them.
_QUEUED: dict[str, Any] = QUIET | {
    "preprocess": False,
    "trigger_mode": "always_last",
}
# The browser sees by itself whether what is on the screen was made with other settings.
_COMPARE = """(...controls) => {
  const made = document.querySelector('#completions .made');
  made?.dispatchEvent(new CustomEvent('controls', { detail: controls }));
  return [];
}"""


def build(shelf: ModelShelf, demo: gr.Blocks) -> None:
    """Add this part to `demo`, the page that is being built."""
    handlers = CompletionHandlers(shelf)
    view = handlers.first_view()
    with gr.Row(elem_classes=["stage"]):
        with gr.Column(scale=5, min_width=320):
            pad = components.pad(
                handlers.first_pad(view.checkpoint), name="completion-pad", pick=handlers.pick
            )
        with gr.Column(scale=6, min_width=320):
            results = transformer_components.tiles(name="completions")
            with gr.Row():
                checkpoint = components.choice(
                    shelf.choices(), view.checkpoint, label=say("transformer.model"),
                    name="completion-checkpoint", min_width=150, visible=len(shelf.names) > 1,
                )  # fmt: skip
                label = components.choice(
                    handlers.classes(view.checkpoint), ANY_CLASS,
                    label=say("transformer.class_label"), name="completion-label", min_width=130,
                )  # fmt: skip
                temperature = gr.Slider(
                    *TEMPERATURE, step=0.05, value=view.temperature, buttons=[],
                    label=label_of("transformer.temperature"), elem_id="completion-temperature",
                    min_width=170,
                )  # fmt: skip
                top_p = gr.Slider(
                    *TOP_P, step=0.05, value=view.top_p, buttons=[],
                    label=label_of("transformer.complete.top_p"), elem_id="completion-top-p",
                    min_width=170,
                )  # fmt: skip
            with gr.Row(elem_classes=["aligned"]):
                count = gr.Slider(
                    *COUNT, step=1, value=view.count, buttons=[],
                    label=label_of("transformer.complete.pictures"),
                    elem_id="completion-count", min_width=150, scale=2,
                )  # fmt: skip
                seed = gr.Number(
                    view.seed, label=label_of("transformer.seed"), precision=0, minimum=0,
                    maximum=LARGEST_SEED, elem_id="completion-seed", min_width=90, scale=1,
                )  # fmt: skip
                die = gr.Button(
                    label_of("transformer.new_seed"), elem_id="completion-die", min_width=100,
                    scale=1,
                )  # fmt: skip
            complete = gr.Button(
                label_of("transformer.complete.make"), variant="primary", elem_id="complete"
            )
    with gr.Row(elem_classes=["stage"]):
        with gr.Column(scale=5, min_width=320):
            gr.Markdown(label_of("transformer.complete.about"), elem_classes=["explanation"])
        with gr.Column(scale=6, min_width=320, elem_classes=["foldable", "quiet"]):
            components.heading(say("transformer.complete.python"))
            code = components.snippet(handlers.snippet(view), name="completion-code")

    controls = [checkpoint, pad, label, count, seed, temperature, top_p]

    def show(*values: Any) -> tuple[dict[str, Any], str]:
        view = handlers.view(*values)
        # With the time it is news to the browser even if it is the same, which it then says.
        made = handlers.results(view) | {"controls": values, "asked": time.time()}
        return made | {"query": view.query()}, handlers.snippet(view)

    def open_link(request: gr.Request) -> list[Any]:
        query, first = request.query_params, handlers.first_controls()
        try:
            values = handlers.linked_controls(query) if "completion" in query else first
        except ValueError as error:
            warn(error)
            values = first
        if values == first:  # the browser's own memory may have a picture for the pad
            made = handlers.first_results() | {"controls": first}
            return [made, *[gr.skip()] * (1 + len(controls))]
        view = handlers.view(*values)
        shown = [gr.update(value=value) for value in values]
        shown[controls.index(label)]["choices"] = choices(handlers.classes(view.checkpoint))
        if view.checkpoint == first[0]:
            shown[controls.index(pad)] = gr.skip()
        return [handlers.results(view) | {"controls": values}, handlers.snippet(view), *shown]

    def choose(checkpoint: str) -> tuple[dict[str, Any], Any]:
        classes = choices(handlers.classes(checkpoint))
        return handlers.first_pad(checkpoint), gr.update(choices=classes, value=ANY_CLASS)

    drawing: dict[str, Any] = _QUEUED | {
        "fn": as_warning(show),
        "inputs": controls,
        "outputs": [results, code],
        "show_progress": "minimal",
        "show_progress_on": [results],
    }
    gr.on([complete.click, seed.submit], **drawing)
    pad.restored(**drawing)
    die.click(random_seed, None, seed, **_QUEUED).then(**drawing)
    others = [control for control in controls if control is not pad]
    for changed in (pad.drawn, *(components.event(control, "change") for control in others)):
        changed(None, controls, None, js=_COMPARE, **_QUEUED | {"queue": False})
    chosen = checkpoint.input(as_warning(choose), checkpoint, [pad, label], **_QUEUED)
    chosen.then(**drawing)
    opened = demo.load(open_link, None, [results, code, *controls], **_QUEUED)
    opened.then(None, None, None, js=components.linked("completion-pad"), queue=False)
    gr.api(as_error(handlers.complete), api_name="complete")
