"""Show where a Transformer looks: a heat map on the picture, and the numbers.

    python -m genimg attend fashion-gpt --seed 3 --label Coat --layer 3 --head 1 --query 17 --out a
    python -m genimg attend fashion-vit --image coat.png --layer 5 --head 0 --query 0 --out b

Position 0 is the class token, the patches follow in raster order (after the registers, if a vision
Transformer has any). In an image GPT, position t is the one that predicted token t.

PREFIX.png shows the attention of this query to the patches on top of the picture. Its colours go
from 0 to the largest weight that any head of any layer gives to a patch for this query, so that the
maps of several heads can be compared. With --contribution they show what each patch adds instead:
the length of weight times value times output projection. PREFIX-heads.png is a sheet of all heads
on that scale, a row for each layer and a column for each head. PREFIX.npz holds the numbers: for
every head `attention` (layers, heads, positions), its `entropy` in nats and its `contribution`; the
`rollout`; and for the chosen head every stage from queries and keys to the output projection, each
named `stage_...`. Of an image GPT also what spoke for the token that the query predicted, in nats,
by `gradient` and by `ablation`.
"""

import argparse
import io

import numpy as np
from PIL import Image

from genimg import explore
from genimg.cli.options import (
    CONTROLS,
    Parser,
    add_controls,
    add_label,
    add_name,
    add_number,
    add_seed,
    file_format,
    path,
    refuse_ignored,
)
from genimg.cli.picture_file import open_picture
from genimg.explore import DrawerModel, VisionTransformerModel
from genimg.explore.attention_maps import AttentionMaps, entropy
from genimg.explore.drawn import Drawing
from genimg.models.attention import TokenLayout
from genimg.render import color_bar, encode, enlarge, grid, overlay
from genimg.storage import atomic_write

SUMMARY = "show where a Transformer looks"
_SIDE_PX = 512
_HEAD_PX = 112  # at least, of each head in the sheet
_GAP_PX = 4
_LEAST_SCALE_PX = 128  # so that its numbers do not touch


def add_arguments(parser: Parser, arguments: list[str]) -> None:
    """Add the options of `attend`."""
    add_name(
        parser, "An image GPT or a vision Transformer: checkpoint, its path, or a run's folder."
    )
    parser.add_argument(
        "--out",
        type=path,
        required=True,
        metavar="PREFIX",
        help="Writes PREFIX.png, PREFIX-heads.png and PREFIX.npz; an ending .png or .npz is"
        " taken off first.",
    )
    for option, what in [
        ("--layer", "Layer; the first is 0."),
        ("--head", "Head; the first is 0."),
        ("--query", "Position that looks; 0 is the class token."),
    ]:
        add_number(parser, option, int, what, default=0, low=0, high=100_000)
    parser.add_argument(
        "--image",
        type=path,
        metavar="FILE",
        help="PNG, JPEG or WebP picture to look at, made square and resized (default: what an"
        " image GPT draws for --seed and --label; a vision Transformer needs one).",
    )
    parser.add_argument(
        "--contribution",
        action="store_true",
        help="Show what each patch adds instead of how much it is looked at (default off).",
    )
    add_seed(parser, "Seed of the drawing, without --image.")
    add_label(parser)
    add_controls(parser)


def run(options: argparse.Namespace) -> int:
    """Look and write; return the exit code."""
    prefix = options.out
    if prefix.suffix.lower() in (".png", ".npz"):  # as if there were one file; there will be three
        prefix = prefix.with_suffix("")
    picture_file, heads_file, numbers_file = (
        prefix.with_name(prefix.name + ending) for ending in (".png", "-heads.png", ".npz")
    )
    for file in (picture_file, heads_file, numbers_file):
        file_format(file, {".png": "png", ".npz": "npz"})
    model = explore.load(options.name)
    if not isinstance(model, DrawerModel | VisionTransformerModel):
        raise ValueError(
            f"the attention of {options.name} is not shown; choose an image GPT or a vision"
            " Transformer"
        )
    image, maps, drawing = _look(model, options)
    chosen = options.layer, options.head, options.query
    stages = maps.stages(*chosen)  # refuses what is not there
    numbers = _numbers(maps, options.query) | {
        f"stage_{name}": stage for name, stage in stages.items()
    }
    agreement = ""
    if drawing is not None:
        reasons = drawing.reasons(options.query)
        numbers |= {"gradient": reasons.gradient, "ablation": reasons.ablation}
        agreement = f", agreement of gradient and ablation {reasons.agreement:.3f}"
    shown = "contribution" if options.contribution else "attention"
    heat, sheet = _pictures(image, maps.layout, numbers[shown], chosen)
    atomic_write(picture_file, encode(heat, "png"))
    atomic_write(heads_file, encode(sheet, "png"))
    buffer = io.BytesIO()
    arrays = {"image": image, "chosen": np.array(chosen), **numbers}
    # By NumPy's stub one of the names could be its option `allow_pickle`; none is.
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    atomic_write(numbers_file, buffer.getvalue())
    print(
        f"layer {options.layer}, head {options.head}, query {options.query}: entropy"
        f" {maps.entropy(*chosen):.3f} nats{agreement}; wrote {picture_file}, {heads_file}"
        f" and {numbers_file}"
    )
    return 0


def _look(
    model: DrawerModel | VisionTransformerModel, options: argparse.Namespace
) -> tuple[np.ndarray, AttentionMaps, Drawing | None]:
    """Return the picture, uint8 (H, W, C), the attention on it, and the drawing of an image GPT."""
    if not isinstance(model, DrawerModel):
        if options.image is None:
            raise ValueError(
                f"{options.name} looks at pictures and draws none; give one with --image"
            )
        if options.label is not None:
            raise ValueError(f"{options.name} needs no class to look, so leave out --label")
    if options.image is not None:
        refuse_ignored(options, ("seed", *CONTROLS), "because nothing is drawn with --image")
    given = None if options.image is None else open_picture(options.image, model.config)
    if isinstance(model, DrawerModel):
        if given is None:
            controls = {name: getattr(options, name) for name in CONTROLS}
            drawing = model.generate(label=options.label, seed=options.seed, **controls)
            return drawing.image, drawing.maps, drawing
        reading = model.read(given, label=options.label)
        return given, reading.maps, reading
    assert given is not None  # refused above
    return given, model.look(given), None


def _numbers(maps: AttentionMaps, query: int) -> dict[str, np.ndarray]:
    attention = maps.all_heads(query)  # (layers, H, T)
    return {
        "attention": attention,
        "entropy": entropy(attention),
        "contribution": attention * maps.value_lengths(),
        "rollout": maps.rollout(query),
    }


def _pictures(
    image: np.ndarray, layout: TokenLayout, attention: np.ndarray, chosen: tuple[int, int, int]
) -> tuple[Image.Image, Image.Image]:
    """Return the map of the chosen head on the picture, and those of all heads, on one scale."""
    patches = attention[..., layout.first_patch :]
    high = max(float(patches.max()), 1e-6)  # the class token sees no patch in an image GPT
    grids = patches.reshape(*patches.shape[:2], layout.rows, layout.columns)
    heat = overlay(enlarge(image, _SIDE_PX), grids[chosen[:2]], 0.0, high, alpha=0.6)
    small = enlarge(image, _HEAD_PX)
    heads = [
        np.asarray(overlay(small, values, 0.0, high, alpha=0.6)) for row in grids for values in row
    ]
    sheet = grid(np.stack(heads), columns=grids.shape[1], gap=_GAP_PX)
    return _with_scale(heat, high), _with_scale(sheet, high)


def _with_scale(picture: Image.Image, high: float) -> Image.Image:
    """Return a picture with the scale of its colours below it."""
    scale = color_bar(0.0, high, width=max(picture.width, _LEAST_SCALE_PX))
    canvas = Image.new("RGB", (scale.width, picture.height + scale.height), "white")
    canvas.paste(picture, (0, 0))
    canvas.paste(scale, (0, picture.height))
    return canvas
