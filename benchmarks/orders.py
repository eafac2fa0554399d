"""What the order of drawing and the number of steps cost a MaskGIT.

    python benchmarks/orders.py [NAME] [--count N] [--pictures M] [--seed N] [--guidance G]

First every order, one token at a time: -log p of M test pictures (default 500), in nats per token
with its standard error. Then N drawings (default 2,000) in 8 steps in each order, and surest first
in other numbers of steps: Fréchet distance in the features of the data set's feature net, class
accuracy and recall. The pictures of all lines come from the same random numbers.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # where genimg is

# It sets how OpenMP waits, which only counts before torch is imported.
import genimg

# isort: split
import argparse
from typing import Any

import numpy as np

from genimg import data
from genimg.data.fit import fit
from genimg.explore import MaskedDrawerModel
from genimg.explore.arguments import pictures_of
from genimg.explore.parallel import DEFAULTS, ORDERS
from genimg.metrics.features import FEATURE_NETS
from genimg.metrics.frechet import frechet_distance
from genimg.metrics.manifold import precision_recall
from genimg.tensors import image_tensor

STEPS = (1, 2, 4, 16, 32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("name", nargs="?", default="fashion-maskgit")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--pictures", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--guidance", type=float, default=DEFAULTS["guidance"])
    options = parser.parse_args()

    model = genimg.load(options.name)
    dataset, size = pictures_of(model)
    test = data.load(dataset, size=size, split="test")
    say_likelihoods(model, test, options.pictures, options.seed)

    judge = genimg.load(FEATURE_NETS[dataset])
    dataset, size = pictures_of(judge)
    real, _ = judge.network(data.load(dataset, size=size, split="test").images)
    print("\n| order | steps | FD | class accuracy | recall |\n|---|---|---|---|---|", flush=True)
    ways: list[dict[str, Any]] = [{"order": order} for order in ORDERS]
    ways += [{"steps": steps} for steps in STEPS if steps <= model.prior.num_tokens]
    for way in ways:
        chosen = {"order": DEFAULTS["order"], "steps": DEFAULTS["steps"]} | way
        pictures = model.sample(
            options.count, seed=options.seed, guidance=options.guidance, **chosen
        )
        fake, logits = judge.network(fit(image_tensor(pictures), size))
        labels = np.arange(options.count) % len(model.classes)
        accuracy = (logits.argmax(axis=1) == labels).mean()
        distance, (_, recall) = frechet_distance(fake, real), precision_recall(real, fake)
        print(
            f"| {chosen['order']} | {chosen['steps']} | {distance:.3f} | {accuracy:.3f}"
            f" | {recall:.3f} |",
            flush=True,
        )


def say_likelihoods(model: MaskedDrawerModel, test: data.Dataset, count: int, seed: int) -> None:
    """Print -log p of the first `count` test pictures in each order."""
    images, labels = test.pictures()[:count], test.labels[:count]
    print("| order | nats per token |\n|---|---|", flush=True)
    for order in (*ORDERS[1:], "any"):  # surest first depends on what is drawn
        nats = model.negative_log_likelihood(images, labels, order=order, seed=seed)
        error = nats.std(dtype=np.float64) / np.sqrt(len(nats))
        print(f"| {order} | {nats.mean(dtype=np.float64):.3f} ± {error:.3f} |", flush=True)


if __name__ == "__main__":
    main()
