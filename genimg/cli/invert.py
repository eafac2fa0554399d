"""Find the code from which a GAN generates a given picture as well as it can.

    python -m genimg invert portraits-style me.png --out found.png

It writes the picture that the model generates from this code, and prints the Python call that
generates it again. The same picture, seed and number of steps find the same code.
"""

import argparse
import json

from genimg.cli.options import (
    Parser,
    add_label,
    add_name,
    add_number,
    add_out,
    add_seed,
    file_format,
    load_model,
    path,
)
from genimg.cli.picture_file import open_picture
from genimg.explore import GanModel
from genimg.explore.codes import text_of
from genimg.explore.inversion import STEPS
from genimg.render import encode
from genimg.storage import atomic_write

SUMMARY = "find the code from which a GAN generates a picture"
FORMATS = {".png": "png"}


def add_arguments(parser: Parser, arguments: list[str]) -> None:
    """Add the options of `invert`."""
    add_name(parser)
    parser.add_argument(
        "picture",
        type=path,
        metavar="PICTURE",
        help="PNG, JPEG or WebP picture to find, made square and resized.",
    )
    add_out(parser, "File to write, a .png: the picture that was found.")
    add_label(parser)
    add_number(parser, "--steps", int, "Steps of the search.", default=STEPS, low=1, high=10_000)
    add_number(
        parser,
        "--seconds",
        float,
        "Stop after this many seconds, with what was found by then.",
        default=None,
        low=0,
        high=86_400,
        shown_default="never",
    )
    add_seed(parser, "Seed of the codes that the search begins with, and of the noise.")


def run(options: argparse.Namespace) -> int:
    """Search and write; return the exit code."""
    format = file_format(options.out, FORMATS)
    model = load_model(options.name, "invert", GanModel, "a GAN")
    picture = open_picture(options.picture, model.config)
    found = model.invert(
        picture,
        label=options.label,
        steps=options.steps,
        seconds=options.seconds,
        seed=options.seed,
    )
    atomic_write(options.out, encode(found.picture, format))
    early = "" if found.complete else f" (time was up after {found.steps} steps)"
    label = "" if found.label is None else f", label={json.dumps(found.label)}"
    print(
        f"wrote {options.out}, {found.error:.1f} grey levels off{early};"
        f' model.picture(seed={found.seed}{label}, code="{text_of(found.code)}") generates it'
    )
    return 0
