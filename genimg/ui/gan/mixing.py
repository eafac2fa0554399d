"""Mix, map, sums: the part of the GAN tab that makes pictures of several others."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import gradio as gr
import numpy as np

from genimg.checks import require_whole_number
from genimg.explore import GanModel
from genimg.explore.mixing import layers_of, mix
from genimg.render import data_uri, grid
from genimg.ui import components
from genimg.ui.events import IN_ORDER
from genimg.ui.gan import components as gan_components
from genimg.ui.gan.blending import Blending
from genimg.ui.gan.handlers import GanHandlers
from genimg.ui.gan.sliders import MOST_MOMENTS, moment_of
from genimg.ui.gan.view import KEYFRAMES, GanView, seeds_in
from genimg.ui.messages import as_warning, silently
from genimg.ui.model_shelf import ModelShelf
from genimg.ui.texts import label as label_of
from genimg.ui.texts import say, sent

FIRST_ROWS = "5, 23, 42"
FIRST_COLUMNS = "7, 8, 9, 10"
_MOST_LAYERS = 16


def build(
    handlers: GanHandlers,
    settings: list[gr.Component],
    controls: list[gr.blocks.Block],
    updates: Callable[[GanView], list[Any]],
    queued: dict[str, Any],
) -> None:
    """Add the part, folded.

    Args:
        settings: checkpoint, class, truncation, and the age of the model.
        controls: what shows the picture of the tab.
        updates: returns an update of each of `controls` for a view.
        queued: options of an event that has to say something.
    """
    with gr.Accordion(label_of("gan.mix.heading"), open=False, elem_id="mix"):
        made = _map_and_ways(Blending(handlers), controls, updates)
        made += _table(handlers.shelf, settings, queued)
    # What was made of another model says nothing of this one.
    components.event(settings[0], "change")(
        lambda: [None] * len(made),
        None,
        made,
        **queued | {"queue": False, "trigger_mode": "multiple"},
    )


def _map_and_ways(
    blending: Blending,
    controls: list[gr.blocks.Block],
    updates: Callable[[GanView], list[Any]],
) -> list[gr.Component]:
    """Add the map, the ways and the layers; return what shows them and their Python."""
    with gr.Row(elem_classes=["stage"]):
        with _part("gan.mix.map", "gan.mix.map_about"):
            plane = gan_components.plane(name="plane")
        plane_code = _code("plane-code")
    with gr.Row(elem_classes=["stage"]):
        with _part("gan.mix.ways", "gan.mix.ways_about"):
            ask = gan_components.ask(say("gan.mix.draw_ways"), name="ways-ask")
            ways = gan_components.cells(None, name="ways")
        ways_code = _code("ways-code")
    with gr.Row(elem_classes=["stage"]):
        with _part("gan.mix.layers", "gan.mix.layers_about"):
            layers = gan_components.layers(name="layers")
        layers_code = _code("layers-code")

    def use(event: gr.EventData) -> list[Any]:
        return updates(blending.on_the_map(event._data))

    def go(event: gr.EventData) -> list[Any]:
        return updates(blending.on_a_way(event._data))

    def draw_map(event: gr.EventData) -> tuple[dict[str, Any], str]:
        return blending.draw_map(event._data)

    def show_ways(event: gr.EventData) -> tuple[dict[str, Any], str]:
        return blending.ways(event._data)

    def mix_them(event: gr.EventData) -> tuple[dict[str, Any], str]:
        return blending.layers(event._data)

    plane.draw(as_warning(draw_map), None, [plane, plane_code], **IN_ORDER)
    plane.use(as_warning(use), None, controls, **IN_ORDER)
    ask.ask(as_warning(show_ways), None, [ways, ways_code], **IN_ORDER)
    ways.choose(as_warning(go), None, controls, **IN_ORDER)
    layers.mix(as_warning(mix_them), None, [layers, layers_code], **IN_ORDER)
    return [plane, ways, layers, plane_code, ways_code, layers_code]


@contextmanager
def _part(heading: str, words: str) -> Iterator[None]:
    with gr.Column(scale=7, min_width=320):
        gr.Markdown(label_of(heading))
        gr.Markdown(label_of(words), elem_classes=["explanation"])
        yield


def _code(name: str) -> gr.HTML:
    """Add the Python of a part beside it, which appears with what it makes."""
    with gr.Column(scale=4, min_width=320):
        return components.snippet("", name=name)


def _table(
    shelf: ModelShelf[GanModel], settings: list[gr.Component], queued: dict[str, Any]
) -> list[gr.Component]:
    """Add the table of mixed pictures; return what shows it."""
    checkpoint, label, truncation, age = settings

    def most_layers(checkpoint: str) -> int:
        with shelf.use(checkpoint) as model:
            return max(1, layers_of(model))  # a slider has to lead somewhere, also without any

    known = most_layers(shelf.names[0])
    with gr.Column(elem_classes=["stage"]):
        gr.Markdown(label_of("gan.mix.table"))
        gr.Markdown(label_of("gan.mix.table_about"), elem_classes=["explanation"])
        with gr.Row():
            rows = gr.Textbox(
                FIRST_ROWS, label=label_of("gan.mix.rows"), elem_id="mix-rows", max_lines=1
            )
            columns = gr.Textbox(
                FIRST_COLUMNS, label=label_of("gan.mix.columns"), elem_id="mix-columns", max_lines=1
            )
            layers = gr.Slider(
                0, known, step=1, value=min(2, known), label=label_of("gan.mix.first_layers"),
                elem_id="mix-layers",
            )  # fmt: skip
        make = gr.Button(label_of("gan.mix.make"), variant="primary", elem_id="mix-make")
        sheet = gan_components.picture(None, name="mixed")

    def mix_pictures(*values: Any) -> dict[str, Any]:
        return mixed(shelf, *values)

    gr.on(
        [make.click, rows.submit, columns.submit, layers.release], as_warning(mix_pictures),
        [checkpoint, label, truncation, rows, columns, layers, age], sheet, **queued,
    )  # fmt: skip

    def fit_layers(checkpoint: str) -> dict[str, Any]:
        return gr.update(maximum=most_layers(checkpoint))

    components.event(checkpoint, "change")(
        silently(fit_layers), checkpoint, layers,
        **queued | {"queue": False, "trigger_mode": "multiple"},
    )  # fmt: skip
    return [sheet]


def mixed(
    shelf: ModelShelf[GanModel],
    checkpoint: str,
    label: Any,
    truncation: Any,
    rows: Any,
    columns: Any,
    layers: Any,
    age: Any = MOST_MOMENTS,
) -> dict[str, Any]:
    """Return a table of mixed pictures beside those that they are made of, for the page.

    Args:
        age: as for `GanHandlers.view`.

    Raises:
        ValueError: an argument is none that the page sends; one sentence.
    """
    coarse, fine = seeds_in(rows), seeds_in(columns)
    low, high = KEYFRAMES
    if not all(low <= len(seeds) <= high for seeds in (coarse, fine)):
        raise ValueError(say("gan.mix.seeds_needed", low=low, high=high))
    require_whole_number("the layers from the left", layers, 0, _MOST_LAYERS)
    with shelf.use(checkpoint) as model:
        moment = moment_of(model, age)
        model = model if moment is None else model.at(moment)
        known = layers_of(model)
        first = min(int(layers), known)
        given = {"label": label if model.classes else None, "truncation": truncation}
        table = mix(model, coarse, fine, layers=first, **given)
        left = [model.picture(seed=seed, **given) for seed in coarse]
        top = [model.picture(seed=seed, **given) for seed in fine]
    blank = np.full_like(top[0], 128)
    lines = [[blank, *top], *([one, *row] for one, row in zip(left, table, strict=True))]
    cells = np.stack([cell for line in lines for cell in line])
    return {
        "src": data_uri(grid(cells, columns=1 + len(fine)), "png"),
        "caption": sent(say("gan.mix.caption", first=first, known=known)),
    }
