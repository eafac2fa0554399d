"""Show what each layer of an image GPT would draw: the logit lens.

    python -m genimg lens fashion-gpt --label Coat --seed 3 --out coat.png

The picture has one drawing for each depth, from before the first layer to after the last, in one
row. A line for each depth says how many tokens keep their first choice from there on, the
probability of the tokens that were drawn, and how much attention and feed-forward network of the
layer before it add to the stream: averages over all tokens.
"""

import argparse

from genimg.cli.options import (
    CONTROLS,
    Parser,
    add_controls,
    add_label,
    add_name,
    add_number,
    add_out,
    add_seed,
    file_format,
    load_model,
)
from genimg.cli.tables import table
from genimg.explore import DrawerModel
from genimg.explore.lens import Lens
from genimg.render import encode, enlarge, grid
from genimg.storage import atomic_write

SUMMARY = "show what each layer of an image GPT would draw"


def add_arguments(parser: Parser, arguments: list[str]) -> None:
    """Add the options of `lens`."""
    add_name(parser, "An image GPT: checkpoint, its path, or a run's folder.")
    add_out(parser, "File to write, a .png.")
    add_label(parser)
    add_seed(parser, "Seed of the drawing.")
    add_controls(parser)
    add_number(
        parser, "--enlarge", int,
        "Make the long side of what is written at least this many pixels, by repeating pixels.",
        default=1024, low=1, high=8192,
    )  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Draw, look and write; return the exit code."""
    format = file_format(options.out, {".png": "png"})
    model = load_model(options.name, "draw", DrawerModel, "an image GPT")
    controls = {name: getattr(options, name) for name in CONTROLS}
    lens = model.generate(label=options.label, seed=options.seed, **controls).lens()
    sheet = enlarge(grid(lens.images, columns=len(lens.images)), options.enlarge)
    atomic_write(options.out, encode(sheet, format))
    print(_table(lens))
    print(f"wrote {len(lens.images)} pictures to {options.out}")
    return 0


def _table(lens: Lens) -> str:
    rows: list[tuple[str, ...]] = [
        ("depth", "decided", "probability", "attention adds", "feed-forward adds")
    ]
    for depth, probabilities in enumerate(lens.probabilities):
        name = f"after layer {depth - 1}" if depth else "before layer 0"
        decided = int((lens.decided <= depth).sum())
        added = ["", ""]
        if depth:
            sublayers = lens.attention[depth - 1], lens.feed_forward[depth - 1]
            added = [f"{lengths.mean():.3g}" for lengths in sublayers]
        rows.append((name, str(decided), f"{probabilities.mean():.3g}", *added))
    return table(rows)
