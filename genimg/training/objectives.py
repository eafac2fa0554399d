"""What the two players of a GAN want: pure functions of the discriminator's logits.

Every objective is a pair of functions of `real` and `fake`, float (B,) logits before a sigmoid.
Each returns a scalar to minimise. `fake[i]` belongs with `real[i]`, which only a paired objective
uses. The generator's functions take the real logits for the same reason.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


def minimax_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Cross-entropy of telling real from fake (Goodfellow et al. 2014, equation 1)."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def minimax_generator(real: Tensor, fake: Tensor) -> Tensor:
    """Minimise log(1 - D(G(z))): vanishes exactly where the generator is worst."""
    return -F.softplus(fake).mean()


def nonsaturating_generator(real: Tensor, fake: Tensor) -> Tensor:
    """Minimise -log D(G(z)) (Goodfellow et al. 2014, section 3): strong where it is worst."""
    return F.softplus(-fake).mean()


def least_squares_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Real towards 1, fake towards 0 (Mao et al. 2017, arXiv 1611.04076, equation 9)."""
    return 0.5 * ((real - 1).square().mean() + fake.square().mean())


def least_squares_generator(real: Tensor, fake: Tensor) -> Tensor:
    """Fake towards 1."""
    return 0.5 * (fake - 1).square().mean()


def wasserstein_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """The critic's estimate of minus the earth mover's distance (arXiv 1701.07875, equation 2)."""
    return fake.mean() - real.mean()


def wasserstein_generator(real: Tensor, fake: Tensor) -> Tensor:
    """Raise the critic's value of the fakes; also the generator's side of the hinge loss."""
    return -fake.mean()


def hinge_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Linear inside the margin, zero beyond it (Lim and Ye 2017, arXiv 1705.02894)."""
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def relativistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Real must look more real than its paired fake (arXiv 1807.00734; 2501.05441, equation 2)."""
    return F.softplus(fake - real).mean()


def relativistic_generator(real: Tensor, fake: Tensor) -> Tensor:
    """Fake must look more real than its paired real."""
    return F.softplus(real - fake).mean()


@dataclass(frozen=True, slots=True)
class Objective:
    """Both sides of one game."""

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor, Tensor], Tensor]
    boundary: float | None = 0.0
    """Logit above which a picture is called real; None where only differences mean something."""
    paired: bool = False
    """Whether the generator's side looks at the real logits, too; if not, what it gets for them
    means nothing, and nobody has paid for judging the real pictures again."""

    def accuracies(self, real: Tensor, fake: Tensor) -> tuple[float, float]:
        """Return the shares of real pictures called real and of fakes called fake, 0 to 1.

        Where only differences mean something, the boundary is half-way between the two means.
        """
        boundary = self.boundary
        if boundary is None:
            boundary = (real.mean() + fake.mean()).item() / 2
        return (real > boundary).float().mean().item(), (fake < boundary).float().mean().item()


OBJECTIVES: dict[str, Objective] = {
    "minimax": Objective(minimax_discriminator, minimax_generator),
    "nonsaturating": Objective(minimax_discriminator, nonsaturating_generator),
    "least-squares": Objective(least_squares_discriminator, least_squares_generator, 0.5),
    "wasserstein": Objective(wasserstein_discriminator, wasserstein_generator, None),
    "hinge": Objective(hinge_discriminator, wasserstein_generator),
    "relativistic": Objective(
        relativistic_discriminator, relativistic_generator, None, paired=True
    ),
}


def squared_gradient_norm(logits: Tensor, images: Tensor) -> Tensor:
    """Return the mean over the batch of the squared norm of d logit / d picture, a scalar.

    With real pictures this is R1 and with fakes R2 (Mescheder et al. 2018, arXiv 1801.04406,
    equation 9), to be multiplied by gamma / 2. Differentiable, so that it can be trained on.

    Args:
        logits: float (B,), what the discriminator says of the pictures.
        images: float (B, C, H, W), which require a gradient.
    """
    (gradients,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return gradients.square().flatten(1).sum(dim=1).mean()


def gradient_penalty(
    discriminator: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor
) -> Tensor:
    """Return the mean of (norm of d logit / d picture - 1)^2, a scalar.

    It is taken at random points between real and fake (Gulrajani et al. 2017, arXiv 1704.00028,
    equation 3), to be multiplied by lambda (10).

    Args:
        discriminator: pictures to logits (B,).
        real, fake: float (B, C, H, W).
    """
    mix = torch.rand(len(real), 1, 1, 1, dtype=real.dtype, device=real.device)
    between = torch.lerp(real, fake, mix).requires_grad_()
    (gradients,) = torch.autograd.grad(discriminator(between).sum(), between, create_graph=True)
    return (gradients.flatten(1).norm(dim=1) - 1).square().mean()
