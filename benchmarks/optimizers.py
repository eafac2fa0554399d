"""What the optimizers of a GAN do: the modes they find, how near they come, how long they take.

    python benchmarks/optimizers.py [--write]

The same measurements as `objectives.py`, with the non-saturating objective. In the plane each
optimizer has two learning rates, because none suits all of them. With --write the tables replace
`optimizers.md` and what the page shows.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # where genimg is

# isort: split
import race_tables
import stacked
import torch
from objectives import in_the_plane, of_real_stacks, on_stacks

from genimg.training.variants import variants

RATES = {
    "sgd": (0.1, 0.5),
    "momentum": (0.01, 0.05),
    "adam": (2e-4, 1e-3),
    "adamw": (2e-4, 1e-3),
}


def main() -> None:
    torch.set_num_threads(1)
    found = variants(stacked.PRESET, "optimizer")
    plane = race_tables.plane("optimizer and learning rate")
    for name, settings in found.items():
        for rate in RATES[name]:
            rates = {"generator_learning_rate": rate, "discriminator_learning_rate": rate}
            both = {"objective": "nonsaturating"} | settings | rates
            plane.add([f"{name}, {rate:g}", *in_the_plane(**both)])
    stack = stacked.Stack()
    stacks = race_tables.stacks("optimizer")
    for name, settings in found.items():
        stacks.add([name, *on_stacks(stack, **settings)])
    stacks.add(of_real_stacks(stack))
    race_tables.finish("optimizers", "Optimizers", [plane, stacks])


if __name__ == "__main__":
    main()
