"""Measure a model against the data set it was trained on.

    python -m genimg evaluate fashion-style --json

A GAN: Frechet distance in the features of a small classifier (FD with that net's name, which is not
FID), its floor between real pictures, kernel distance, precision, recall, density, coverage, class
accuracy and the distance to the nearest training pictures. Where every attribute of the pictures is
known, attribute fidelity instead of precision to coverage: how clear each attribute of the drawn
pictures is, beside real ones, and how far its values' shares are from the data's. An image GPT: the
same, and the likelihood of the test pictures. A tokenizer: how well it rebuilds the test pictures,
and how many of its codes they use. A classifier: its test accuracy.
"""

import argparse
import json
import shlex

from genimg import checkpoints
from genimg.cli.options import Parser, add_name, add_number, add_seed
from genimg.cli.tables import metrics_table
from genimg.explore.evaluating import evaluate_model

SUMMARY = "measure a model against its data set"


def add_arguments(parser: Parser, arguments: list[str]) -> None:
    """Add the options of `evaluate`."""
    add_name(parser)
    parser.add_argument(
        "--json", action="store_true", help="Print JSON instead of a table (default off)."
    )
    add_number(
        parser,
        "--count",
        int,
        "Number of pictures to draw, as many of each class.",
        default=10_000,
        low=6,
        high=100_000,
    )
    add_seed(parser, "Seed of the pictures and of what the metrics draw.")
    parser.add_argument(
        "--feature-net",
        metavar="NAME",
        help="Classifier checkpoint whose features are the yardstick (default the one that ships"
        " for the data set).",
    )
    parser.add_argument(
        "--write",
        action="store_true",
        help="Store the numbers in the checkpoint's card (default off).",
    )


def run(options: argparse.Namespace) -> int:
    """Measure and print."""
    path = checkpoints.find(options.name) if options.write else None  # fail before the work
    metrics = evaluate_model(
        options.name, count=options.count, seed=options.seed, feature_net=options.feature_net
    )
    print(json.dumps(metrics, indent=2) if options.json else metrics_table(metrics))
    if path is not None:
        command = ["python", "-m", "genimg", "evaluate", options.name, "--json"]
        command += ["--count", str(options.count), "--seed", str(options.seed)]
        if options.feature_net is not None:
            command += ["--feature-net", options.feature_net]
        card = checkpoints.read(options.name).card
        card |= {"metrics": metrics, "metrics_command": shlex.join(command)}
        checkpoints.write_card(path, card)
    return 0
