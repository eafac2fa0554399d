"""Stacked Fashion-MNIST: three pictures in the three colour channels make 1000 kinds of picture.

As Metz et al. 2017 (arXiv 1611.02163) did with MNIST: a classifier, here `fashion-features`, names
the class in each channel, and a kind is covered if a sample is named so. For the tables beside it.
"""

import time
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from genimg import checkpoints, data
from genimg.metrics.features import FeatureNet
from genimg.metrics.frechet import frechet_distance
from genimg.randomness import derive, generator
from genimg.tensors import to_uint8
from genimg.training.building import build_task
from genimg.training.gan import GanTask
from genimg.training.presets import make_spec

PRESET, PICTURES, SAMPLES, SEED = "fashion-mlp", 64_000, 1000, 0
_SMALL = {
    "channels": 3,
    "generator_widths": (128, 256),
    "discriminator_widths": (256, 128),
    "batch_size": 64,
}
_CHANNELS = 3


class Stack:
    """Pictures of one split, and what judges the stacks of them."""

    def __init__(self) -> None:
        self.images = data.load("fashion-mnist", 32).images
        self.net = FeatureNet("fashion-features", checkpoints.read("fashion-features").model)
        random = generator(SEED, "reference", 0)
        test = data.load("fashion-mnist", 32, "test").images
        chosen = torch.randperm(len(test), generator=random)[: 2 * SAMPLES]
        self.reference = self.net(test[chosen])[0]

    def sample(self, count: int) -> Tensor:
        """Return stacks uint8 (count, 3, 32, 32) of torch's own random numbers."""
        rows = torch.randint(len(self.images), (count, _CHANNELS))
        return self.images[rows].squeeze(2)

    def judge(self, stacks: Tensor) -> tuple[int, float]:
        """Return the kinds that stacks uint8 (N, 3, 32, 32) cover, and their FD.

        FD is between single channels and test pictures.
        """
        features, logits = self.net(stacks.flatten(0, 1)[:, None])
        classes = logits.argmax(1).reshape(-1, _CHANNELS)
        kinds = len(np.unique(classes, axis=0))
        return kinds, frechet_distance(features, self.reference)


class Outcome(NamedTuple):
    """What came of one GAN."""

    kinds: int
    distance: float
    speed: float
    """Pictures in a second of one core."""
    seconds: float
    """Of one core, for the training alone."""


def train(stack: Stack, pictures: int = PICTURES, **settings: Any) -> Outcome:
    """Train a small GAN on stacks; `settings` are those of its preset."""
    spec = make_spec(PRESET, **_SMALL | settings, images=pictures, seed=SEED)
    task = build_task(spec, torch.device("cpu"), "fp32")
    assert isinstance(task, GanTask)
    batch = spec.run.batch_size
    labels, begun = torch.zeros(batch, dtype=torch.int64), time.process_time()
    for step in range(pictures // batch):
        torch.manual_seed(derive(SEED, "step", step))
        images = stack.sample(batch).float() / 127.5 - 1
        seen = batch * (step + 1)
        task.step(images, labels, step=step, images_seen=seen, progress=seen / pictures)
    seconds = time.process_time() - begun
    torch.manual_seed(derive(SEED, "judged", 0))
    latents = spec.model.to_dict()["latent_dimensions"]
    with torch.no_grad():
        drawn = task.average(torch.randn(SAMPLES, latents))
    stacks = torch.from_numpy(to_uint8(drawn)).permute(0, 3, 1, 2)
    return Outcome(*stack.judge(stacks), pictures / seconds, seconds)
