"""Whether the yardstick of training ranks what goes wrong before what goes well.

    python benchmarks/yardstick.py [--pictures FOLDER SHEET.png ...]

Without arguments: Fashion-MNIST, the GANs that ship, and real pictures that were spoiled in the
ways in which GANs fail. With them: own pictures in FOLDER, one folder for each class, and sample
sheets of genimg (40 pictures in rows of 10, class after class). One line for each set: where it is
on the scale from 0, like other real pictures, to 1, one picture a class drawn again and again, for
three seeds of the random features; how far its classes are apart, and the share of copies.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # where genimg is

import genimg

# isort: split
import argparse

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from genimg import data
from genimg.data import Dataset
from genimg.training.yardstick import COMPARED, Yardstick

SEEDS = 3
TRAIL = "fashion-small"  # whose snapshots are measured in their order
SHIPPED = "fashion-style"
_SHEET = 40
_COLUMNS = 10

Sets = dict[str, tuple[np.ndarray, np.ndarray]]


def spoiled(dataset: Dataset, rows: torch.Tensor) -> Sets:
    """Return real pictures, and the same spoiled as GANs do, each with their labels.

    Args:
        rows: of real pictures that the yardstick does not compare with.
    """
    real, labels = dataset.pictures()[rows.numpy()], dataset.labels[rows].numpy()
    first = {label: real[labels == label][0] for label in np.unique(labels)}
    coarse = F.avg_pool2d(torch.from_numpy(real).permute(0, 3, 1, 2).float(), 4)
    blurred = F.interpolate(coarse, scale_factor=4).round().to(torch.uint8)
    means = {label: real[labels == label].mean(0) for label in first}
    half = np.stack([real[i] * 0.5 + means[label] * 0.5 for i, label in enumerate(labels)])
    one_for_all = np.repeat(real.mean(0, keepdims=True), len(real), axis=0)
    noise = np.random.default_rng(0).normal(0, 16, real.shape)
    return {
        "one smear for all classes": (_levels(one_for_all + noise), labels),
        "one picture for all classes": (np.repeat(real[:1], len(real), axis=0), labels),
        "one picture a class": (np.stack([first[label] for label in labels]), labels),
        "half-way to the mean of the class": (_levels(half), labels),
        "blocks of 4 x 4 pixels": (blurred.permute(0, 2, 3, 1).numpy(), labels),
        "other real pictures": (real, labels),
    }


def _levels(pictures: np.ndarray) -> np.ndarray:
    return pictures.round().clip(0, 255).astype(np.uint8)


def drawn() -> Sets:
    """Return `COMPARED` pictures of each snapshot, and of a shipped GAN, class after class."""
    labels = np.arange(COMPARED) % 10
    trail = genimg.load(TRAIL)
    models = {f"{TRAIL} after {seen:,}": trail.at(seen) for seen in trail.trail}
    sets = {}
    for name, model in (models | {SHIPPED: genimg.load(SHIPPED)}).items():
        pictures = [model.sample(COMPARED // 10, seed=label, label=label) for label in range(10)]
        sets[name] = np.stack(pictures, 1).reshape(COMPARED, *pictures[0].shape[1:]), labels
    return sets


def sheet(path: Path, size: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the pictures of a sample sheet, uint8 (40, size, size, 3), and their labels."""
    rows = _SHEET // _COLUMNS
    with Image.open(path) as image:
        whole = image.convert("RGB").resize((_COLUMNS * size, rows * size), Image.Resampling.BOX)
    pictures = np.asarray(whole).reshape(rows, size, _COLUMNS, size, 3).swapaxes(1, 2)
    return pictures.reshape(_SHEET, size, size, 3), np.arange(_SHEET) % classes


def measure(dataset: Dataset, order: torch.Tensor, sets: Sets) -> list[tuple[str, ...]]:
    """Return a line for each set: name, distances, difference of the classes, copies."""
    count = min(len(labels) for _, labels in sets.values())
    sticks = [
        Yardstick(dataset.images, dataset.labels, order, compared=count, seed=seed)
        for seed in range(SEEDS)
    ]
    lines = []
    for name, (pictures, labels) in sets.items():
        values = [stick.compare(pictures, labels) for stick in sticks]
        distances = " ".join(f"{value['random_distance']:6.2f}" for value in values)
        others = [
            values[0].get(name, float("nan")) for name in ("class_difference", "copied_share")
        ]
        lines.append((name, distances, *(f"{other:.2f}" for other in others)))
    return lines


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", nargs="+", type=Path, metavar=("FOLDER", "SHEET.png"))
    options = parser.parse_args()
    if options.pictures:
        dataset = data.load(f"folder:{options.pictures[0]}", size=64, split="train")
    else:
        dataset = data.load("fashion-mnist", size=32, full=False)
    order = torch.randperm(len(dataset), generator=torch.Generator().manual_seed(0))
    sets = spoiled(dataset, order[-(_SHEET if options.pictures else COMPARED) :])
    if options.pictures:
        for path in options.pictures[1:]:
            sets[path.stem] = sheet(path, dataset.size, len(dataset.classes))
    else:
        sets |= drawn()
    print(f"{'':36}{'distance, seeds 0 to 2':22}  classes  copies")
    for name, distances, difference, copies in measure(dataset, order, sets):
        print(f"{name:36}{distances:22}  {difference:>7}  {copies:>6}")


if __name__ == "__main__":
    main()
