"""Write the weighted sum of pictures, or a map of the plane through three.

    python -m genimg combine portraits-style --seeds 5 23 42 --weights 1 -1 1 --out sum.png
    python -m genimg combine portraits-style --seeds 5 23 42 --out map.png

The first is A - B + C; the second has A at the upper left, B at the upper right and C at the lower
right (see `genimg.explore.combining.plane`).
"""

import argparse
from typing import Any

from genimg.cli.options import (
    Parser,
    add_class_and_truncation,
    add_name,
    add_number,
    add_out,
    file_format,
    load_model,
    refuse_ignored,
)
from genimg.explore import GanModel
from genimg.explore.combining import combine, plane
from genimg.render import encode, enlarge, grid
from genimg.storage import atomic_write

SUMMARY = "write a sum of pictures, such as A - B + C, or a map of three"
FORMATS = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp"}


def add_arguments(parser: Parser, arguments: list[str]) -> None:
    """Add the options of `combine`."""
    add_name(parser)
    add_out(
        parser, f"File to write, whose ending ({', '.join(FORMATS)}) is the format. PNG is exact."
    )
    add_number(
        parser,
        "--seeds",
        int,
        "Seeds of the pictures; three of them without weights give a map.",
        default=(5, 23, 42),
        low=0,
        high=2**32 - 1,
        nargs="+",
    )
    add_number(
        parser,
        "--weights",
        float,
        "One for each seed, together 1.",
        default=None,
        low=-10,
        high=10,
        shown_default="a map instead",
        nargs="+",
    )
    add_number(parser, "--side", int, "Pictures a side of a map.", default=9, low=2, high=50)
    add_class_and_truncation(parser)
    add_number(
        parser,
        "--enlarge",
        int,
        "Make the long side at least this many pixels, by repeating pixels.",
        default=1,
        low=1,
        high=8192,
        shown_default="as it is",
    )


def run(options: argparse.Namespace) -> int:
    """Combine and write; return the exit code."""
    format = file_format(options.out, FORMATS)
    if options.weights is None and len(options.seeds) != 3:
        raise ValueError("a map goes through three seeds; give three, or --weights for a sum")
    if options.weights is not None:
        refuse_ignored(options, ["side"], "because a sum is one picture")
    model = load_model(options.name, "picture", GanModel, "a GAN")
    places: list[dict[str, Any]] = [
        {"seed": seed, "label": options.label, "truncation": options.truncation}
        for seed in options.seeds
    ]
    if options.weights is None:
        a, b, c = places
        pictures = plane(model, a, b, c, side=options.side)
        image = grid(pictures.reshape(-1, *pictures.shape[2:]), options.side)
    else:
        picture = model.picture(**combine(model, places, list(options.weights)))
        image = grid(picture[None])
    image = enlarge(image, options.enlarge)
    atomic_write(options.out, encode(image, format))
    print(f"wrote a picture of {image.width} x {image.height} px to {options.out}")
    return 0
