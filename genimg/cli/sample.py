"""Write a sheet of new pictures.

    python -m genimg sample fashion-style --seed 3 --count 16 --label Sneaker --out sneakers.png

NAME is a GAN, an image GPT or a MaskGIT. The same seed gives the same pictures, and picture i of a
seed does not depend on the count.
"""

import argparse
from typing import Any

from genimg.cli.options import (
    Parser,
    add_class_and_truncation,
    add_count,
    add_name,
    add_number,
    add_out,
    add_seed,
    file_format,
    load_model,
)
from genimg.explore import DrawerModel, GanModel, MaskedDrawerModel
from genimg.render import encode, enlarge, grid
from genimg.render.images import check_sheet
from genimg.storage import atomic_write

SUMMARY = "write a sheet of new pictures"
FORMATS = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp"}


def add_arguments(parser: Parser, arguments: list[str]) -> None:
    """Add the options of `sample`."""
    add_name(parser)
    add_out(
        parser, f"File to write, whose ending ({', '.join(FORMATS)}) is the format. PNG is exact."
    )
    add_seed(parser, "Seed of the pictures; another one gives others.")
    add_count(parser, default=16)
    add_class_and_truncation(parser)
    add_number(
        parser,
        "--columns",
        int,
        "Pictures in a row.",
        default=None,
        low=1,
        high=10_000,
        shown_default="as square as can be",
    )
    add_number(
        parser,
        "--enlarge",
        int,
        "Make the long side of the sheet at least this many pixels, by repeating pixels.",
        default=1,
        low=1,
        high=8192,
        shown_default="as it is",
    )


def run(options: argparse.Namespace) -> int:
    """Make the pictures and write the sheet; return the exit code."""
    format = file_format(options.out, FORMATS)
    kinds = GanModel | DrawerModel | MaskedDrawerModel
    model = load_model(options.name, "sample", kinds, "a GAN, an image GPT or a MaskGIT")
    settings: dict[str, Any] = {"seed": options.seed, "label": options.label}
    if isinstance(model, GanModel):
        settings["truncation"] = options.truncation
    elif options.truncation != 1:
        raise ValueError(f"{options.name} is no GAN, so leave out --truncation")
    check_sheet(  # before the work
        options.count,
        model.config.size,
        format,
        columns=options.columns,
        size_px=options.enlarge,
    )
    pictures = model.sample(options.count, **settings)
    sheet = enlarge(grid(pictures, options.columns), options.enlarge)
    atomic_write(options.out, encode(sheet, format))
    print(f"wrote {options.count} pictures, {sheet.width} x {sheet.height} px, to {options.out}")
    return 0
