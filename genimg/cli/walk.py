"""Write a film that walks through the latent space from seed to seed.

    python -m genimg walk fashion-style --seeds 1 7 42 --label Bag --loop --out bags.gif

The label, the truncation and the noise of the first seed stay the same throughout.
"""

import argparse

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
from genimg.render import animate, encode, strip
from genimg.render.animation import check_length
from genimg.storage import atomic_write

SUMMARY = "write a film that walks from seed to seed"
FORMATS = {".gif": "gif", ".webp": "webp", ".mp4": "mp4", ".png": "strip"}


def add_arguments(parser: Parser, arguments: list[str]) -> None:
    """Add the options of `walk`."""
    add_name(parser)
    add_out(
        parser, "File to write: .gif, .webp or .mp4 for a film, .png for all pictures side by side."
    )
    add_number(
        parser,
        "--seeds",
        int,
        "2 to 16 seeds to pass through.",
        default=(1, 7, 42),
        low=0,
        high=2**32 - 1,
        nargs="+",
    )
    add_number(parser, "--steps", int, "Pictures in all.", default=60, low=2, high=2000)
    parser.add_argument(
        "--mode",
        choices=("slerp", "lerp"),
        default="slerp",
        help="Along the sphere on which latent vectors lie, or straight (default slerp).",
    )
    parser.add_argument(
        "--space",
        choices=("z", "w"),
        default="z",
        help="Walk in the latent space z, or in the styles w of a mapping network (default z).",
    )
    add_class_and_truncation(parser)
    parser.add_argument(
        "--loop",
        action="store_true",
        help="Come back to the first seed, so that the film repeats without a jump (default off).",
    )
    add_number(
        parser,
        "--frames-per-second",
        float,
        "Speed of the film in pictures per second.",
        default=30.0,
        low=1,
        high=50,
    )


def run(options: argparse.Namespace) -> int:
    """Walk and write; return the exit code."""
    format = file_format(options.out, FORMATS)
    model = load_model(options.name, "interpolate", GanModel, "a GAN")
    if format == "strip":
        refuse_ignored(options, ["frames_per_second"], "because a .png is not a film")
    else:  # before minutes are spent on frames
        side = model.config.size
        check_length(options.steps, side, side, frames_per_second=options.frames_per_second)
    frames = model.interpolate(
        options.seeds,
        steps=options.steps,
        mode=options.mode,
        space=options.space,
        label=options.label,
        truncation=options.truncation,
        loop=options.loop,
    )
    if format == "strip":
        content = encode(strip(frames), "png")
    else:
        content = animate(frames, format, frames_per_second=options.frames_per_second)
    atomic_write(options.out, content)
    print(f"wrote {len(frames)} pictures, {len(content):,} bytes, to {options.out}")
    return 0
