"""Look at a picture: components and wiring. What happens is in `vision_handlers`."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from genimg.ui import components
from genimg.ui.events import IN_ORDER, QUIET
from genimg.ui.messages import as_error, as_warning
from genimg.ui.model_shelf import ModelShelf
from genimg.ui.opening import Opening
from genimg.ui.texts import choices, label, say
from genimg.ui.transformer import components as transformer_components
from genimg.ui.transformer.vision_handlers import VisionHandlers

# What follows a stroke. Values come as they are, because the handlers check them.
_QUEUED: dict[str, Any] = QUIET | {
    "preprocess": False,
    "trigger_mode": "always_last",
}


@dataclass(frozen=True, slots=True, eq=False)
class VisionPart:
    """What others on the page can build upon.

    Attributes:
        component: the viewer; its event `select` carries {"looking", "layer", "head", "query"}.
        handlers: whose `asked` understands that.
        opening: shows another model, in this part.
    """

    component: gr.HTML
    handlers: VisionHandlers
    opening: Opening


def build(shelf: ModelShelf, demo: gr.Blocks) -> VisionPart:
    """Add this part to `demo`, the page that is being built."""
    handlers = VisionHandlers(shelf)
    first = shelf.names[0]
    value = handlers.first_pad(first)
    with gr.Row(elem_classes=["stage", "looker"]):
        with gr.Column(scale=5, min_width=320):
            checkpoint = components.choice(
                shelf.choices(), first, label=say("transformer.model"), name="vision-checkpoint",
                min_width=150, visible=len(shelf.names) > 1,
            )  # fmt: skip
            pad = components.pad(value, name="vision-pad", pick=handlers.pick)
            gr.Markdown(label("transformer.look.about"), elem_classes=["explanation", "later"])
            with gr.Column(elem_classes=["foldable", "quiet", "later"]):
                components.heading(say("transformer.look.python"))
                code = components.snippet(handlers.snippet(first, value), name="vision-code")
        with gr.Column(scale=7, min_width=320):
            viewer = transformer_components.vision(handlers.looking(first, value), name="vision")

    def show(checkpoint: str, value: Any) -> dict[str, Any]:
        return handlers.looking(checkpoint, value)

    def tell(checkpoint: str, value: Any, event: gr.EventData) -> str:
        return handlers.snippet(checkpoint, value, event._data)

    def open_model(checkpoint: str) -> list[Any]:
        picture = handlers.first_pad(checkpoint)
        chosen = gr.update(value=checkpoint, choices=choices(shelf.choices()), visible=True)
        looking = handlers.looking(checkpoint, picture)
        return [chosen, picture, looking, handlers.snippet(checkpoint, picture)]

    def open_link(request: gr.Request) -> Any:
        name = request.query_params.get("looker")
        return open_model(shelf.named(name)) if name not in (None, first) else gr.skip()

    for changed in (pad.drawn, pad.restored):
        changed(as_warning(show), [checkpoint, pad], viewer, **_QUEUED)
    checkpoint.input(as_warning(handlers.first_pad), checkpoint, pad, **_QUEUED).then(
        as_warning(show), [checkpoint, pad], viewer, **_QUEUED
    )
    viewer.select(as_warning(tell), [checkpoint, pad], code, **IN_ORDER)
    gr.api(as_error(handlers.look), api_name="look")

    opened = demo.load(as_warning(open_link), None, [checkpoint, pad, viewer, code], **_QUEUED)
    opened.then(None, None, None, js=components.linked("vision-pad"), queue=False)
    opening = Opening(shelf, open_model, [checkpoint, pad, viewer, code])
    return VisionPart(viewer, handlers, opening)
