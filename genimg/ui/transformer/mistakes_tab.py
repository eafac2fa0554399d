"""The tab of the classic mistakes in attention: components and wiring."""

from typing import Any

import gradio as gr

from genimg.explore.mistakes import MISTAKES
from genimg.ui import components
from genimg.ui.events import QUIET
from genimg.ui.messages import silently
from genimg.ui.texts import label, say
from genimg.ui.transformer import mistakes_handlers


def build(demo: gr.Blocks) -> None:
    """Add the tab to `demo`, the page that is being built."""
    first = next(iter(MISTAKES))
    gr.Markdown(label("transformer.mistakes.about"), elem_classes=["explanation", "wide"])
    chosen = components.choice(
        mistakes_handlers.choices(), first, label=say("transformer.mistakes.mistake"),
        name="mistake", min_width=200,
    )  # fmt: skip
    shown = gr.HTML(elem_id="mistake-shown", elem_classes=["mistake"])
    gr.Markdown(label("transformer.mistakes.depth_heading"))
    gr.Markdown(label("transformer.mistakes.depth_about"), elem_classes=["explanation", "wide"])
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
