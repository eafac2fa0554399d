"""Draw again without parts of an image GPT: what were they good for?

    python -m genimg ablate fashion-gpt --label Coat --seed 3 --head 0.5=off --out coat.png
    python -m genimg ablate fashion-gpt --head 0.3=uniform --feed-forward 5 --out coat.png

The picture shows the drawing of the whole model and, beside it, that of the changed one, from the
same random numbers. A head is named by its layer and its number there; what is done to it is `off`
(it finds nothing), `uniform` (it looks at everything equally), `mean` (it looks where it looks on
average) or the number of another head of its layer, whose attention it then uses.
"""

import argparse
import re

import numpy as np

from genimg.cli.options import (
    CONTROLS,
    Parser,
    add_controls,
    add_label,
    add_name,
    add_out,
    add_seed,
    file_format,
    load_model,
)
from genimg.explore import DrawerModel
from genimg.explore.ablation import Treatment
from genimg.models.surgery import Place
from genimg.render import encode, enlarge, grid
from genimg.storage import atomic_write

SUMMARY = "draw again without parts of an image GPT"
_SIDE_PX = 512
_WORDS: dict[str, Treatment] = {"off": "off", "uniform": "uniform", "mean": "mean"}


def add_arguments(parser: Parser, arguments: list[str]) -> None:
    """Add the options of `ablate`."""
    add_name(parser, "An image GPT: checkpoint, its path, or a run's folder.")
    add_out(parser, "File to write, a .png.")
    parser.add_argument(
        "--head",
        type=_change,
        action="append",
        default=[],
        metavar="L.H=HOW",
        help="Head H of layer L and what is done to it, such as 0.5=off; can be given again"
        " (default none).",
    )
    parser.add_argument(
        "--feed-forward",
        type=_layer,
        action="append",
        default=[],
        metavar="L",
        help="Layer whose feed-forward network adds nothing; can be given again (default none).",
    )
    add_label(parser)
    add_seed(parser, "Seed of the drawing.")
    add_controls(parser)


def run(options: argparse.Namespace) -> int:
    """Draw twice and write; return the exit code."""
    format = file_format(options.out, {".png": "png"})
    if not options.head and not options.feed_forward:
        raise ValueError("say what to change: --head 0.5=off, --feed-forward 5, or several")
    model = load_model(options.name, "draw", DrawerModel, "an image GPT")
    controls = {name: getattr(options, name) for name in CONTROLS}
    drawing = model.generate(label=options.label, seed=options.seed, **controls)
    changed = model.ablate(drawing, heads=dict(options.head), feed_forwards=options.feed_forward)
    both = grid(np.stack([drawing.image, changed.image]), columns=2, gap=1)
    atomic_write(options.out, encode(enlarge(both, _SIDE_PX), format))
    other = int((changed.tokens != drawing.tokens).sum())
    print(
        f"{other} of {len(drawing.tokens)} tokens are drawn differently; the first drawing is"
        f" {changed.change:+.3f} nats per token less likely; wrote {options.out}"
    )
    return 0


def _change(text: str) -> tuple[Place, Treatment]:
    """Return a head and its treatment; `DrawerModel.ablate` checks whether they exist."""
    found = re.fullmatch(r"(\d{1,3})\.(\d{1,3})=(off|uniform|mean|\d{1,3})", text, re.ASCII)
    if not found:
        raise argparse.ArgumentTypeError(
            "must be a layer, a head, and off, uniform, mean or another head, such as 0.5=off, not"
            f" {text!r}"
        )
    layer, head, how = found.groups()
    return (int(layer), int(head)), _WORDS[how] if how in _WORDS else int(how)


def _layer(text: str) -> int:
    if not re.fullmatch(r"\d{1,3}", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"must be the number of a layer, not {text!r}")
    return int(text)
