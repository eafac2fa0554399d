"""The part of the GAN tab that mixes the styles of pictures."""

from typing import Any

import gradio as gr
import numpy as np

from genimg.checks import require_whole_number
from genimg.explore import GanModel
from genimg.explore.mixing import layers_of, mix
from genimg.render import data_uri, grid
from genimg.ui.gan import components as gan_components
from genimg.ui.gan.sliders import MOST_MOMENTS, moment_of
from genimg.ui.gan.view import KEYFRAMES, seeds_in
from genimg.ui.messages import as_warning
from genimg.ui.model_shelf import ModelShelf

FIRST_ROWS = "5, 23, 42"
FIRST_COLUMNS = "7, 8, 9, 10"
_MOST_LAYERS = 16
_WORDS = (
    "Each layer of the generator is given the style anew. Here the first layers get that of the"
    " picture on the left, and the others that of the picture at the top. The first layers decide"
    " where things are, the last ones their colours."
)


def build(
    shelf: ModelShelf[GanModel], settings: list[gr.Component], queued: dict[str, Any]
) -> None:
    """Add the part.

    Args:
        settings: checkpoint, class, truncation, and the age of the model.
        queued: options of an event that has to say something.
    """
    checkpoint, label, truncation, age = settings
    with gr.Accordion("Mix pictures, layer by layer", open=False, elem_id="mix"):
        gr.Markdown(_WORDS, elem_classes=["explanation"])
        with gr.Row():
            rows = gr.Textbox(
                FIRST_ROWS, label="Seeds on the left", elem_id="mix-rows", max_lines=1
            )
            columns = gr.Textbox(
                FIRST_COLUMNS, label="Seeds at the top", elem_id="mix-columns", max_lines=1
            )
            layers = gr.Slider(
                0, _MOST_LAYERS, step=1, value=2, label="Layers from the left",
                elem_id="mix-layers",
            )  # fmt: skip
        make = gr.Button("Mix them", variant="primary", elem_id="mix-make")
        sheet = gan_components.picture(None, name="mixed")

    def mix_pictures(*values: Any) -> dict[str, str]:
        return mixed(shelf, *values)

    gr.on(
        [make.click, rows.submit, columns.submit, layers.release], as_warning(mix_pictures),
        [checkpoint, label, truncation, rows, columns, layers, age], sheet, **queued,
    )  # fmt: skip


def mixed(
    shelf: ModelShelf[GanModel],
    checkpoint: str,
    label: Any,
    truncation: Any,
    rows: Any,
    columns: Any,
    layers: Any,
    age: Any = MOST_MOMENTS,
) -> dict[str, str]:
    """Return a table of mixed pictures beside those that they are made of, for the page.

    Args:
        age: as for `GanHandlers.view`.

    Raises:
        ValueError: an argument is none that the page sends; one sentence.
    """
    coarse, fine = seeds_in(rows), seeds_in(columns)
    low, high = KEYFRAMES
    if not all(low <= len(seeds) <= high for seeds in (coarse, fine)):
        raise ValueError(f"give {low} to {high} seeds on each side, such as 1, 7, 42")
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
        "caption": f"The first {first} of {known} layers from the left, the others from the top",
    }
