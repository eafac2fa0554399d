"""What a trained model is worth: one call that draws, loads the data set, and measures."""

import os
from typing import Any

import numpy as np

from genimg import data
from genimg.explore import ClassifierModel, load
from genimg.metrics.evaluation import evaluate

FEATURE_NET = "fashion-features"


def evaluate_model(
    name: str | os.PathLike,
    *,
    count: int = 10_000,
    seed: int = 0,
    feature_net: str | os.PathLike = FEATURE_NET,
) -> dict[str, dict[str, Any]]:
    """Measure a model against the data set that its card names, at full variety (truncation 1).

    Args:
        name: as for `genimg.load`.
        count: pictures to draw from a GAN, class after class in turn.
        seed: of the pictures and of the metrics.
        feature_net: classifier in whose features a GAN is measured. A classifier itself is
            measured on the whole test split, without `count`, `seed` and `feature_net`.

    Returns:
        The entries of `genimg.metrics.evaluation.evaluate`, or "test_accuracy" for a classifier;
        JSON-ready.

    Raises:
        ValueError: a model cannot be loaded, or the two are made for different pictures.
        OSError: the data set could not be downloaded.
    """
    model = load(name)
    dataset, size = _pictures_of(model)
    if isinstance(model, ClassifierModel):
        test = data.load(dataset, size=size, split="test")
        return {"test_accuracy": _accuracy_entry(model, test)}

    judge = load(feature_net)
    if not isinstance(judge, ClassifierModel):
        raise ValueError(f"{feature_net} is not a classifier, so it cannot be the feature net")
    if _pictures_of(judge) != (dataset, size):
        seen, seen_size = _pictures_of(judge)
        raise ValueError(
            f"{feature_net} was trained on {seen} at {seen_size} pixels and {name} on {dataset} at"
            f" {size}; choose a feature net that was trained on the same pictures"
        )
    images = model.sample(count, seed=seed)
    return evaluate(
        images,
        np.arange(count) % len(model.classes) if model.classes else None,
        train=data.load(dataset, size=size, split="train"),
        test=data.load(dataset, size=size, split="test"),
        feature_net=judge.network,
        seed=seed,
    )


def _pictures_of(model: Any) -> tuple[str, int]:
    """Return the data set and the size in pixels that a model was trained on."""
    dataset, size = model.info.get("dataset"), model.info.get("size")
    if not isinstance(dataset, str) or not isinstance(size, int):
        raise ValueError(f"the card of {model.name} must tell the dataset and the size in pixels")
    return dataset, size


def _accuracy_entry(model: ClassifierModel, test: data.Dataset) -> dict[str, Any]:
    _, logits = model.network(test.images)
    return {
        "value": float((logits.argmax(axis=1) == test.labels.numpy()).mean()),
        "images": len(test),
        "source": test.source,
    }
