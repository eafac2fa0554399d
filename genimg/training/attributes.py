"""Training a network that names attributes: one loss for names, numbers and hues alike."""

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genimg.configuration import Configuration, setting
from genimg.data import Dataset
from genimg.models.attribute_classifier import AttributeClassifierConfig, AttributeHead
from genimg.training.averaging import update_average
from genimg.training.task import (
    Task,
    decay_matrices_only,
    learning_rate_factor,
    make_optimizer,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class AttributeTrainingConfig(Configuration):
    """How a classifier of attributes is trained, by AdamW."""

    learning_rate: float = setting(2e-3, "Learning rate after the warm-up.", low=1e-7, high=1)
    weight_decay: float = setting(0.02, "Pull of matrices towards zero.", low=0, high=1)
    warm_up: float = setting(0.05, "Fraction of the run over which the rate rises.", low=0, high=1)
    average_half_life: float = setting(
        5_000, "Half-life of the averaged weights, in pictures.", low=1
    )


class AttributeTask(Task):
    """Pictures to attributes. Nothing is mirrored or shifted: where things are is an attribute."""

    def __init__(
        self,
        model: nn.Module,
        config: AttributeTrainingConfig,
        device: torch.device,
        precision: str,
    ) -> None:
        super().__init__(model, model, config, device)
        self.bf16 = precision == "bf16"
        self.heads = model.config.heads()
        self.optimizers = {
            "classifier": make_optimizer(
                "adamw",
                decay_matrices_only(self.model, config.weight_decay),
                learning_rate=config.learning_rate,
                betas=(0.9, 0.99),
            )
        }

    @staticmethod
    def targets(model: AttributeClassifierConfig, dataset: Dataset) -> Tensor:
        """Return float32 (N, A): of each attribute the index of its value, or the number itself.

        Raises:
            ValueError: the data set has no such attributes.
        """
        known = {
            name: AttributeHead(name, tuple(attribute.values), attribute.cyclic)
            for name, attribute in dataset.attributes.items()
        }
        heads = model.heads()
        for head in heads:
            if known.get(head.name) != head:
                has = "; ".join(map(str, known.values())) or "none"
                raise ValueError(
                    f"the model names the attribute {head}, but the attributes of {dataset.name}"
                    f" are {has}; choose a data set with that attribute, or give attributes"
                )
        return torch.stack([dataset.attributes[h.name].data.float() for h in heads], dim=1)

    def step(
        self, images: Tensor, labels: Tensor, *, step: int, images_seen: int, progress: float
    ) -> dict[str, float]:
        """Make one step; `labels` are `targets` (B, A)."""
        batch_size, warm_up = len(images), self.config.warm_up
        self.set_learning_rate(
            learning_rate_factor(progress, warm_up=warm_up, hold=warm_up, final=0.0)
        )
        images, labels = self.group.share(images), self.group.share(labels)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            outputs = self.model(images).float()
        loss = attribute_loss(outputs, labels, self.heads)
        norm = self.guarded_step("classifier", loss)
        update_average(
            self.average,
            self.model,
            images=batch_size,
            images_seen=images_seen,
            half_life=self.config.average_half_life,
        )
        return {
            "attribute_loss": loss.item(),
            "accuracy": _accuracy(outputs, labels, self.heads),
            "gradient": norm,
        }

    def sheet(self, seed: int) -> np.ndarray:
        """Return no pictures: a classifier makes none."""
        config = self.average.config
        return np.zeros((0, config.size, config.size, config.channels), np.uint8)

    def published(self) -> nn.Module:
        """Return a copy of the averaged model."""
        return copy.deepcopy(self.average)


def attribute_loss(outputs: Tensor, targets: Tensor, heads: Sequence[AttributeHead]) -> Tensor:
    """Return the mean over attributes of a loss that is 1 where nothing is known, and 0 at best.

    Of names the cross-entropy over that of even odds; of a number the squared distance of two
    points, which is 1 between the centre of the circle and any point on it.

    Args:
        outputs: float32 (B, O), as the network gives them.
        targets: float32 (B, A), indices or numbers.
    """
    losses = []
    parts = outputs.split([head.outputs for head in heads], dim=1)
    for head, part, target in zip(heads, parts, targets.unbind(1), strict=True):
        if head.values:
            losses.append(F.cross_entropy(part, target.long()) / math.log(len(head.values)))
        else:
            angle = 2 * math.pi * head.turns * target
            point = torch.stack([angle.cos(), angle.sin()], dim=1)  # (B, 2)
            losses.append((part - point).square().sum(1).mean())
    return torch.stack(losses).mean()


def _accuracy(outputs: Tensor, targets: Tensor, heads: Sequence[AttributeHead]) -> float:
    """Return the share of names that are right, over all attributes that have names; 0 if none."""
    parts = outputs.split([head.outputs for head in heads], dim=1)
    right = [
        (part.argmax(1) == target.long()).float().mean()
        for head, part, target in zip(heads, parts, targets.unbind(1), strict=True)
        if head.values
    ]
    return torch.stack(right).mean().item() if right else 0.0
