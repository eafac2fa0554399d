"""List, describe and publish trained models, and give their directions names.

    python -m genimg checkpoints list
    python -m genimg checkpoints show fashion-style
    python -m genimg checkpoints publish runs/mine my-model --title "Mine" --license CC0-1.0
    python -m genimg checkpoints directions my-model

NAME is also a path, a run's folder, or hf://owner/repository.
"""

import argparse
import os
from pathlib import Path

from genimg import checkpoints, explore
from genimg.cli.options import Parser, add_number, path
from genimg.cli.tables import facts_table, heads_table, metrics_table, table
from genimg.explore.named_directions import name_directions
from genimg.explore.previews import preview_pictures
from genimg.training.publishing import publish

SUMMARY = "list, describe and publish trained models"


def add_arguments(parser: Parser, arguments: list[str]) -> None:
    """Add the actions with their options."""
    actions = parser.add_subparsers(metavar="ACTION", required=True, title="actions")
    listing = actions.add_parser("list", help="List the checkpoints that ship with genimg.")
    listing.set_defaults(action=_list)
    show = actions.add_parser("show", help="Check a checkpoint and print its card.")
    show.add_argument("name", metavar="NAME", help="Checkpoint, its path, or a run's folder.")
    show.set_defaults(action=_show)
    publishing = actions.add_parser(
        "publish", help="Turn a run into a checkpoint that can be shared."
    )
    publishing.add_argument("run_folder", metavar="RUN", help="Folder of a run.")
    publishing.add_argument(
        "out",
        metavar="OUT",
        type=path,
        help="Folder to write: new, empty, or a checkpoint, which is replaced.",
    )
    publishing.add_argument(
        "--title", required=True, metavar="TEXT", help="One line about the model, for its card."
    )
    publishing.add_argument(
        "--license", required=True, metavar="TEXT", help="License of the weights, for the card."
    )
    publishing.add_argument(
        "--generator-only",
        action="store_true",
        help="Leave the discriminator out: a smaller file that cannot judge (default off).",
    )
    publishing.set_defaults(action=_publish)
    directions = actions.add_parser(
        "directions",
        help="Find directions that change what is measured on the pictures, and store them.",
    )
    directions.add_argument(
        "name", metavar="NAME", help="A GAN with a mapping network: checkpoint or its path."
    )
    directions.add_argument(
        "--feature-net",
        metavar="NAME",
        help="Classifier of attributes (default: the one that ships for the data set, if any).",
    )
    add_number(
        directions, "--images", int, "Pictures to generate and measure.",
        default=4000, low=300, high=100_000,
    )  # fmt: skip
    directions.set_defaults(action=_directions)


def run(options: argparse.Namespace) -> int:
    """Do what was asked; return the exit code."""
    options.action(options)
    return 0


def _list(options: argparse.Namespace) -> None:
    rows = [("name", "what it is", "data set")]
    for name in checkpoints.names():
        card = checkpoints.read_card(checkpoints.SHIPPED / name)
        about = ": ".join(filter(None, (card.get("title"), card.get("about"))))
        rows.append((name, about, card.get("dataset", "")))
    print(table(rows))


def _show(options: argparse.Namespace) -> None:
    card = dict(explore.load(options.name).info)
    metrics, directions = card.pop("metrics", {}), card.pop("directions", [])
    heads = card.pop("heads", {})
    print(facts_table(card))
    if metrics:
        print()
        print(metrics_table(metrics))
    if directions:
        print("\ndirections: " + ", ".join(entry["name"] for entry in directions))
    if heads:
        print("\n" + heads_table(heads["table"]))


def _publish(options: argparse.Namespace) -> None:
    if not os.path.isfile(Path(options.run_folder, "spec.json")):  # False for impossible names
        raise ValueError(f"{options.run_folder} holds no run; give the folder of a training run")
    checkpoints.check_destination(options.out)  # before the preview, which takes a while
    written = publish(
        Path(options.run_folder),
        options.out,
        title=options.title,
        preview=preview_pictures(explore.load(options.run_folder)),
        generator_only=options.generator_only,
        license=options.license,
    )
    print(f"wrote a checkpoint of {_bytes(written):,} bytes to {written}; it reads back the same")


def _directions(options: argparse.Namespace) -> None:
    found = name_directions(options.name, feature_net=options.feature_net, images=options.images)
    for direction in found:
        strongest = list(direction.effects.items())[:4]
        print(f"{direction.name}: {', '.join(f'{name} {by:+.2f}' for name, by in strongest)}")
    print(f"wrote {len(found)} directions to {checkpoints.find(options.name)}")


def _bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
