"""What the objectives of a GAN do: the modes they find, how near they come, how long they take.

    python benchmarks/objectives.py [--write]

Each objective with what it cannot do without (see `genimg.training.variants`), everything else the
same: two mixtures of Gaussians in the plane (`gaussians.py`) and stacked Fashion-MNIST
(`stacked.py`), one seed. With --write the tables replace `objectives.md` and what the page shows.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # where genimg is

# isort: split
import gaussians
import race_tables
import stacked
import torch

from genimg.training.task import Diverged
from genimg.training.variants import variants


def in_the_plane(**settings: object) -> list[str]:
    """Return the cells of a GAN for each mixture: the modes it covers, its share of good samples.

    Args:
        settings: of its training.
    """
    cells = []
    for mixture in gaussians.MIXTURES.values():
        try:
            outcome = gaussians.train(mixture, **settings)
        except Diverged:
            cells += ["diverged", ""]
            continue
        cells += [f"{outcome.modes}", f"{100 * outcome.good:.0f} %"]
    return cells


def on_stacks(stack: stacked.Stack, **settings: object) -> list[str]:
    """Return the cells of a GAN that learned stacked pictures; `settings` are of its preset."""
    try:
        outcome = stacked.train(stack, **settings)
    except Diverged:
        return ["diverged", "", "", ""]
    return [
        f"{outcome.kinds}",
        f"{outcome.distance:.1f}",
        f"{outcome.speed:.0f}",
        f"{outcome.seconds / 60:.1f}",
    ]


def of_real_stacks(stack: stacked.Stack) -> list[str]:
    """Return the cells of real stacks in place of generated ones."""
    torch.manual_seed(0)
    kinds, distance = stack.judge(stack.sample(stacked.SAMPLES))
    return ["real pictures", f"{kinds}", f"{distance:.1f}", "", ""]


def main() -> None:
    torch.set_num_threads(1)
    found = variants(stacked.PRESET, "objective")
    plane = race_tables.plane("objective")
    for name, settings in found.items():
        plane.add([name, *in_the_plane(**settings)])
    stack = stacked.Stack()
    stacks = race_tables.stacks("objective")
    for name, settings in found.items():
        stacks.add([name, *on_stacks(stack, **settings)])
    stacks.add(of_real_stacks(stack))
    race_tables.finish("objectives", "Objectives", [plane, stacks])


if __name__ == "__main__":
    main()
