"""What a network reads off pictures, and attribute fidelity: clear values, in the data's shares.

A generated picture is faithful in an attribute if it has a clear value for it, and a set of them
if the values come as often as in the data. Both are measured against real pictures read by the same
network, so its own mistakes count on both sides.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from genimg.models.attribute_classifier import AttributeHead

BINS = 8
"""Equal parts of 0 to 1 in which the numbers of a continuous attribute are counted."""
_CLEAR = 1e-3  # a probability nearer to 0 or 1 is as good as certain


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What a network says about one attribute of N pictures.

    Attributes:
        values: int64 (N,), the likeliest names; for a number, float64 (N,) in [0, 1].
        confidence: float64 (N,) in [0, 1]: the probability of that name, or how far from the centre
            of the circle the network's point lies, at most 1.
        probabilities: float64 (N, K) over the names; None for a number.
    """

    values: np.ndarray
    confidence: np.ndarray
    probabilities: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class Fidelity:
    """How true a set of pictures is to the data in one attribute.

    Attributes:
        confidence: mean confidence, relative to that of real pictures; about 1 where values are
            clear.
        total_variation: half the sum of the differences of the values' shares, from 0 for equal
            distributions to 1 where no value occurs on both sides.
    """

    confidence: float
    total_variation: float


def read_outputs(outputs: np.ndarray, heads: Sequence[AttributeHead]) -> dict[str, Reading]:
    """Return what the outputs of an `AttributeClassifier` say, by the name of the attribute.

    Args:
        outputs: floating point (N, O), finite.
        heads: what the outputs are about, in their order.

    Raises:
        ValueError: the outputs are not as wide as the heads, or not finite.
    """
    outputs = np.asarray(outputs, np.float64)
    width = sum(head.outputs for head in heads)
    if outputs.ndim != 2 or outputs.shape[1] != width:
        raise ValueError(f"the outputs must be (N, {width}), not {outputs.shape}")
    if not np.isfinite(outputs).all():
        raise ValueError("outputs must be finite; look for a broken picture or network")
    parts = np.split(outputs, np.cumsum([head.outputs for head in heads])[:-1], axis=1)
    return {
        head.name: _names(part) if head.values else _numbers(part, head)
        for head, part in zip(heads, parts, strict=True)
    }


def _names(logits: np.ndarray) -> Reading:
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
    return Reading(probabilities.argmax(axis=1), probabilities.max(axis=1), probabilities)


def _numbers(points: np.ndarray, head: AttributeHead) -> Reading:
    angles = np.arctan2(points[:, 1], points[:, 0]) / (2 * math.pi)  # in turns, -1/2 to 1/2
    if head.cyclic:
        values = angles % 1
    else:
        # The lower half of the circle has no numbers: its points belong to the nearer end.
        values = np.where(angles < -0.25, 1.0, angles / head.turns).clip(0, 1)
    return Reading(values, np.hypot(points[:, 0], points[:, 1]).clip(max=1))


def shares(reading: Reading, head: AttributeHead) -> np.ndarray:
    """Return how often each value occurs, float64 (K,) or, of numbers, (BINS,); they sum to 1."""
    if head.values:
        counts = np.bincount(reading.values, minlength=len(head.values))
    else:
        counts = np.histogram(reading.values, bins=BINS, range=(0, 1))[0]
    return counts / len(reading.values)


def total_variation(a: np.ndarray, b: np.ndarray) -> float:
    """Return the total variation distance of two distributions, 0 to 1.

    Half the sum of the absolute differences of their shares (K,): the largest difference that the
    two can have about any event.
    """
    return float(np.abs(np.asarray(a, np.float64) - b).sum() / 2)


def attribute_scores(
    readings: Mapping[str, Reading], heads: Sequence[AttributeHead]
) -> dict[str, np.ndarray]:
    """Return numbers that grow with each attribute, float64 (N,), by names such as "mouth: sad".

    For names they are log-odds (of two names, those of the second only; where the two are no and
    yes, under the attribute's own name); for a number, the number; for a hue, how near it is to
    red, and to green.

    Args:
        readings: of N pictures.
        heads: the attributes.
    """
    scores = {}
    for head in heads:
        reading = readings[head.name]
        if reading.probabilities is not None:
            clear = reading.probabilities.clip(_CLEAR, 1 - _CLEAR)
            odds = np.log(clear / (1 - clear))
            for index, value in list(enumerate(head.values))[1 if len(head.values) == 2 else 0 :]:
                name = head.name if head.values == ("no", "yes") else f"{head.name}: {value}"
                scores[name] = odds[:, index]
        elif head.cyclic:
            angle = 2 * math.pi * reading.values
            scores |= {f"{head.name}: red": np.cos(angle), f"{head.name}: green": np.sin(angle)}
        else:
            scores[head.name] = reading.values
    return scores


def attribute_fidelity(
    generated: Mapping[str, Reading], real: Mapping[str, Reading], heads: Sequence[AttributeHead]
) -> dict[str, Fidelity]:
    """Compare generated pictures with real ones in every attribute.

    Equally distributed sets of N and M pictures still differ by chance, by about
    sqrt(K (1 / N + 1 / M) / 2 pi) in total variation: compare it with that of real pictures.

    Args:
        generated, real: what one network reads off the pictures, as many of each as you like.
        heads: the attributes.

    Raises:
        ValueError: a set is empty.
    """
    found = {}
    for head in heads:
        mine, theirs = generated[head.name], real[head.name]
        if not (len(mine.values) and len(theirs.values)):
            raise ValueError("attribute fidelity needs at least one picture on each side")
        found[head.name] = Fidelity(
            float(mine.confidence.mean() / theirs.confidence.mean()),
            total_variation(shares(mine, head), shares(theirs, head)),
        )
    return found
