"""What judges say that played no part in choosing: figures of a model in several feature nets.

    python benchmarks/judges.py MODEL --nets RUN RUN RUN [--count N]

Each RUN is a network that names the classes or the attributes of MODEL's data set: trained with
another seed and another shape than the one that ships, for example by

    python -m genimg train --preset fashion-features --seed 1 --widths 24 48 96 128 --out RUN

Printed for each of them are its own accuracy on the test pictures; the Fréchet distance, that of
real training pictures, and their ratio; recall, class accuracy, and of attributes the confidence
(of real pictures' 1), the lowest of any attribute, and the largest total variation. Distances in
different features have different scales: of theirs the ratios can be compared, and the mean says
something only where the last widths are equal.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # where genimg is

# It sets how OpenMP waits, which only counts before torch is imported.
import genimg  # noqa: F401

# isort: split
import argparse
import statistics

from genimg.explore.evaluating import evaluate_model

COLUMNS = {
    "accuracy": "its accuracy",
    "distance": "FD",
    "floor": "real FD",
    "ratio": "FD / real",
    "recall": "recall",
    "classes": "class accuracy",
    "confidence": "confidence",
    "lowest": "lowest",
    "variation": "largest TV",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model")
    parser.add_argument("--nets", nargs="+", required=True, metavar="RUN")
    parser.add_argument("--count", type=int, default=10_000)
    options = parser.parse_args()

    print(f"| {options.model}, judged by | {' | '.join(COLUMNS.values())} |")
    print(f"|---|{'---|' * len(COLUMNS)}", flush=True)
    rows = []
    for net in options.nets:
        rows.append(judged(options.model, net, options.count))
        print(line(Path(net).name, rows[-1]), flush=True)
    known = [name for name in COLUMNS if name in rows[0]]
    print(line("mean", {name: statistics.mean(row[name] for row in rows) for name in known}))


def judged(model: str, net: str, count: int) -> dict[str, float]:
    """Return the numbers of one judge, by the names of `COLUMNS`; some models have fewer."""
    own = evaluate_model(net)
    found = evaluate_model(model, count=count, feature_net=net)

    asked = {
        "accuracy": (own, "test_accuracy", "value"),
        "recall": (found, "recall", "value"),
        "classes": (found, "class_accuracy", "value"),
        "confidence": (found, "attribute_confidence", "value"),
        "lowest": (found, "attribute_confidence", "lowest"),
        "variation": (found, "attribute_total_variation", "largest"),
    }
    if "test_accuracy" not in own:
        asked["accuracy"] = (own, "attribute_accuracy", "value")
    numbers = {
        column: entries[name][key]
        for column, (entries, name, key) in asked.items()
        if name in entries
    }
    distance, floor = (
        found[name]["value"] for name in ("frechet_distance", "frechet_distance_floor")
    )
    return numbers | {"distance": distance, "floor": floor, "ratio": distance / floor}


def line(name: str, numbers: dict[str, float]) -> str:
    """Return a row of the table."""
    cells = (f"{numbers[column]:.3f}" if column in numbers else "" for column in COLUMNS)
    return f"| {name} | {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
