"""How a tab is asked to show a model that is chosen elsewhere on the page."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from genimg.ui.model_shelf import ModelShelf


@dataclass(frozen=True, slots=True, eq=False)
class Opening:
    """What the page needs to show another model in a tab.

    Attributes:
        shelf: which offers the models.
        show: returns a new value or update of each of `outputs` for a name on the shelf; ValueError
            if that model cannot be loaded.
        outputs: the components.
    """

    shelf: ModelShelf
    show: Callable[[str], list[Any]]
    outputs: list[gr.blocks.Block]

    def inside(self, tabs: gr.Tabs, id: str) -> "Opening":
        """Return one that also opens the tab `id` of `tabs`."""

        def show(name: str) -> list[Any]:
            return [*self.show(name), gr.update(selected=id)]

        return Opening(self.shelf, show, [*self.outputs, tabs])
