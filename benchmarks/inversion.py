"""How near "find my picture" comes, how long it takes, and how long a search for copies takes.

    python benchmarks/inversion.py portraits-style fashion-style fashion-dcgan fashion-mlp

For each model a few of its own pictures, of test and of training pictures, and noise: the mean
error of what is found in grey levels, and of own pictures the distance of the nearest training
picture. Times are of one thread: `cpu` is processor time, which a busy machine does not change.
"""

import sys
import time

import numpy as np
import torch

import genimg
from genimg.explore.local_data import pictures_here
from genimg.explore.neighbours import training_pictures

PICTURES = 2


def main(names: list[str]) -> None:
    """Print a table of each model."""
    torch.set_num_threads(1)
    for name in names:
        model = genimg.load(name)
        size, dataset = model.config.size, model.info["dataset"]
        test, train = (pictures_here(dataset, size, split) for split in ("test", "train"))
        own = model.sample(PICTURES, seed=7)
        noise = np.random.default_rng(0).integers(0, 256, own.shape, np.uint8)
        sets = {"own": own, "test": test.pictures(), "training": train.pictures(), "noise": noise}
        for what, pictures in sets.items():
            begun, begun_cpu = time.perf_counter(), time.process_time()
            found = [model.invert(picture) for picture in pictures[:PICTURES]]
            cpu = (time.process_time() - begun_cpu) / PICTURES
            wall = (time.perf_counter() - begun) / PICTURES
            error = np.mean([each.error for each in found])
            print(f"{name} {what}: error {error:.1f}, {cpu:.1f} s cpu, {wall:.1f} s", flush=True)
        begun_cpu = time.process_time()
        known = training_pictures(dataset, size)
        print(f"{name}: index of {len(train)}, {time.process_time() - begun_cpu:.1f} s cpu")
        for by in known.ways:
            begun_cpu = time.process_time()
            near = [known.nearest(picture, 5, by) for picture in own]
            cpu = 1000 * (time.process_time() - begun_cpu) / PICTURES
            distance = np.mean([each.distances[0] for each in near])
            ratio = np.mean([each.ratio for each in near])
            print(f"{name} {by}: {cpu:.0f} ms cpu, nearest {distance:.1f}, ratio {ratio:.2f}")


if __name__ == "__main__":
    main(sys.argv[1:] or ["portraits-style", "fashion-style", "fashion-dcgan", "fashion-mlp"])
