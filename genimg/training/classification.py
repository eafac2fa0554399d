"""Training a classifier: cross-entropy with light augmentation."""

import copy
from dataclasses import dataclass

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
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassifierTrainingConfig(Configuration):
    """How a classifier is trained."""

    optimizer: str = setting("sgd", "How gradients become steps.", choices=("sgd", "adamw"))
    learning_rate: float = setting(0.2, "Learning rate after the warm-up.", low=1e-7, high=10)
    weight_decay: float = setting(
        5e-4, "Pull of the weights towards zero; AdamW pulls matrices only.", low=0, high=1
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


class ClassifierTask(Task):
    """Pictures to classes."""

    def __init__(
        self,
        model: nn.Module,
        config: ClassifierTrainingConfig,
        device: torch.device,
        precision: str,
    ) -> None:
        super().__init__(model, model, config, device)
        self.bf16 = precision == "bf16"
        groups: list[dict] = [{"params": list(self.model.parameters())}]
        if config.optimizer == "adamw":
            groups = decay_matrices_only(self.model, config.weight_decay)
        self.optimizers = {
            "classifier": make_optimizer(
                config.optimizer,
                groups,
                learning_rate=config.learning_rate,
                betas=(0.9, 0.99),
                weight_decay=config.weight_decay,
            )
        }

    def step(
        self, images: Tensor, labels: Tensor, *, step: int, images_seen: int, progress: float
    ) -> dict[str, float]:
        """Make one step on augmented pictures."""
        warm_up, batch_size = self.config.warm_up, len(images)
        self.set_learning_rate(
            learning_rate_factor(progress, warm_up=warm_up, hold=warm_up, final=0.0)
        )
        images = augment(images, shift=self.config.shift, mirror=self.config.mirror)
        images, labels = self.group.share(images), self.group.share(labels)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            logits = self.model(images).float()
        loss = F.cross_entropy(logits, labels, label_smoothing=self.config.label_smoothing)
        norm = self.guarded_step("classifier", loss)
        update_average(
            self.average,
            self.model,
            images=batch_size,
            images_seen=images_seen,
            half_life=self.config.average_half_life,
        )
        accuracy = (logits.argmax(1) == labels).float().mean().item()
        return {"loss": loss.item(), "accuracy": accuracy, "gradient": norm}

    def sheet(self, seed: int) -> np.ndarray:
        """Return no pictures: a classifier makes none."""
        size = self.average.config.size
        return np.zeros((0, size, size, self.average.config.channels), np.uint8)

    def published(self) -> nn.Module:
        """Return a copy of the averaged model."""
        return copy.deepcopy(self.average)


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
