"""Taking the model apart, below a drawing: components and wiring."""

from typing import Any

import gradio as gr

from genimg.ui import components
from genimg.ui.messages import silently
from genimg.ui.transformer import components as transformer_components
from genimg.ui.transformer.drawing_handlers import DrawingHandlers
from genimg.ui.transformer.surgery_handlers import SurgeryHandlers

_EXPLANATION = (
    "What is a part of the model good for? Choose a head above and change it here: the picture is"
    " drawn again from the same random numbers. The less likely the changed model finds the first"
    " picture, the more the model relied on that part."
)


def build(drawing: gr.HTML, drawings: DrawingHandlers) -> None:
    """Add the panel, which can be used after the first event `select` of `drawing`."""
    handlers = SurgeryHandlers(drawings)
    with gr.Column(elem_classes=["stage", "foldable"]):
        components.heading("Take it apart")
        gr.Markdown(_EXPLANATION, elem_classes=["explanation"])
        panel = transformer_components.surgery(name="surgery", operate=handlers.operate)

    def follow(event: gr.EventData) -> dict[str, Any]:
        return handlers.panel(event._data)

    # What a drawing sends by itself is never wrong, and there is no queue to wait in.
    components.event(drawing, "select")(
        silently(follow), None, panel, queue=False, trigger_mode="multiple",
        show_progress="hidden", api_visibility="private",
    )  # fmt: skip
