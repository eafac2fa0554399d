"""What the guidance of an image GPT buys and costs, by the yardstick of `evaluate`.

    python benchmarks/guidance.py [NAME] [--count N] [--seed N] [--guidance G ...]

One line for each guidance, all else as `DrawerModel.sample` has it: Fréchet distance in the
features of the data set's feature net, class accuracy, precision and recall of N pictures (default
10,000), as many of each class. The pictures of all lines come from the same random numbers.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # where genimg is

# It sets how OpenMP waits, which only counts before torch is imported.
import genimg

# isort: split
import argparse

import numpy as np

from genimg import data
from genimg.data.fit import fit
from genimg.explore.arguments import pictures_of
from genimg.metrics.features import FEATURE_NETS
from genimg.metrics.frechet import frechet_distance
from genimg.metrics.manifold import precision_recall
from genimg.tensors import image_tensor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("name", nargs="?", default="fashion-gpt")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--guidance", type=float, nargs="+", default=[1, 1.25, 1.5, 1.75, 2, 3])
    options = parser.parse_args()

    model = genimg.load(options.name)
    judge = genimg.load(FEATURE_NETS[pictures_of(model)[0]])
    dataset, size = pictures_of(judge)
    real, _ = judge.network(data.load(dataset, size=size, split="test").images)
    labels = np.arange(options.count) % len(model.classes)
    print("guidance      FD   accuracy   precision   recall", flush=True)
    for guidance in options.guidance:
        pictures = model.sample(options.count, seed=options.seed, guidance=guidance)
        fake, logits = judge.network(fit(image_tensor(pictures), size))
        precision, recall = precision_recall(real, fake)
        accuracy = (logits.argmax(axis=1) == labels).mean()
        distance = frechet_distance(fake, real)
        print(
            f"{guidance:8g}   {distance:5.3f}   {accuracy:8.4f}   {precision:9.3f}   {recall:6.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
