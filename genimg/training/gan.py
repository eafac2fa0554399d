"""Training a GAN: the discriminator's step, then the generator's.

The algorithm is Goodfellow et al. 2014 (arXiv 1406.2661, algorithm 1) with a choice of objectives
and penalties; which network plays makes no difference here.
"""

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.optimizer import ParamsT

from genimg.configuration import Configuration, setting
from genimg.models.gan import Gan
from genimg.models.mapping import MappedGenerator
from genimg.randomness import generator as random_generator
from genimg.tensors import to_uint8
from genimg.training.augmentation import Changes, adapted, augment, draw_changes
from genimg.training.averaging import update_average
from genimg.training.objectives import OBJECTIVES, gradient_penalty, squared_gradient_norm
from genimg.training.task import Task, as_module, learning_rate_factor, make_optimizer

# Pictures that are generated at once when there are many: more would only take more memory.
DRAWN_AT_ONCE = 100
_AUGMENTATION = "augmentation"


@dataclass(frozen=True, kw_only=True, slots=True)
class GanTrainingConfig(Configuration):
    """How a GAN is trained."""

    objective: str = setting("hinge", "What the two players minimise.", choices=tuple(OBJECTIVES))
    r1: float = setting(0.0, "Gamma of the gradient penalty on real pictures (R1).", low=0)
    r2: float = setting(0.0, "Gamma of the gradient penalty on generated pictures (R2).", low=0)
    gradient_penalty: float = setting(
        0.0, "Lambda of WGAN-GP's penalty between real and generated pictures.", low=0
    )
    penalty_interval: int = setting(
        1, "Steps from one R1 or R2 penalty to the next, which counts that often.", low=1, high=100
    )
    penalty_share: float = setting(
        1.0, "Share of the batch that R1 and R2 are measured on.", low=0.01, high=1
    )
    optimizer: str = setting(
        "adam", "How gradients become steps.", choices=("adam", "adamw", "sgd")
    )
    generator_learning_rate: float = setting(2e-4, "Generator's learning rate.", low=1e-7, high=1)
    discriminator_learning_rate: float = setting(
        4e-4, "Discriminator's learning rate.", low=1e-7, high=1
    )
    mapping_learning_rate: float = setting(
        1.0,
        "Learning rate of the mapping network, if there is one, as a share of the generator's.",
        low=1e-4,
        high=1,
    )
    beta1: float = setting(0.0, "Decay of the mean gradient (momentum for SGD).", low=0, high=0.999)
    beta2: float = setting(0.99, "Decay of the mean squared gradient.", low=0, high=0.9999)
    weight_decay: float = setting(
        0.01, "AdamW's pull of weights towards zero, in learning rates.", low=0, high=1
    )
    discriminator_steps: int = setting(
        1, "Steps of the discriminator for each of the generator.", low=1, high=20
    )
    hold: float = setting(
        0.5, "Fraction of the run before the learning rates start to fall.", low=0, high=1
    )
    average_half_life: float = setting(
        20_000, "Half-life of the averaged generator, in pictures.", low=1
    )
    augment: bool = setting(
        False,
        "Change the pictures before the discriminator sees them, and the more, the better it knows"
        " the real ones by heart: for small data sets (ADA, arXiv 2006.06676).",
    )


class GanTask(Task[Gan, GanTrainingConfig]):
    """A generator against a discriminator."""

    model: Gan
    draws = True

    def __init__(
        self, model: Gan, config: GanTrainingConfig, device: torch.device, precision: str
    ) -> None:
        averaged = as_module(model.generator)
        super().__init__(model, config, device, precision, averaged=averaged)
        self.classes = model.generator.config.classes
        self.objective = OBJECTIVES[config.objective]
        self.augmentation = 0.0  # the probability of each change
        options: dict[str, Any] = {"betas": (config.beta1, config.beta2)}
        if config.optimizer == "adamw":  # what Adam and SGD call so is another thing
            options["weight_decay"] = config.weight_decay
        self.optimizers = {
            "generator": make_optimizer(
                config.optimizer,
                _generator_parameters(averaged, config),
                learning_rate=config.generator_learning_rate,
                **options,
            ),
            "discriminator": make_optimizer(
                config.optimizer,
                self._discriminator.parameters(),
                learning_rate=config.discriminator_learning_rate,
                **options,
            ),
        }

    @property
    def _discriminator(self) -> nn.Module:
        assert self.model.discriminator is not None  # only a checkpoint may be without
        return self.model.discriminator

    def begin_with(self, model: Gan) -> None:
        """Copy the weights of the generator, and those of the discriminator if there is one."""
        weights = as_module(model.generator).state_dict()
        as_module(self.model.generator).load_state_dict(weights)
        self.average.load_state_dict(weights)
        if model.discriminator is not None:
            self._discriminator.load_state_dict(model.discriminator.state_dict())

    def step(
        self, images: Tensor, labels: Tensor, *, step: int, images_seen: int, progress: float
    ) -> dict[str, float]:
        """Make one discriminator step and, after `discriminator_steps`, one generator step."""
        batch_size = len(images)
        self.set_learning_rate(learning_rate_factor(progress, hold=self.config.hold))
        # The fakes are generated once: the generator is judged on what the discriminator just saw.
        generator_turn = (step + 1) % self.config.discriminator_steps == 0
        with torch.set_grad_enabled(generator_turn):
            fakes = self._generate(labels)
        images, labels = self.group.share(images), self.group.share(labels)
        penalise = step % self.config.penalty_interval == 0
        report = self._discriminator_step(images, fakes.detach(), labels, penalise=penalise)
        if self.config.augment:
            right = {name: report[name] for name in ("real_accuracy", "fake_accuracy")}
            accuracy = sum(self.group.average(right).values()) / 2  # every process must do the same
            self.augmentation = adapted(self.augmentation, accuracy, batch_size)
            report["augmentation"] = self.augmentation
        if generator_turn:
            report |= self._generator_step(images, fakes, labels)
            update_average(
                self.average,
                as_module(self.model.generator),
                images=batch_size * self.config.discriminator_steps,
                images_seen=images_seen,
                half_life=self.config.average_half_life,
            )
        return report

    def _generate(self, labels: Tensor) -> Tensor:
        """Return this process's share (B / N, C, H, W) of new fakes for all `labels` (B,)."""
        generator, share = self.model.generator, self.group.share
        z = share(torch.randn(len(labels), generator.config.latent_dimensions)).to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            if not isinstance(generator, MappedGenerator):
                return generator(z, share(labels))
            noise = [share(x).to(self.device) for x in generator.draw_noise(len(labels))]
            return generator(z, share(labels), noise)

    def _augment(self, images: Tensor) -> Tensor:
        """Return pictures as the discriminator is to see them; each call changes them anew."""
        if not self.augmentation:
            return images
        changes = draw_changes(len(images) * self.group.size, self.augmentation)
        return augment(images, Changes(*map(self.group.share, changes)))

    def _judge(self, images: Tensor, labels: Tensor) -> Tensor:
        images = self._augment(images)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            return self._discriminator(images, labels).float()

    def _discriminator_step(
        self, images: Tensor, fakes: Tensor, labels: Tensor, *, penalise: bool
    ) -> dict[str, float]:
        # Two passes: batch statistics must never mix real and fake.
        real, fake = self._judge(images, labels), self._judge(fakes, labels)
        loss = total = self.objective.discriminator(real, fake)
        if penalise:
            total = total + self._penalty(images, fakes, labels)
        norm = self.guarded_step("discriminator", total)
        real_accuracy, fake_accuracy = self.objective.accuracies(real, fake)
        return {
            "discriminator_loss": loss.item(),
            "real_accuracy": real_accuracy,
            "fake_accuracy": fake_accuracy,
            "discriminator_gradient": norm,
        }

    def _penalty(self, images: Tensor, fakes: Tensor, labels: Tensor) -> Tensor:
        """Return what the discriminator pays for its gradients, in float32, which they need."""
        config, judge = self.config, self._discriminator
        penalty = torch.zeros((), device=images.device)
        count = max(1, round(len(images) * config.penalty_share))
        # Lazy regularisation: Karras et al. 2020, arXiv 1912.04958, section 3.1.
        for gamma, pictures in ((config.r1, images), (config.r2, fakes)):
            if gamma:
                x = pictures[:count].detach().float().requires_grad_()
                scores = judge(self._augment(x), labels[:count])
                square = squared_gradient_norm(scores, x)
                penalty = penalty + gamma / 2 * config.penalty_interval * square
        if config.gradient_penalty:
            penalty = penalty + config.gradient_penalty * gradient_penalty(
                lambda mixed: judge(self._augment(mixed), labels), images, fakes
            )
        return penalty

    def _generator_step(self, images: Tensor, fakes: Tensor, labels: Tensor) -> dict[str, float]:
        discriminator = self._discriminator.requires_grad_(False)
        try:
            fake = self._judge(fakes, labels)
            real = self._judge(images, labels) if self.objective.paired else fake.detach()
            loss = self.objective.generator(real, fake)
            norm = self.guarded_step("generator", loss)
        finally:
            discriminator.requires_grad_(True)
        return {"generator_loss": loss.item(), "generator_gradient": norm}

    def optimizer_tensors(self) -> dict[str, Tensor]:
        """Return the state of both optimizers, and how often pictures are changed."""
        tensors = super().optimizer_tensors()
        if self.config.augment:
            tensors[_AUGMENTATION] = torch.tensor(self.augmentation, dtype=torch.float64)
        return tensors

    def load_optimizer_tensors(self, tensors: dict[str, Tensor]) -> None:
        """Undo `optimizer_tensors`."""
        if self.config.augment:
            self.augmentation = tensors[_AUGMENTATION].item()
        super().load_optimizer_tensors(
            {name: tensor for name, tensor in tensors.items() if name != _AUGMENTATION}
        )

    def sheet(self, seed: int) -> np.ndarray:
        """Return 40 pictures of fixed latents, class after class, without noise."""
        return self.draw(self.labels_in_turn(40), seed)

    @torch.no_grad()
    def draw(self, labels: Tensor, seed: int) -> np.ndarray:
        """Return a picture of a fixed latent for each label, without noise."""
        numbers = random_generator(seed, "sheet", 0)
        dimensions = self.model.generator.config.latent_dimensions
        z = torch.randn(len(labels), dimensions, generator=numbers)
        pictures = [
            to_uint8(self.average(latents.to(self.device), classes.to(self.device)))
            for latents, classes in zip(
                z.split(DRAWN_AT_ONCE), labels.split(DRAWN_AT_ONCE), strict=True
            )
        ]
        return np.concatenate(pictures)

    def published(self) -> Gan:
        """Return the GAN with the averaged generator and the discriminator as it is."""
        model = copy.deepcopy(self.model).eval().requires_grad_(False)
        as_module(model.generator).load_state_dict(self.average.state_dict())
        return model

    @staticmethod
    def outputs(model: Gan) -> list[Tensor]:
        """Return pictures of eight latents, and the logits of the discriminator if there is one."""
        generator, config = model.generator, model.generator.config
        numbers = random_generator(0, "outputs", 0)
        z = torch.randn(8, config.latent_dimensions, generator=numbers)
        labels = torch.arange(8) % max(config.classes, 1)
        if isinstance(generator, MappedGenerator):
            pictures = generator(z, labels, generator.draw_noise(8, numbers))
        else:
            pictures = generator(z, labels)
        judged = [] if model.discriminator is None else [model.discriminator(pictures, labels)]
        return [pictures, *judged]


def _generator_parameters(generator: nn.Module, config: GanTrainingConfig) -> ParamsT:
    """Return the parameters of a generator, in groups if its mapping network learns slower."""
    share = config.mapping_learning_rate
    if share == 1 or not isinstance(generator, MappedGenerator):
        return generator.parameters()
    mapping = list(generator.mapping.parameters())
    inside = set(map(id, mapping))
    groups: list[dict[str, Any]] = [
        {"params": mapping, "lr": share * config.generator_learning_rate},
        {"params": [p for p in generator.parameters() if id(p) not in inside]},
    ]
    return groups
