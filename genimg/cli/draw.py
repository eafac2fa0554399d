"""Let an image GPT draw, token by token.

    python -m genimg draw fashion-gpt --label Coat --seed 3 --out coat.png
    python -m genimg draw fashion-gpt --label Coat --seed 3 --out coat.gif

A .png is the finished picture, or a sheet of --count pictures; a .gif is a film of one picture
appearing, grey where there is no token yet.
"""

import argparse
from typing import Any

import numpy as np

from genimg.cli.options import (
    CONTROLS,
    Parser,
    add_controls,
    add_count,
    add_label,
    add_name,
    add_number,
    add_out,
    add_seed,
    file_format,
    load_model,
)
from genimg.explore import DrawerModel
from genimg.render import animate, encode, enlarge, grid
from genimg.storage import atomic_write

SUMMARY = "let an image GPT draw, token by token"
FORMATS = {".png": "png", ".gif": "gif"}
_FRAMES_PER_SECOND = 12
_LONGEST_FILM = 60 * _FRAMES_PER_SECOND  # frames, the most that `animate` takes
_SHOW_THE_END = 2 * _FRAMES_PER_SECOND  # frames


def add_arguments(parser: Parser, arguments: list[str]) -> None:
    """Add the options of `draw`."""
    add_name(parser, "An image GPT: checkpoint, its path, or a run's folder.")
    add_out(
        parser, "File to write: .png for the pictures, .gif for a film of one picture appearing."
    )
    add_label(parser)
    add_seed(parser, "Seed of the drawing; another one gives other pictures.")
    add_count(parser, default=1)
    add_controls(parser)
    add_number(
        parser,
        "--enlarge",
        int,
        "Make the long side of what is written at least this many pixels, by repeating pixels.",
        default=256,
        low=1,
        high=1024,
    )


def run(options: argparse.Namespace) -> int:
    """Draw and write; return the exit code."""
    format = file_format(options.out, FORMATS)
    model = load_model(options.name, "draw", DrawerModel, "an image GPT")
    settings = {name: getattr(options, name) for name in ("seed", "label", *CONTROLS)}
    if format == "gif":
        if options.count != 1:
            raise ValueError("a film shows one picture, so leave out --count, or write a .png")
        atomic_write(options.out, _film(model, options.enlarge, settings))
        print(f"wrote a film of {model.prior.num_tokens} tokens to {options.out}")
        return 0
    sheet = enlarge(grid(model.sample(options.count, **settings)), options.enlarge)
    atomic_write(options.out, encode(sheet, "png"))
    print(f"wrote {options.count} pictures, {sheet.width} x {sheet.height} px, to {options.out}")
    return 0


def _film(model: DrawerModel, enlarge_to: int, settings: dict[str, Any]) -> bytes:
    """Return a GIF of the picture appearing, which rests at the end."""
    if settings["label"] is None:  # the first class, as in a .png of one picture
        settings = settings | {"label": 0}
    frames = [image for _, _, image in model.stream(**settings)]
    # A picture of very many tokens shows several at a time, and always the last.
    every = -(-len(frames) // (_LONGEST_FILM - _SHOW_THE_END))
    shown = frames[::-1][::every][::-1] + [frames[-1]] * _SHOW_THE_END
    return animate(
        np.stack(shown), "gif", frames_per_second=_FRAMES_PER_SECOND, enlarge_to=enlarge_to
    )
