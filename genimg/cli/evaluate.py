"""Measure a model against the data set it was trained on.

    python -m genimg evaluate fashion-style --json

A GAN: Fréchet distance in the features of a small classifier (FD with that net's name, which is not
FID), its floor between real pictures, kernel distance, precision, recall, density, coverage, class
accuracy and the distance to the nearest training pictures. Where every attribute of the pictures is
known, also attribute fidelity: how clear each attribute is in the model's pictures, compared with
real ones, and how far the shares of its values are from those in the data. An image GPT or a
MaskGIT: the same, and the likelihood of the test pictures. A tokenizer: how well it rebuilds the
test pictures, and how many of its codes they use. A classifier: its test accuracy.

The sample of Fashion-MNIST that ships with genimg has 12,000 training and 2,000 test pictures. The
figures on the cards are of all 60,000 and 10,000, which `python -m genimg data fetch fashion-mnist`
gets.
"""

import argparse
import json
import shlex
import sys

from genimg import checkpoints, data, explore
from genimg.cli.options import Parser, add_name, add_number, add_seed, refuse_ignored
from genimg.cli.tables import metrics_table
from genimg.explore.arguments import pictures_of
from genimg.explore.evaluating import evaluate_model
from genimg.explore.standing import (
    Metrics,
    advice,
    difference,
    doubts,
    pictures_measured,
    pictures_planned,
)

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
        "Number of pictures that the model makes, equally many of each class.",
        default=10_000,
        low=6,
        high=100_000,
    )
    add_seed(parser, "Seed of the pictures, and of what the metrics choose at random.")
    parser.add_argument(
        "--feature-net",
        metavar="NAME",
        help="Classifier checkpoint whose features are the yardstick (default the one that ships"
        " for the data set).",
    )
    parser.add_argument(
        "--write",
        action="store_true",
        help="Store the figures in the checkpoint's card, unless those there are of more pictures"
        " (default off).",
    )


_Draws = explore.GanModel | explore.DrawerModel | explore.MaskedDrawerModel


def run(options: argparse.Namespace) -> int:
    """Measure and print; return the exit code."""
    path = checkpoints.find(options.name) if options.write else None  # fail before the work
    model = explore.load(options.name)
    if not isinstance(model, _Draws):
        kind = "tokenizer" if isinstance(model, explore.TokenizerModel) else "classifier"
        ignored = ["count", "seed"] + (["feature_net"] if kind == "classifier" else [])
        reason = f"because a {kind} is measured on the whole test split as it is"
        refuse_ignored(options, ignored, reason)
    card = model.info.get("metrics", {})
    before, planned = pictures_measured(card), pictures_planned(model, options.count)
    worse = difference(planned, before, fewer=True)
    if path is not None and worse:
        raise ValueError(
            f"{worse}, so --write would replace better figures; {advice(model, planned, before)}"
        )
    metrics = evaluate_model(
        options.name, count=options.count, seed=options.seed, feature_net=options.feature_net
    )
    print(json.dumps(metrics, indent=2) if options.json else metrics_table(metrics))
    _say_what_it_stands_on(model, metrics, card)
    if path is not None:
        command = ["python", "-m", "genimg", "evaluate", options.name, "--json"]
        if isinstance(model, _Draws):
            command += ["--count", str(options.count), "--seed", str(options.seed)]
        if options.feature_net is not None:
            command += ["--feature-net", options.feature_net]
        card = checkpoints.read(options.name).card
        card |= {"metrics": metrics, "metrics_command": shlex.join(command)}
        checkpoints.write_card(path, card)
    return 0


def _say_what_it_stands_on(model: explore.Model, metrics: Metrics, card: Metrics) -> None:
    """Print on standard error which pictures the figures are of, and what they cannot tell."""
    dataset, _ = pictures_of(model)
    facts = data.describe(dataset)
    counts = facts["images"] or {"train": 0, "test": 0}
    print(
        f"measured with {dataset} from {facts['source']}: {counts['train']:,} training and"
        f" {counts['test']:,} test pictures",
        file=sys.stderr,
    )
    warnings = doubts(metrics)
    new, old = pictures_measured(metrics), pictures_measured(card)
    if differs := difference(new, old):
        tips = advice(model, new, old)
        warnings.append(f"{differs}: do not compare them" + (f"; {tips}" if tips else ""))
    entries = (*metrics.values(), *card.values())
    nets = {entry["feature_net"] for entry in entries if entry.get("feature_net") is not None}
    if len(nets) > 1:
        warnings.append(
            f"the figures on the card are from another feature net ({' and '.join(sorted(nets))}):"
            " do not compare them"
        )
    for warning in warnings:
        print(f"warning: {warning}", file=sys.stderr)
