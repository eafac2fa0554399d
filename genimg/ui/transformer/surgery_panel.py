"""Taking the model apart, below a drawing: components and wiring."""

import gradio as gr

from genimg.ui import components
from genimg.ui.texts import label, say
from genimg.ui.transformer import components as transformer_components
from genimg.ui.transformer.drawing_handlers import DrawingHandlers
from genimg.ui.transformer.surgery_handlers import SurgeryHandlers


def build(drawings: DrawingHandlers) -> None:
    """Add the panel, which follows the drawing in the browser (`static/drawing.js`)."""
    handlers = SurgeryHandlers(drawings)
    with gr.Column(elem_classes=["stage", "foldable"]):
        components.heading(say("transformer.surgery.heading"))
        gr.Markdown(label("transformer.surgery.about"), elem_classes=["explanation"])
        transformer_components.surgery(name="surgery", operate=handlers.operate)
