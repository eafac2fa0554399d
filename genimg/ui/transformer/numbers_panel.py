"""The real numbers of one head's attention, below a viewer: components and wiring."""

from typing import Any

import gradio as gr

from genimg.ui import components
from genimg.ui.events import IN_ORDER
from genimg.ui.messages import silently
from genimg.ui.texts import label, say
from genimg.ui.transformer import components as transformer_components
from genimg.ui.transformer.numbers_handlers import Asked, NumbersHandlers


def build(viewer: gr.HTML, asked: Asked, *, name: str) -> gr.HTML:
    """Add the panel, which is empty until the event `select` of `viewer`, and return it.

    Args:
        viewer: the component in which layer, head and query are chosen.
        asked: see `NumbersHandlers`; it is given the detail of the event.
        name: identifier of the panel in the page.
    """
    handlers = NumbersHandlers(asked)
    with gr.Column(elem_classes=["stage", "foldable", "quiet"]):
        components.heading(say("transformer.numbers.heading"))
        gr.Markdown(label("transformer.numbers.about"), elem_classes=["explanation"])
        panel = transformer_components.numbers(name=name, export=handlers.file)

    def show(event: gr.EventData) -> dict[str, Any]:
        return handlers.panel(event._data)

    # What a viewer sends by itself is never wrong.
    viewer.select(silently(show), None, panel, **IN_ORDER)
    return panel
