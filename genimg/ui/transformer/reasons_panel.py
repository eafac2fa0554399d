"""Why a token was drawn, below a drawing: components and wiring."""

import gradio as gr

from genimg.ui import components
from genimg.ui.transformer import components as transformer_components
from genimg.ui.transformer.drawing_handlers import DrawingHandlers
from genimg.ui.transformer.reasons_handlers import ReasonsHandlers

_EXPLANATION = (
    "Where a head looks does not tell what decides. Here each earlier token is compared with the"
    " average of what the model expected in its place, and the class with any class: how much"
    " likelier did what really came make the token that was drawn? Ablation puts the average there"
    " and looks. The gradient guesses the same from slopes, in one pass."
)


def build(drawings: DrawingHandlers) -> None:
    """Add the panel, which follows the drawing in the browser (`static/drawing.js`)."""
    handlers = ReasonsHandlers(drawings)
    with gr.Column(elem_classes=["stage", "foldable"]):
        components.heading("Why this patch?")
        gr.Markdown(_EXPLANATION, elem_classes=["explanation"])
        transformer_components.reasons(name="reasons", explain=handlers.explain)
