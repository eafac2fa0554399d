"""Taking the model apart, below a drawing: components and wiring."""

import gradio as gr

from genimg.ui import components
from genimg.ui.transformer import components as transformer_components
from genimg.ui.transformer.drawing_handlers import DrawingHandlers
from genimg.ui.transformer.surgery_handlers import SurgeryHandlers

_EXPLANATION = (
    "What is a part of the model good for? Choose a head above and change it here: the picture is"
    " drawn again from the same random numbers. The less likely the changed model finds the first"
    " picture, the more the model relied on that part."
)


def build(drawings: DrawingHandlers) -> None:
    """Add the panel, which follows the drawing in the browser (`static/drawing.js`)."""
    handlers = SurgeryHandlers(drawings)
    with gr.Column(elem_classes=["stage", "foldable"]):
        components.heading("Take it apart")
        gr.Markdown(_EXPLANATION, elem_classes=["explanation"])
        transformer_components.surgery(name="surgery", operate=handlers.operate)
