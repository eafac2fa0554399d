"""The tab of the classic mistakes in attention: components and wiring."""

from typing import Any

import gradio as gr

from genimg.explore.mistakes import DEPTH, MISTAKES
from genimg.ui import components
from genimg.ui.events import QUIET
from genimg.ui.messages import silently
from genimg.ui.transformer import mistakes_handlers

_EXPLANATION = (
    "Attention is a few lines of code, and nearly every line can be wrong without an error message."
    " Choose a mistake: the right module and the wrong one read the same sixteen random tokens, and"
    " one test tells them apart."
)
_DEPTH_EXPLANATION = (
    f"{DEPTH} layers with random weights, six times as large as those that a training begins with."
    " The bars are the gradient that reaches each layer, from the first on the left to the last;"
    " equal steps up are equal factors. Without residual connections it grows from layer to layer"
    " on its way back. Without normalisation as well, the tokens themselves fade on their way"
    " forward, and there is no gradient at all."
)


def build(demo: gr.Blocks) -> None:
    """Add the tab to `demo`, the page that is being built."""
    first = next(iter(MISTAKES))
    gr.Markdown(_EXPLANATION, elem_classes=["explanation", "wide"])
    chosen = components.choice(
        mistakes_handlers.choices(), first, label="Mistake", name="mistake", min_width=200
    )
    shown = gr.HTML(elem_id="mistake-shown", elem_classes=["mistake"])
    gr.Markdown("## Depth against gradient")
    gr.Markdown(_DEPTH_EXPLANATION, elem_classes=["explanation", "wide"])
    depth = gr.HTML(elem_id="mistake-depth", elem_classes=["mistake"])
    quiet: dict[str, Any] = QUIET | {
        "preprocess": False,
        "queue": False,
        "trigger_mode": "always_last",
    }
    components.event(chosen, "input")(
        silently(mistakes_handlers.comparison), chosen, shown, **quiet
    )
    # Not made before the page is served: both are computed, and take a moment.
    demo.load(silently(mistakes_handlers.comparison), chosen, shown, **quiet)
    demo.load(silently(mistakes_handlers.depth), None, depth, **quiet)
