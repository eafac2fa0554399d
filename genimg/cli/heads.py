"""Measure what each head of an image GPT does, and keep it on its card.

    python -m genimg heads fashion-gpt --count 400 --write

The model draws pictures of all classes in turn, without guidance. For every head: its effect, by
how many nats per token the drawings become less likely without it; how far away the patches are
that it looks at, in patches; the entropy of its attention in nats; and the share of it that the
class token gets.
"""

import argparse
import json
import shlex

from genimg import checkpoints
from genimg.cli.options import Parser, add_name, add_number, add_seed, load_model
from genimg.cli.tables import heads_table
from genimg.explore import DrawerModel

SUMMARY = "measure what each head of an image GPT does"


def add_arguments(parser: Parser, arguments: list[str]) -> None:
    """Add the options of `heads`."""
    add_name(parser, "An image GPT: checkpoint, its path, or a run's folder.")
    add_number(
        parser, "--count", int, "Number of pictures that the model draws.",
        default=100, low=1, high=100_000,
    )  # fmt: skip
    add_seed(parser, "Seed of the drawings.")
    parser.add_argument(
        "--json", action="store_true", help="Print JSON instead of a table (default off)."
    )
    parser.add_argument(
        "--write",
        action="store_true",
        help="Store the table in the checkpoint's card, where the page finds it (default off).",
    )


def run(options: argparse.Namespace) -> int:
    """Measure and print; return the exit code."""
    path = checkpoints.find(options.name) if options.write else None  # fail before the work
    model = load_model(options.name, "draw", DrawerModel, "an image GPT")
    rows = model.measure_heads(options.count, seed=options.seed).rows()
    print(json.dumps(rows, indent=2) if options.json else heads_table(rows))
    if path is not None:
        command = ["python", "-m", "genimg", "heads", options.name]
        command += ["--count", str(options.count), "--seed", str(options.seed)]
        measured = {"drawings": options.count, "seed": options.seed}
        heads = measured | {"command": shlex.join(command), "table": rows}
        checkpoints.write_card(path, checkpoints.read_card(path) | {"heads": heads})
    return 0
