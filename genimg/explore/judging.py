"""How a GAN's discriminator judges real and generated pictures: a scale on which to read one score.

A logit alone says little: what is high for one objective is low for another. Beside the scores of
real and of generated pictures it says how well a picture deceives.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from genimg import data
from genimg.explore.gan import GanModel


@dataclass(frozen=True, slots=True)
class UsualScores:
    """Logits of a discriminator.

    Attributes:
        drawn: float32 (N,), of the generator's pictures, classes in turn.
        real: float32 (N,), of pictures from the bundled test split; None where none is at hand.
    """

    drawn: np.ndarray
    real: np.ndarray | None


def usual_scores(model: GanModel, count: int = 200) -> UsualScores:
    """Return what a model's discriminator says of `count` generated pictures and as many real ones.

    Raises:
        ValueError: the model has no discriminator.
    """
    pictures = model.sample(count, seed=0)
    labels: Any = np.arange(count) % len(model.classes) if model.classes else None
    drawn = model.judge(pictures, labels)
    name, config = model.info.get("dataset", ""), model.config
    if not data.has_sample(name):
        return UsualScores(drawn, None)
    known = data.load(name, size=config.size, split="test", full=False).subset(slice(count))
    if known.channels != config.channels or (model.classes and known.classes != model.classes):
        return UsualScores(drawn, None)  # a card may say anything
    real = model.judge(known.pictures(), known.labels.numpy() if model.classes else None)
    return UsualScores(drawn, real)


def share_below(scores: np.ndarray, score: float) -> float:
    """Return the share of `scores` (N,) that are lower than `score`, 0 to 1."""
    return float((scores < score).mean())
