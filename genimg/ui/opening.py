"""How a tab is asked to show a model that is chosen elsewhere on the page."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from genimg.explore.uses import Model
from genimg.ui.model_shelf import ModelShelf


@dataclass(frozen=True, slots=True, eq=False)
class Opening:
    """What the page needs to show another model in a tab.

    Attributes:
        shelf: which offers the models.
        show: returns a new value or update of each of `outputs` for a name on the shelf; ValueError
            if that model cannot be loaded.
        outputs: the components.
        places: where it is shown: tabs, and the id of the one to choose in them. They are chosen
            apart from `show`, which takes a moment in which a visitor may go elsewhere.
    """

    shelf: ModelShelf[Model]
    show: Callable[[str], list[Any]]
    outputs: list[gr.blocks.Block]
    places: tuple[tuple[gr.Tabs, str], ...] = ()

    def inside(self, tabs: gr.Tabs, id: str) -> "Opening":
        """Return one that also opens the tab `id` of `tabs`."""
        return replace(self, places=(*self.places, (tabs, id)))
