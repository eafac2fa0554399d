"""Training a network that names attributes: one loss for names, numbers and hues alike."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from genimg.configuration import Configuration, setting
from genimg.data import Dataset
from genimg.models.attribute_classifier import (
    AttributeClassifier,
    AttributeClassifierConfig,
    AttributeHead,
)
from genimg.training.classification import RecognisingTask


@dataclass(frozen=True, kw_only=True, slots=True)
class AttributeTrainingConfig(Configuration):
    """How a classifier of attributes is trained, by AdamW."""

    learning_rate: float = setting(2e-3, "Learning rate after the warm-up.", low=1e-7, high=1)
    weight_decay: float = setting(0.02, "Pull on the matrices towards zero.", low=0, high=1)
    warm_up: float = setting(0.05, "Fraction of the run over which the rate rises.", low=0, high=1)
    average_half_life: float = setting(
        5_000, "Half-life of the averaged weights, in pictures.", low=1
    )


class AttributeTask(RecognisingTask[AttributeTrainingConfig]):
    """Pictures to attributes. Nothing is mirrored or shifted: where things are is an attribute."""

    model: AttributeClassifier
    learns_attributes = True

    @staticmethod
    def targets(model: AttributeClassifierConfig, dataset: Dataset) -> Tensor:
        """Return float32 (N, A): for each attribute the index of its value, or the number itself.

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
        batch_size, heads = len(images), self.model.config.heads()
        images, labels = self.group.share(images), self.group.share(labels)
        outputs = self._outputs(images, progress)
        loss = attribute_loss(outputs, labels, heads)
        norm = self._learn(loss, images=batch_size, images_seen=images_seen)
        return {
            "attribute_loss": loss.item(),
            "accuracy": _accuracy(outputs, labels, heads),
            "gradient": norm,
        }


def attribute_loss(outputs: Tensor, targets: Tensor, heads: Sequence[AttributeHead]) -> Tensor:
    """Return the mean over attributes of a loss that is 1 where nothing is known, and 0 at best.

    For names it is the cross-entropy divided by that of even odds; for a number, the squared
    distance between two points, which is 1 from the centre of the circle to any point on it.

    Args:
        outputs: float32 (B, O), as the network gives them.
        targets: float32 (B, A), indices or numbers.

    Returns:
        A scalar.
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
