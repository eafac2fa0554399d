"""What is beside a picture: neighbours, truncations, the names of its sliders. No Gradio."""

import dataclasses
from typing import Any

import numpy as np

from genimg.explore.codes import text_of
from genimg.explore.combining import neighbour_code
from genimg.ui.gan.cells import chosen_cell, sheet_of
from genimg.ui.gan.handlers import NEIGHBOURS, GanHandlers
from genimg.ui.gan.sliders import slider_labels
from genimg.ui.gan.view import GanView
from genimg.ui.texts import say, sent

TRUNCATIONS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5)


def neighbour(handlers: GanHandlers, asked: Any) -> GanView:
    """Return the view of a neighbour, with every slider where it is.

    Args:
        asked: {"cell", "query"} from the browser, of the sheet that `GanHandlers.neighbours` made.

    Raises:
        ValueError: there is no such neighbour.
    """
    number, query = chosen_cell(asked, NEIGHBOURS)
    view = handlers.queried_view(query)
    if number == 0:
        return view
    given = view.arguments()
    kept = {name: given[name] for name in ("seed", "label", "latents", "code") if name in given}
    with handlers.shelf.use(view.checkpoint) as model:
        code = neighbour_code(view.model_in(model), number, **kept)
    return dataclasses.replace(view, code=text_of(code))


def truncations(handlers: GanHandlers, view: GanView) -> dict[str, Any]:
    """Return the picture at each of TRUNCATIONS; {} for a model without a mapping network."""
    with handlers.shelf.use(view.checkpoint) as model:
        if "w" not in model.spaces:
            return {}
        judged = view.model_in(model)
        given = view.arguments()
        pixels = [judged.picture(**given | {"truncation": amount}) for amount in TRUNCATIONS]
    amounts = [f"{amount:g}" for amount in TRUNCATIONS]
    return sheet_of(
        np.stack(pixels),
        [say("gan.truncations.cell", amount=amount) for amount in amounts],
        say("gan.truncations.about"),
        columns=len(amounts),
        texts=amounts,
    )


def called(handlers: GanHandlers, view: GanView) -> dict[str, Any]:
    """Return the model of a view, and what its sliders are called and say below that."""
    count = max(handlers.acting(view.checkpoint), len(view.directions))
    with handlers.shelf.use(view.checkpoint) as model:
        labels = slider_labels(model, count)
    words = {f"{part}s": [sent(one[part]) for one in labels] for part in ("label", "info")}
    return {"model": view.checkpoint, **words}


def chosen_truncation(asked: Any) -> float:
    """Return the truncation that was chosen; ValueError if there is no such."""
    return TRUNCATIONS[chosen_cell(asked, len(TRUNCATIONS))[0]]
