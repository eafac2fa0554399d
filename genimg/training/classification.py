"""Training a classifier: cross-entropy with light augmentation; what all classifiers share."""

import copy
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genimg.configuration import Configuration, setting
from genimg.training.averaging import update_average
from genimg.training.task import (
    Task,
    decay_matrices_only,
    learning_rate_factor,
    make_optimizer,
    random_pictures,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassifierTrainingConfig(Configuration):
    """How a classifier is trained."""

    optimizer: str = setting("sgd", "How gradients become steps.", choices=("sgd", "adamw"))
    learning_rate: float = setting(0.2, "Learning rate after the warm-up.", low=1e-7, high=10)
    weight_decay: float = setting(
        5e-4, "Pull on the weights towards zero; AdamW pulls on matrices only.", low=0, high=1
    )
    label_smoothing: float = setting(
        0.0, "Probability taken from the true class and spread over all.", low=0, high=0.5
    )
    shift: int = setting(2, "Largest random shift each way, in pixels.", low=0, high=8)
    mirror: bool = setting(True, "Mirror half of the pictures left to right.")
    warm_up: float = setting(0.2, "Fraction of the run over which the rate rises.", low=0, high=1)
    average_half_life: float = setting(
        20_000, "Half-life of the averaged weights, in pictures.", low=1
    )


class RecognisingConfig(Protocol):
    """What every `RecognisingTask` asks of its configuration."""

    @property
    def learning_rate(self) -> float:
        """The rate after the warm-up."""

    @property
    def weight_decay(self) -> float:
        """Pull on the weights towards zero."""

    @property
    def warm_up(self) -> float:
        """Fraction of the run over which the rate rises."""

    @property
    def average_half_life(self) -> float:
        """Half-life of the averaged weights, in pictures."""


Recipe = TypeVar("Recipe", bound=RecognisingConfig)


class RecognisingTask(Task[nn.Module, Recipe]):
    """What tasks of networks that recognise something share: one optimizer, and no pictures."""

    def __init__(
        self,
        model: nn.Module,
        config: Recipe,
        device: torch.device,
        precision: str,
        *,
        optimizer: str = "adamw",
    ) -> None:
        super().__init__(model, config, device, precision)
        groups: list[dict[str, Any]] = [{"params": list(self.model.parameters())}]
        if optimizer == "adamw":
            groups = decay_matrices_only(self.model, config.weight_decay)
        self.optimizers = {
            "classifier": make_optimizer(
                optimizer,
                groups,
                learning_rate=config.learning_rate,
                betas=(0.9, 0.99),
                weight_decay=config.weight_decay,
            )
        }

    def begin_with(self, model: nn.Module) -> None:
        """Copy the weights."""
        self.model.load_state_dict(model.state_dict())
        self.average.load_state_dict(model.state_dict())

    def _outputs(self, images: Tensor, progress: float) -> Tensor:
        """Set the learning rate of this place in the run, and return what the network says."""
        warm_up = self.config.warm_up
        self.set_learning_rate(
            learning_rate_factor(progress, warm_up=warm_up, hold=warm_up, final=0.0)
        )
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            return self.model(images).float()

    def _learn(self, loss: Tensor, *, images: int, images_seen: int) -> float:
        """Step on `loss`, move the average, and return the norm of the gradient."""
        norm = self.guarded_step("classifier", loss)
        update_average(
            self.average,
            self.model,
            images=images,
            images_seen=images_seen,
            half_life=self.config.average_half_life,
        )
        return norm

    def sheet(self, seed: int) -> np.ndarray:
        """Return no pictures: a classifier makes none."""
        config = _config_of(self.average).to_dict()
        return np.zeros((0, config["size"], config["size"], config["channels"]), np.uint8)

    def published(self) -> nn.Module:
        """Return a copy of the averaged model."""
        return copy.deepcopy(self.average)

    @staticmethod
    def outputs(model: nn.Module) -> list[Tensor]:
        """Return what it says of eight pictures."""
        return [model(random_pictures(_config_of(model)))]


class ClassifierTask(RecognisingTask[ClassifierTrainingConfig]):
    """Pictures to classes."""

    least_classes = 2

    def __init__(
        self,
        model: nn.Module,
        config: ClassifierTrainingConfig,
        device: torch.device,
        precision: str,
    ) -> None:
        super().__init__(model, config, device, precision, optimizer=config.optimizer)

    def step(
        self, images: Tensor, labels: Tensor, *, step: int, images_seen: int, progress: float
    ) -> dict[str, float]:
        """Make one step on augmented pictures."""
        batch_size = len(images)
        images = augment(images, shift=self.config.shift, mirror=self.config.mirror)
        images, labels = self.group.share(images), self.group.share(labels)
        logits = self._outputs(images, progress)
        loss = F.cross_entropy(logits, labels, label_smoothing=self.config.label_smoothing)
        norm = self._learn(loss, images=batch_size, images_seen=images_seen)
        accuracy = (logits.argmax(1) == labels).float().mean().item()
        return {"loss": loss.item(), "accuracy": accuracy, "gradient": norm}


def _config_of(model: nn.Module) -> Configuration:
    config = model.config
    assert isinstance(config, Configuration)  # every model keeps its own
    return config


def augment(images: Tensor, *, shift: int, mirror: bool) -> Tensor:
    """Mirror half of the pictures and shift each by up to `shift` pixels, filling with -1."""
    batch, _, height, width = images.shape
    if mirror:
        chosen = torch.rand(batch)[:, None, None, None].to(images.device) < 0.5
        images = torch.where(chosen, images.flip(3), images)
    if not shift:
        return images
    padded = F.pad(images, (shift,) * 4, value=-1.0)  # (B, C, H + 2 shift, W + 2 shift)
    top, left = torch.randint(0, 2 * shift + 1, (2, batch, 1)).to(images.device)
    rows = (top + torch.arange(height, device=images.device))[:, None, :, None]  # (B, 1, H, 1)
    columns = (left + torch.arange(width, device=images.device))[:, None, None]  # (B, 1, 1, W)
    picture = torch.arange(batch, device=images.device)[:, None, None, None]
    channel = torch.arange(images.shape[1], device=images.device)[None, :, None, None]
    return padded[picture, channel, rows, columns].contiguous(memory_format=torch.channels_last)
