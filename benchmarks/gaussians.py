"""GANs in the plane: do they find every mode of a mixture of Gaussians? For the tables beside it.

The mixtures are those of Srivastava et al. 2017 (VEEGAN, arXiv 1705.07761) with the sizes of Lin et
al. 2018 (PacGAN, arXiv 1712.04086), and so is the verdict: a sample is good within three standard
deviations of the nearest mode, and a mode is covered if a good sample lies next to it. Training is
the package's own: a point goes through it as a picture of two channels and one pixel.
"""

import math
import time
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from genimg.configuration import Configuration
from genimg.randomness import derive
from genimg.training.gan import GanTask, GanTrainingConfig

STEPS, BATCH, SAMPLES, SEED = 5000, 128, 2500, 0
_LATENTS, _UNITS = 16, 128
USUAL = {
    "generator_learning_rate": 1e-3,
    "discriminator_learning_rate": 1e-3,
    "beta1": 0.5,
    "beta2": 0.999,
}
"""What everybody trains with who says nothing else."""


class Mixture(NamedTuple):
    """Gaussians of equal weight: centres float (M, 2), and their standard deviation."""

    centres: Tensor
    deviation: float

    def sample(self, count: int) -> Tensor:
        """Return points (count, 2) of torch's own random numbers."""
        chosen = self.centres[torch.randint(len(self.centres), (count,))]
        return chosen + self.deviation * torch.randn(count, 2)

    def judge(self, points: Tensor) -> tuple[int, float]:
        """Return how many modes points (N, 2) cover, and the share of them that is good."""
        distances, nearest = torch.cdist(points, self.centres).min(dim=1)
        good = distances <= 3 * self.deviation
        return len(nearest[good].unique()), good.float().mean().item()


_ANGLES = torch.arange(8) * (2 * math.pi / 8)
_STEPS = torch.arange(-4.0, 5.0, 2.0)
MIXTURES = {
    "ring of 8": Mixture(torch.stack([_ANGLES.cos(), _ANGLES.sin()], dim=1), 0.01),
    "grid of 25": Mixture(torch.cartesian_prod(_STEPS, _STEPS), 0.05),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Plane(Configuration):
    latent_dimensions: int = _LATENTS
    classes: int = 0


class _Perceptron(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.config = _Plane()
        self.body = nn.Sequential(
            nn.Linear(inputs, _UNITS), nn.LeakyReLU(0.2),
            nn.Linear(_UNITS, _UNITS), nn.LeakyReLU(0.2),
            nn.Linear(_UNITS, outputs),
        )  # fmt: skip


class _Generator(_Perceptron):
    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        return self.body(z)[:, :, None, None]


class _Discriminator(_Perceptron):
    def forward(self, points: Tensor, labels: Tensor | None = None) -> Tensor:
        return self.body(points.flatten(1)).squeeze(1)


class _Players(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.generator = _Generator(_LATENTS, 2)
        self.discriminator = _Discriminator(2, 1)


class Outcome(NamedTuple):
    """What came of one GAN."""

    modes: int
    good: float
    """Share of the samples."""
    seconds: float
    """Of one core."""


def train(mixture: Mixture, steps: int = STEPS, **settings: Any) -> Outcome:
    """Train a GAN on `mixture`; `settings` are those of `GanTrainingConfig`."""
    begun = time.process_time()
    torch.manual_seed(derive(SEED, "initialisation", 0))
    config = GanTrainingConfig(**USUAL | settings)
    task = GanTask(_Players(), config, torch.device("cpu"), "fp32")
    labels = torch.zeros(BATCH, dtype=torch.int64)
    for step in range(steps):
        torch.manual_seed(derive(SEED, "step", step))
        points = mixture.sample(BATCH)[:, :, None, None]
        seen = BATCH * (step + 1)
        task.step(points, labels, step=step, images_seen=seen, progress=(step + 1) / steps)
    torch.manual_seed(derive(SEED, "judged", 0))
    with torch.no_grad():
        points = task.model.generator(torch.randn(SAMPLES, _LATENTS)).flatten(1)
    return Outcome(*mixture.judge(points), time.process_time() - begun)
