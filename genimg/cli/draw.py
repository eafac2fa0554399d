"""Let an image GPT draw, token by token, or a MaskGIT, several tokens at a time.

    python -m genimg draw fashion-gpt --label Coat --seed 3 --out coat.png
    python -m genimg draw fashion-gpt --label Coat --seed 3 --out coat.gif
    python -m genimg draw fashion-maskgit --label Coat --steps 8 --order centre-out --out coat.gif

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
    refuse_ignored,
)
from genimg.explore import DrawerModel, MaskedDrawerModel
from genimg.explore.parallel import DEFAULTS, MOST_STEPS, ORDERS
from genimg.render import animate, encode, enlarge, grid
from genimg.storage import atomic_write

SUMMARY = "let an image GPT or a MaskGIT draw, step by step"
FORMATS = {".png": "png", ".gif": "gif"}
_FRAMES_PER_SECOND = 12
_LONGEST_FILM = 60 * _FRAMES_PER_SECOND  # frames, the most that `animate` takes
_SHOW_THE_END = 2 * _FRAMES_PER_SECOND  # frames
_SHOW_A_STEP = 6  # frames, of a MaskGIT, which has few
_PARALLEL = ("steps", "order", "noise")  # controls of a MaskGIT alone


def add_arguments(parser: Parser, arguments: list[str]) -> None:
    """Add the options of `draw`."""
    add_name(parser, "An image GPT or a MaskGIT: checkpoint, its path, or a run's folder.")
    add_out(
        parser, "File to write: .png for the pictures, .gif for a film of one picture appearing."
    )
    add_label(parser)
    add_seed(parser, "Seed of the drawing; another one gives other pictures.")
    add_count(parser, default=1)
    add_controls(parser)
    add_number(
        parser,
        "--steps",
        int,
        "Steps in which a MaskGIT draws.",
        default=DEFAULTS["steps"],
        low=1,
        high=MOST_STEPS,
    )
    parser.add_argument(
        "--order",
        choices=ORDERS,
        default=DEFAULTS["order"],
        help="Which tokens a MaskGIT draws first: those it is surest of, or by their place"
        f" (default {DEFAULTS['order']}).",
    )
    add_number(
        parser,
        "--noise",
        float,
        "How much chance has a say in which tokens a MaskGIT is surest of.",
        default=DEFAULTS["noise"],
        low=0,
        high=100,
    )
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
    kinds = DrawerModel | MaskedDrawerModel
    model = load_model(options.name, "draw", kinds, "an image GPT or a MaskGIT")
    settings = {name: getattr(options, name) for name in ("seed", "label", *CONTROLS)}
    if isinstance(model, MaskedDrawerModel):
        settings |= {name: getattr(options, name) for name in _PARALLEL}
    else:
        refuse_ignored(options, _PARALLEL, f"because {options.name} draws one token after another")
    if format == "gif":
        if options.count != 1:
            raise ValueError("a film shows one picture, so leave out --count, or write a .png")
        if settings["label"] is None:  # the first class, as in a .png of one picture
            settings["label"] = 0
        frames = _frames(model, settings)
        film = animate(
            frames, "gif", frames_per_second=_FRAMES_PER_SECOND, enlarge_to=options.enlarge
        )
        atomic_write(options.out, film)
        print(f"wrote a film of {model.prior.num_tokens} tokens to {options.out}")
        return 0
    sheet = enlarge(grid(model.sample(options.count, **settings)), options.enlarge)
    atomic_write(options.out, encode(sheet, "png"))
    print(f"wrote {options.count} pictures, {sheet.width} x {sheet.height} px, to {options.out}")
    return 0


def _frames(model: DrawerModel | MaskedDrawerModel, settings: dict[str, Any]) -> np.ndarray:
    """Return the frames of a film of the picture appearing, which rests at the end."""
    if isinstance(model, MaskedDrawerModel):
        frames = list(model.draw(**settings).images.repeat(_SHOW_A_STEP, axis=0))
    else:
        frames = [image for _, _, image in model.stream(**settings)]
    # A picture of very many tokens shows several at a time, and always the last.
    every = -(-len(frames) // (_LONGEST_FILM - _SHOW_THE_END))
    return np.stack(frames[::-1][::every][::-1] + [frames[-1]] * _SHOW_THE_END)
