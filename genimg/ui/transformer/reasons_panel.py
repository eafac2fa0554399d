"""Why a token was drawn, below a drawing: components and wiring."""

import gradio as gr

from genimg.ui import components
from genimg.ui.texts import label, say
from genimg.ui.transformer import components as transformer_components
from genimg.ui.transformer.drawing_handlers import DrawingHandlers
from genimg.ui.transformer.reasons_handlers import ReasonsHandlers


def build(drawings: DrawingHandlers) -> None:
    """Add the panel, which follows the drawing in the browser (`static/drawing.js`)."""
    handlers = ReasonsHandlers(drawings)
    with gr.Column(elem_classes=["stage", "foldable"]):
        components.heading(say("transformer.reasons.heading"))
        gr.Markdown(label("transformer.reasons.about"), elem_classes=["explanation"])
        transformer_components.reasons(name="reasons", explain=handlers.explain)
