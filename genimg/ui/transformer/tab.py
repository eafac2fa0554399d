"""The Transformer tab: draw with an image GPT or a MaskGIT, complete a picture, look at one."""

from collections.abc import Mapping

import gradio as gr

from genimg.ui.model_shelf import JoinedShelf, ModelShelf
from genimg.ui.opening import Opening
from genimg.ui.texts import label
from genimg.ui.transformer import (
    completion_tab,
    drawing_tab,
    mistakes_tab,
    numbers_panel,
    parallel_tab,
    patterns_panel,
    reasons_panel,
    surgery_panel,
    vision_tab,
)


def build(shelves: Mapping[str, ModelShelf], demo: gr.Blocks) -> tuple[dict[str, Opening], gr.Tabs]:
    """Add what the models on `shelves` can do; at least one model of the tab is there.

    Args:
        demo: the page that is being built.

    Returns:
        For each use of a model how it is shown here; the tabs in this tab.
    """
    openings = {}
    with gr.Tabs(overflow_behavior="wrap") as parts:
        if "drawer" in shelves:
            with gr.Tab(label("tab.draw"), id="draw"):
                drawn = drawing_tab.build(shelves["drawer"], demo)
                openings["drawer"] = drawn.opening.inside(parts, "draw")
                reasons_panel.build(drawn.handlers)
                surgery_panel.build(drawn.handlers)
                numbers_panel.build(drawn.component, drawn.handlers.asked, name="draw-numbers")
                patterns_panel.build(demo)
        drawing = [shelves[use] for use in ("drawer", "masked-drawer") if use in shelves]
        if drawing:
            with gr.Tab(label("tab.complete"), id="complete"):
                completion_tab.build(JoinedShelf(drawing), demo)
        if "masked-drawer" in shelves:
            with gr.Tab(label("tab.parallel"), id="parallel"):
                shown = parallel_tab.build(shelves["masked-drawer"], demo)
                openings["masked-drawer"] = shown.inside(parts, "parallel")
        if "vision" in shelves:
            with gr.Tab(label("tab.look"), id="look"):
                looked = vision_tab.build(shelves["vision"], demo)
                openings["vision"] = looked.opening.inside(parts, "look")
                numbers_panel.build(looked.component, looked.handlers.asked, name="look-numbers")
        with gr.Tab(label("tab.mistakes"), id="mistakes"):
            mistakes_tab.build(demo)
    return openings, parts
