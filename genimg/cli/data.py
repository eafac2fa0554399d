"""Look at the data sets that models are trained on.

    python -m genimg data list
    python -m genimg data show fashion-mnist
    python -m genimg data preview folder:my-pictures --out sheet.png
    python -m genimg data fetch fashion-mnist
    python -m genimg data draw portraits
    python -m genimg data import my-pictures.zip --root my-data --size 32
    python -m genimg data locate folder:my-pictures /new/place/my-pictures --runs runs

Fashion-MNIST, portraits and critters need no network, because samples of them ship. `fetch` gets
the whole of Fashion-MNIST, or finds it where GENIMG_DATA says; `draw` draws the whole of portraits
or critters. The other sets are downloaded when they are first used. Downloads are kept in
GENIMG_CACHE (default ~/.cache/genimg).
"""

import argparse
import shlex
import sys
from pathlib import Path

from genimg import data
from genimg.cli.options import Parser, add_number, file_format, path
from genimg.cli.sample import FORMATS
from genimg.cli.tables import facts_table, table
from genimg.data import drawn_sets, torchvision_sets
from genimg.data.decoding import FITS
from genimg.data.ingestion import ingest
from genimg.data.registry import SPLITS
from genimg.render import encode, grid
from genimg.render.images import check_sheet
from genimg.storage import atomic_write
from genimg.training.locating import locate
from genimg.training.progress import Progress

SUMMARY = "list, describe, get, import and locate data sets"


def add_arguments(parser: Parser, arguments: list[str]) -> None:
    """Add the actions with their options."""
    actions = parser.add_subparsers(metavar="ACTION", required=True, title="actions")
    listing = actions.add_parser("list", help="List the data sets that are known by name.")
    listing.set_defaults(action=_list)
    show = actions.add_parser("show", help="Show size, classes, license and source.")
    preview = actions.add_parser("preview", help="Write a sheet of pictures.")
    for action in (show, preview):
        action.add_argument(
            "name", metavar="NAME", help="Name of a data set, or folder:PATH for your own pictures."
        )
    show.set_defaults(action=_show)
    preview.add_argument(
        "--out",
        type=path,
        required=True,
        metavar="FILE",
        help=f"File to write; its ending ({', '.join(FORMATS)}) is the format. PNG is exact.",
    )
    add_number(preview, "--count", int, "Number of pictures.", default=64, low=1, high=10_000)
    preview.add_argument(
        "--size",
        type=int,
        choices=data.SIZES,
        default=32,
        help=f"Side of a picture, in pixels: {', '.join(map(str, data.SIZES))} (default 32).",
    )
    preview.add_argument(
        "--split", choices=SPLITS, default="train", help="Which part of the set (default train)."
    )
    preview.set_defaults(action=_preview)
    fetch = actions.add_parser(
        "fetch", help="Get the whole of a published data set, if it is not there yet."
    )
    fetch.add_argument(
        "name", metavar="NAME", help=f"One of {', '.join(torchvision_sets.TORCHVISION_CLASSES)}."
    )
    fetch.set_defaults(action=_fetch)
    drawing = actions.add_parser(
        "draw",
        help="Draw the whole of a set whose sample ships; go on if it was stopped.",
    )
    drawn = drawn_sets.names()
    drawing.add_argument(
        "name", metavar="NAME", choices=drawn, help=f"Name of the set: {' or '.join(drawn)}."
    )
    add_number(
        drawing,
        "--processes",
        int,
        "How many processes draw at once.",
        default=None,
        shown_default="one for each processor",
        low=1,
        high=256,
    )
    drawing.set_defaults(action=_draw)
    _add_import(actions.add_parser("import", help="Make a data set from pictures or zip files."))
    _add_locate(actions.add_parser("locate", help="Tell runs where their pictures are now."))


def _add_import(importing: Parser) -> None:
    importing.add_argument(
        "files",
        nargs="+",
        type=path,
        metavar="FILE",
        help="PNG, JPEG or WebP pictures, or zip files with one folder of them for each class;"
        " folders such as train and test become the splits.",
    )
    importing.add_argument(
        "--root", type=path, required=True, metavar="DIR", help="Folder that keeps the data sets."
    )
    importing.add_argument(
        "--size",
        type=int,
        choices=data.SIZES,
        required=True,
        help=f"Side of the pictures made, in pixels: {', '.join(map(str, data.SIZES))}.",
    )
    importing.add_argument(
        "--fit",
        choices=FITS,
        default="crop",
        help="crop cuts out the middle square; pad adds black bars (default crop).",
    )
    importing.set_defaults(action=_import)


def _add_locate(locating: Parser) -> None:
    locating.add_argument(
        "name",
        metavar="NAME",
        help="The data set as the runs know it: folder:PATH, with its old place.",
    )
    locating.add_argument("path", type=path, metavar="PATH", help="The folder where it is now.")
    locating.add_argument(
        "--runs",
        type=path,
        default=Path("runs"),
        metavar="DIR",
        help="Folder of the runs that learn from it (default runs).",
    )
    locating.set_defaults(action=_locate)


def run(options: argparse.Namespace) -> int:
    """Do what was asked; return the exit code."""
    options.action(options)
    return 0


def _list(options: argparse.Namespace) -> None:
    rows = [("name", "what it is", "source")]
    for name in data.names():
        facts = data.describe(name)
        rows.append((name, facts["title"], facts["source"]))
    rows.append(("folder:PATH", "your own pictures, one folder per class", "PATH"))
    print(table(rows))


def _show(options: argparse.Namespace) -> None:
    facts = data.describe(options.name)
    attributes = {
        f"  {name}": values or "any number from 0 to 1"
        for name, values in facts.pop("attributes").items()
    }
    if attributes:
        facts["attributes"] = f"{len(attributes)}, known of every picture"
    print(facts_table({key: fact for key, fact in facts.items() if fact != ""} | attributes))


def _fetch(options: argparse.Namespace) -> None:
    folder = torchvision_sets.fetch(options.name)
    counts = data.describe(options.name)["images"]
    print(
        f"all of {options.name} is here: {counts['train']:,} training and {counts['test']:,} test"
        f" pictures, in {folder}"
    )


def _preview(options: argparse.Namespace) -> None:
    format = file_format(options.out, FORMATS)
    check_sheet(options.count, options.size, format)  # before the work
    dataset = data.load(options.name, size=options.size, split=options.split)
    for file, reason in dataset.skipped:
        print(f"skipped {file}: {reason}", file=sys.stderr)
    pictures = dataset.pictures()[: options.count]
    atomic_write(options.out, encode(grid(pictures), format))
    print(
        f"wrote {len(pictures)} of {len(dataset)} pictures ({options.split}, {dataset.source})"
        f" to {options.out}"
    )


def _draw(options: argparse.Namespace) -> None:
    progress = Progress(sys.stderr)
    try:
        drawn = data.draw_set(options.name, options.processes, progress)
    finally:
        progress.close()
    print(f"{options.name} is in {drawn}")


def _import(options: argparse.Namespace) -> None:
    for file in options.files:
        if file.is_dir():
            raise ValueError(
                f"{file} is a folder, and needs no import: train on it as it is with"
                f" {shlex.join(['--dataset', data.FOLDER_PREFIX + str(file)])}; or give a zip file"
                " of it, or the pictures in it"
            )
    report = ingest(options.files, options.root, size=options.size, fit=options.fit)
    for file, reason in report.refused:
        print(f"refused {file}: {reason}", file=sys.stderr)
    if report.refused_count > len(report.refused):
        print(f"and {report.refused_count - len(report.refused)} more", file=sys.stderr)
    print(f"accepted {report.accepted} pictures, refused {report.refused_count} files")
    print(report.found)
    print(table([("class", "pictures"), *((n, str(c)) for n, c in report.classes.items())]))
    training = ["--preset", "fashion-style", "--dataset", report.dataset, "--minutes", "10"]
    print(f"to train on them: python -m genimg train {shlex.join(training)} --out runs/mine")


def _locate(options: argparse.Namespace) -> None:
    runs = locate(options.runs, options.name, options.path)
    names = ", ".join(runs[:5]) + (f" and {len(runs) - 5} more" if len(runs) > 5 else "")
    print(f"{options.name} is looked for in {options.path} now, by {names}")
