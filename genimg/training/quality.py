"""How good the pictures of a model in training are, measured now and then beside the training.

Everything here only looks: it draws from random numbers of its own and changes nothing that
training uses, so a run that is measured ends exactly like one that is not.
"""

import time
from functools import cached_property
from statistics import fmean
from typing import NamedTuple

import numpy as np
import torch

from genimg import checkpoints
from genimg.checkpoints import CheckpointError
from genimg.data import Dataset
from genimg.data.fit import fit, only_pads
from genimg.metrics.attributes import attribute_fidelity, read_outputs
from genimg.metrics.diversity import within_class_distance
from genimg.metrics.features import FEATURE_NETS, FeatureNet
from genimg.metrics.frechet import frechet_distance
from genimg.models.attribute_classifier import AttributeClassifierConfig
from genimg.randomness import generator
from genimg.tensors import image_tensor
from genimg.training.task import Task
from genimg.training.yardstick import COMPARED, Yardstick

DRAWN = 500
REAL = 1000
LEAST_SECONDS = 30.0
# It waits at least this many times as long as the last measurement took: 1.6 % of the time.
COSTS_BETWEEN = 60
# How many real pictures the differences of those on a sheet are compared with.
DIFFERENT = 200


class QualityGauge:
    """Compares what a task generates with the real pictures of its data set.

    Args:
        dataset: the pictures of the run.
        seed: of the run; the pictures compared are always the same.
    """

    def __init__(self, task: Task, dataset: Dataset, seed: int) -> None:
        self.task, self.dataset, self.seed = task, dataset, seed
        self._measured_at, self._cost = time.monotonic(), 0.0
        self.began = False
        """Whether it has measured the quality in this attempt."""

    def diversity(self, sheet: np.ndarray) -> dict[str, float]:
        """Return the `diversity` of a sample sheet; nothing where the task makes no new pictures.

        Args:
            sheet: what `task.sheet` returned, uint8 (N, H, W, C), class after class.
        """
        if not self.task.draws:
            return {}
        distance = within_class_distance(sheet, self.task.labels_in_turn(len(sheet)).numpy())
        if distance is None or not self._real_distance:
            return {}
        return {"diversity": distance / self._real_distance}

    def is_due(self) -> bool:
        """Return whether it is time to `measure`: not often, and never at a noticeable cost."""
        if not self.task.draws:
            return False
        wait = max(LEAST_SECONDS, COSTS_BETWEEN * self._cost)
        return time.monotonic() - self._measured_at >= wait

    def measure(self) -> dict[str, float]:
        """Return what the yardstick tells of new pictures (see `Yardstick.compare`).

        Where a shipped classifier knows the data set, `frechet_distance_500`, its floor and, with
        classes, `class_accuracy_500` are added; where it names attributes,
        `attribute_confidence_500` and `attribute_total_variation_500`, too.
        """
        yardstick, reference = self._yardstick, self._reference  # made once, which costs more
        start = time.monotonic()
        labels = self.task.labels_in_turn(DRAWN if reference else COMPARED)
        drawn = self.task.draw(labels, self.seed)
        values = yardstick.compare(drawn, labels.numpy())
        if reference:
            values |= self._judged(image_tensor(drawn), labels, reference)
        self._measured_at = time.monotonic()
        self._cost, self.began = self._measured_at - start, True
        return values

    def _judged(
        self, drawn: torch.Tensor, labels: torch.Tensor, reference: "_Reference"
    ) -> dict[str, float]:
        judge = reference.judge
        features, outputs = judge(fit(drawn, judge.model.config.size))
        values = {
            "frechet_distance_500": frechet_distance(features, reference.features),
            "frechet_distance_500_floor": reference.floor,
        }
        logits = judge.class_logits(outputs, self.dataset.classes)
        if self.task.classes and logits is not None:
            values["class_accuracy_500"] = float((logits.argmax(1) == labels.numpy()).mean())
        if judge.heads:
            here, there = (read_outputs(o, judge.heads) for o in (outputs, reference.outputs))
            found = attribute_fidelity(here, there, judge.heads).values()
            values["attribute_confidence_500"] = fmean(each.confidence for each in found)
            values["attribute_total_variation_500"] = fmean(each.total_variation for each in found)
        return values

    @cached_property
    def _real_distance(self) -> float | None:
        """The distance of real pictures that the diversity is relative to."""
        rows = self._order[:DIFFERENT]
        return within_class_distance(self.dataset.images[rows], self._labels[rows].numpy())

    @cached_property
    def _yardstick(self) -> Yardstick:
        return Yardstick(self.dataset.images, self._labels, self._order)

    @cached_property
    def _reference(self) -> "_Reference | None":
        """None where no shipped classifier knows the data, or the pictures are too few."""
        judge = find_judge(self.dataset, self.task.device)
        if judge is None or len(self.dataset) < REAL + DRAWN:
            return None
        images = self.dataset.images[self._order[: REAL + DRAWN]]
        features, outputs = judge(fit(images, judge.model.config.size))
        floor = frechet_distance(features[REAL:], features[:REAL])
        return _Reference(judge, features[:REAL], outputs[:REAL], floor)

    @property
    def _labels(self) -> torch.Tensor:
        """The classes that the task can tell apart, int64 (N,)."""
        labels = self.dataset.labels
        return labels if self.task.classes else torch.zeros_like(labels)

    @cached_property
    def _order(self) -> torch.Tensor:
        return torch.randperm(len(self.dataset), generator=generator(self.seed, "quality", 0))


class _Reference(NamedTuple):
    """A judge, what it says of real pictures, and its distance between real and real."""

    judge: FeatureNet
    features: np.ndarray
    outputs: np.ndarray
    floor: float


def find_judge(dataset: Dataset, device: torch.device) -> FeatureNet | None:
    """Return the shipped classifier if it was trained on these pictures, edges left aside."""
    if dataset.name not in FEATURE_NETS:
        return None
    try:
        checkpoint = checkpoints.read(FEATURE_NETS[dataset.name])
    except CheckpointError:  # an installation without the shipped models
        return None
    config = checkpoint.config
    known = (checkpoint.card.get("dataset"), config.channels, len(checkpoint.card["classes"]))
    fits = dataset.size == config.size or only_pads(dataset.size, config.size)
    if known != (dataset.name, dataset.channels, len(dataset.classes)) or not fits:
        return None
    heads = config.heads() if isinstance(config, AttributeClassifierConfig) else ()
    return FeatureNet(checkpoint.name, checkpoint.model.to(device), heads)
