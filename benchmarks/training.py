"""How fast training is: images/s of each GAN preset, and our loop against a bare PyTorch loop.

    python benchmarks/training.py [--threads N] [--images N]

The bare loop is the same DCGAN written as anyone would write it: no checkpoints, no reports, no
averaging, no guards. Both run alternately in slices, and the ratio is of the medians, so a noisy
machine disturbs both alike. The bare loop draws its fakes once, like ours.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # where genimg is

# It sets how OpenMP waits, which only counts before torch is imported.
import genimg

# isort: split
import argparse
import statistics
import tempfile
import time

import torch
import torch.nn.functional as F

from genimg import data
from genimg.models.dcgan import DcganConfig, DcganDiscriminator, DcganGenerator
from genimg.training.hardware import choose_precision
from genimg.training.loop import Trainer
from genimg.training.planning import images_per_second
from genimg.training.presets import PRESETS, make_spec
from genimg.training.run_directory import RunDirectory

_SLICES = 6


def our_slice(preset: str, dataset: data.Dataset, threads: int, precision: str, images: int):
    """Train `images` pictures through the whole trainer, files and all; return images/s."""
    spec = make_spec(
        preset, images=images, threads=threads, precision=precision, device="cpu", sheets=1
    )
    with tempfile.TemporaryDirectory() as folder:
        directory = RunDirectory.create(f"{folder}/run", spec)
        trainer = Trainer(directory, directory.new_attempt(), dataset)
        start = time.perf_counter()
        trainer.run()
        return trainer.total / (time.perf_counter() - start)


class BareDcgan:
    """The plain loop of a tutorial, with the settings of the preset fashion-dcgan."""

    def __init__(self, dataset: data.Dataset, precision: str) -> None:
        self.images = dataset.images.float() / 127.5 - 1
        self.bf16 = precision == "bf16"
        config = DcganConfig()
        self.generator = DcganGenerator(config).to(memory_format=torch.channels_last)
        self.discriminator = DcganDiscriminator(config).to(memory_format=torch.channels_last)
        adam = {"lr": 2e-4, "betas": (0.5, 0.999)}
        self.generator_optimizer = torch.optim.Adam(self.generator.parameters(), **adam)
        self.discriminator_optimizer = torch.optim.Adam(self.discriminator.parameters(), **adam)

    def slice(self, images: int, batch_size: int = 128) -> float:
        """Train `images` pictures; return images/s."""
        start = time.perf_counter()
        steps = images // batch_size
        for _ in range(steps):
            real = self.images[torch.randint(len(self.images), (batch_size,))]
            real = real.contiguous(memory_format=torch.channels_last)
            with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
                fake = self.generator(torch.randn(batch_size, 64))
                loss = F.softplus(-self.discriminator(real)).mean()
                loss = loss + F.softplus(self.discriminator(fake.detach())).mean()
            self.discriminator_optimizer.zero_grad()
            loss.backward()
            self.discriminator_optimizer.step()
            with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
                loss = F.softplus(-self.discriminator(fake)).mean()
            self.generator_optimizer.zero_grad()
            loss.backward()
            self.generator_optimizer.step()
        return steps * batch_size / (time.perf_counter() - start)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--images", type=int, default=12_800, help="pictures in a DCGAN slice")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    dataset = data.load("fashion-mnist", full=False)
    print(f"genimg {genimg.__version__}, torch {torch.__version__}, {options.threads} threads\n")
    print(f"{'preset':16s} {'bf16 images/s':>14s} {'fp32 images/s':>14s}")
    chosen = {}
    for preset, recipe in PRESETS.items():
        grey = recipe.run.get("dataset", dataset.name) == dataset.name
        if recipe.kind not in ("mlp-gan", "dcgan", "stylegan", "style-dcgan") or not grey:
            continue
        spec = make_spec(preset, threads=options.threads, device="cpu")
        cpu = torch.device("cpu")
        chosen[preset] = choose_precision(spec.kind, cpu)
        bf16, fp32 = (images_per_second(spec, dataset, cpu, name) for name in ("bf16", "fp32"))
        print(f"{preset:16s} {bf16:14.0f} {fp32:14.0f}")

    precision = chosen["fashion-dcgan"]
    bare = BareDcgan(dataset, precision)
    bare.slice(1280)
    ours, theirs = [], []
    for _ in range(_SLICES):
        theirs.append(bare.slice(options.images))
        ours.append(our_slice("fashion-dcgan", dataset, options.threads, precision, options.images))
    ratio = statistics.median(ours) / statistics.median(theirs)
    print(f"\nDCGAN, {precision}, median of {_SLICES} slices of {options.images} images each:")
    print(f"  bare loop {statistics.median(theirs):.0f} images/s")
    print(f"  our loop  {statistics.median(ours):.0f} images/s, ratio {ratio:.3f}")


if __name__ == "__main__":
    main()
