"""Your picture: components and wiring. What happens is in `own_picture_handlers`."""

from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from genimg.explore import GanModel
from genimg.ui import components
from genimg.ui.events import QUIET
from genimg.ui.gan.components import search as search_panel
from genimg.ui.gan.own_picture_handlers import OwnPictureHandlers
from genimg.ui.gan.view import GanView
from genimg.ui.messages import silently, warn
from genimg.ui.model_shelf import ModelShelf
from genimg.ui.texts import label as label_of

_LIVE: dict[str, Any] = QUIET | {
    "preprocess": False,
    "queue": False,
    "trigger_mode": "multiple",
}
_QUEUED: dict[str, Any] = _LIVE | {"queue": True}
_STOPPED = {"state": "stopped"}


def build(
    shelf: ModelShelf[GanModel],
    demo: gr.Blocks,
    settings: list[gr.Component],
    updates: Callable[[GanView], list[Any]],
    new_seed: gr.Button,
    place: gr.Column,
) -> None:
    """Add this part to `demo`, the page that is being built.

    Args:
        settings: the controls of the picture: checkpoint, class, seed, truncation, the sliders,
            and last the code of what was found.
        updates: returns an update of each of `settings` for a view.
        new_seed: the button that takes another seed.
        place: where it is shown.
    """
    handlers = OwnPictureHandlers(shelf)
    checkpoint, _, seed, *_, code = settings
    with place, gr.Accordion(label_of("gan.own.heading"), open=False, elem_id="own"):
        gr.Markdown(label_of("gan.own.about"), elem_classes=["explanation"])
        with gr.Row():
            with gr.Column(min_width=280):
                pad = components.pad(
                    handlers.first_pad(shelf.names[0]), name="own-pad", pick=handlers.pick
                )
            with gr.Column(min_width=280):
                with gr.Row():
                    find = gr.Button(
                        label_of("gan.own.find"), variant="primary", elem_id="find", min_width=120
                    )
                    stop = gr.Button(label_of("gan.own.stop"), elem_id="find-stop", min_width=90)
                search = search_panel(name="search")

    def search_for(checkpoint: str, seed: Any, picture: Any) -> Iterator[dict[str, Any]]:
        yield from _warned(handlers.find(checkpoint, seed, picture))

    def put_on_the_stage(found: Any, *values: Any) -> list[Any]:
        view = handlers.view(found)
        if view is None or view.checkpoint != values[0]:
            return list(values)  # meanwhile another model was chosen
        return updates(view)

    def compare(found: Any) -> Iterator[Any]:
        yield from _warned(handlers.compare(found))

    def stopped(found: Any) -> dict[str, Any]:
        # What has been found stays so, if only the comparison was stopped.
        done = isinstance(found, dict) and found.get("state") == "found"
        return {k: v for k, v in found.items() if k != "comparing"} if done else _STOPPED

    # Once: a double click is one search.
    searching = find.click(
        search_for, [checkpoint, seed, pad], search, **_QUEUED | {"trigger_mode": "once"}
    )
    shown = searching.then(silently(put_on_the_stage), [search, *settings], settings, **_LIVE)
    comparing = shown.then(compare, search, search, **_QUEUED)
    stop.click(stopped, search, search, cancels=[searching, comparing], **_LIVE)
    for another in (new_seed.click, components.event(seed, "input")):
        another(lambda: "", None, code, **_LIVE)
    moved_on = components.event(checkpoint, "change")
    moved_on(silently(handlers.pad_for), [checkpoint, pad], pad, **_LIVE)
    # What was found of another model is not on this one's stage.
    moved_on(lambda: {"state": ""}, None, search, **_LIVE)
    opened = demo.load(None, None, None, queue=False)
    opened.then(None, None, None, js=components.linked("own-pad"), queue=False)


def _warned(results: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield results; show the sentence of a ValueError as a warning, and as the last of them."""
    try:
        yield from results
    except ValueError as error:
        warn(error)
        yield {"state": "refused"}
