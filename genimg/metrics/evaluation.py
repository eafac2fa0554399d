"""Every number that the project prints about a set of generated pictures, in one dictionary."""

from typing import Any

import numpy as np

from genimg.checks import check_seed, is_whole, shown
from genimg.data import Dataset
from genimg.metrics.attributes import attribute_fidelity, read_outputs
from genimg.metrics.features import FeatureNet, label_array
from genimg.metrics.frechet import frechet_distance
from genimg.metrics.kernel import kernel_distance
from genimg.metrics.manifold import density_coverage, precision_recall
from genimg.metrics.nearest import memorisation_ratio
from genimg.metrics.random_features import RandomFeatureNet

# Precision, recall, density and coverage compare all pairs; beyond this many they take minutes.
MANIFOLD_IMAGES = 10_000
# Pictures whose nearest training picture is sought: the median needs no more, and each is compared
# with the whole training set.
NEAREST_QUERIES = 1_000
KERNEL_SUBSETS = 100
KERNEL_SUBSET_SIZE = 1_000
PRECISION_NEIGHBOURS = 3
DENSITY_NEIGHBOURS = 5


def evaluate(
    images: np.ndarray,
    labels: np.ndarray | None,
    *,
    train: Dataset,
    test: Dataset,
    feature_net: FeatureNet | RandomFeatureNet,
    seed: int,
    floor_draws: int = 3,
) -> dict[str, dict[str, Any]]:
    """Measure generated pictures against the test pictures of a data set.

    Args:
        images: generated, uint8 (N, H, W, C), at least 6.
        labels: the class asked for at each picture, integers (N,), or None when no class was.
        train, test: the two splits; `test` is the reference of every distribution metric, `train`
            gives the floor and the nearest pictures.
        feature_net: the space of every metric but the nearest-picture ratio, trained on the same
            classes if `labels` are given, or on the attributes of the data set. It may also be an
            untrained one; every entry then has its `note`.
        seed: of every random choice made here.
        floor_draws: sets of training pictures drawn for the floor, each as large as `images`.

    Returns:
        One JSON-ready entry per metric, each with its value, sample counts and seed:
        `frechet_distance`; `frechet_distance_floor`, the same distance for real training pictures
        in place of generated ones, below which differences say nothing; `kernel_distance`;
        `precision`, `recall`, `density`, `coverage`, on equally many generated and real pictures;
        `class_accuracy`, only with labels: the share of pictures that the feature net recognises
        as the class asked for, beside the same of the test pictures; `nearest_training_ratio`, see
        `memorisation_ratio`, on random subsets of the generated and the test pictures.

        With a feature net that names attributes also `attribute_confidence` and
        `attribute_total_variation`, means over all attributes, given one by one under "attributes";
        see `genimg.metrics.attributes`. Its precision, recall, density and coverage are those of
        its `texture`: in its features they take a smear for real
        (`benchmarks/manifold_features.py`).

    Raises:
        ValueError: pictures or labels do not fit each other or the data set, or there are too few.
    """
    labels = _check(images, labels, train, test, floor_draws, seed)
    generator = np.random.default_rng(seed)
    fake, fake_outputs = feature_net(images)
    real, real_outputs = feature_net(test.images)
    space = {"feature_net": feature_net.name, "seed": seed}
    space |= {"note": feature_net.note} if feature_net.note else {}
    counts = {"generated": len(fake), "real": len(real)}

    entries: dict[str, dict[str, Any]] = {
        "frechet_distance": {"value": frechet_distance(fake, real), **counts, **space}
    }
    draw_size = min(len(images), len(train.images))
    draws = _draw_rows(generator, len(train.images), floor_draws, draw_size)
    drawn = [feature_net(train.images[rows]) for rows in draws]
    floors = [frechet_distance(features, real) for features, _ in drawn]
    entries["frechet_distance_floor"] = {
        "value": float(np.mean(floors)),
        "draws": floors,
        "training": draw_size,
        "real": len(real),
        **space,
    }

    subset_size = min(KERNEL_SUBSET_SIZE, len(fake), len(real))
    mean, deviation = kernel_distance(
        fake, real, subsets=KERNEL_SUBSETS, subset_size=subset_size, seed=seed
    )
    entries["kernel_distance"] = {
        "value": mean,
        "std": deviation,
        "subsets": KERNEL_SUBSETS,
        "subset_size": subset_size,
        **counts,
        **space,
    }

    manifold_space = space
    if feature_net.heads:
        floor_outputs = [outputs for _, outputs in drawn]
        entries |= _attribute_entries(
            fake_outputs, real_outputs, floor_outputs, feature_net, counts | space
        )
        real, fake = (feature_net.manifold(each) for each in (test.images, images))
        manifold_space = {"features": "texture", **space}
    entries |= _manifold_entries(real, fake, generator, manifold_space)
    fake_logits = feature_net.class_logits(fake_outputs, test.classes)
    real_logits = feature_net.class_logits(real_outputs, test.classes)
    if labels is not None and fake_logits is not None and real_logits is not None:
        entries["class_accuracy"] = {
            "value": _accuracy(fake_logits, labels),
            "real_value": _accuracy(real_logits, test.labels.numpy()),
            **counts,
            **space,
        }
    entries["nearest_training_ratio"] = _nearest_entry(images, train, test, generator, seed)
    return entries


def _check(
    images: np.ndarray,
    labels: np.ndarray | None,
    train: Dataset,
    test: Dataset,
    floor_draws: int,
    seed: int,
) -> np.ndarray | None:
    """Return the labels as an array; raise ValueError before minutes are spent on bad input."""
    check_seed(seed)
    if not isinstance(images, np.ndarray) or images.ndim != 4:
        raise ValueError("the generated images must be an array of uint8 (N, H, W, C)")
    _, channels, height, width = test.images.shape
    for name, shape in [
        ("the generated images", images.shape[1:]),
        ("the training images", train.images.permute(0, 2, 3, 1).shape[1:]),
    ]:
        if tuple(shape) != (height, width, channels):
            raise ValueError(
                f"{name} are {tuple(shape)} (height, width, channels) and the test images "
                f"{(height, width, channels)}; compare a model with the data set it was made for"
            )
    fewest = min(len(images), len(test.images))
    if fewest <= DENSITY_NEIGHBOURS:
        raise ValueError(
            f"an evaluation needs at least {DENSITY_NEIGHBOURS + 1} generated and as many test "
            f"images, not {fewest}"
        )
    if not is_whole(floor_draws) or floor_draws < 1:
        raise ValueError(f"floor_draws must be at least 1, not {shown(floor_draws)}")
    if labels is None:
        return None
    labels = label_array(labels)
    if labels.shape != (len(images),) or not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(
            f"labels must be one whole number an image, {len(images)} of them, "
            f"not {labels.dtype} {labels.shape}"
        )
    if labels.min() < 0 or labels.max() >= len(test.classes):
        raise ValueError(
            f"labels must be from 0 to {len(test.classes) - 1}, the classes of {test.name}, "
            f"not {labels.min()} to {labels.max()}"
        )
    return labels


def _draw_rows(generator: np.random.Generator, size: int, draws: int, count: int) -> np.ndarray:
    """Return random rows of 0..size-1, int64 (draws, count); none comes twice within a draw.

    The draws are disjoint as long as `size` allows: independent ones would share pictures and so
    differ less than new data would.
    """
    return np.resize(generator.permutation(size), (draws, count))


def _manifold_entries(
    real: np.ndarray, fake: np.ndarray, generator: np.random.Generator, space: dict[str, Any]
) -> dict[str, dict[str, Any]]:
    """Return the four nearest-neighbour entries, on equally many real and generated pictures."""
    count = min(len(real), len(fake), MANIFOLD_IMAGES)
    real = real[generator.permutation(len(real))[:count]]
    fake = fake[generator.permutation(len(fake))[:count]]
    common = {"generated": count, "real": count, **space}
    precision, recall = precision_recall(real, fake, PRECISION_NEIGHBOURS)
    density, coverage = density_coverage(real, fake, DENSITY_NEIGHBOURS)
    return {
        "precision": {"value": precision, "neighbours": PRECISION_NEIGHBOURS, **common},
        "recall": {"value": recall, "neighbours": PRECISION_NEIGHBOURS, **common},
        "density": {"value": density, "neighbours": DENSITY_NEIGHBOURS, **common},
        "coverage": {"value": coverage, "neighbours": DENSITY_NEIGHBOURS, **common},
    }


def _attribute_entries(
    fake: np.ndarray,
    real: np.ndarray,
    floors: list[np.ndarray],
    feature_net: FeatureNet | RandomFeatureNet,
    measured: dict[str, Any],
) -> dict[str, dict[str, Any]]:
    """Return the two entries of attribute fidelity.

    Args:
        fake, real: outputs of the feature net for generated and test pictures.
        floors: the same for each draw of training pictures.
        measured: counts, feature net and seed.
    """
    heads = feature_net.heads
    reference = read_outputs(real, heads)
    found = attribute_fidelity(read_outputs(fake, heads), reference, heads)
    confidence = {name: fidelity.confidence for name, fidelity in found.items()}
    variation = {name: fidelity.total_variation for name, fidelity in found.items()}
    floor = [
        np.mean([fidelity.total_variation for fidelity in real_fidelity.values()])
        for real_fidelity in (
            attribute_fidelity(read_outputs(outputs, heads), reference, heads) for outputs in floors
        )
    ]
    return {
        "attribute_confidence": {
            "value": float(np.mean(list(confidence.values()))),
            "lowest": min(confidence.values()),
            "attributes": confidence,
            **measured,
        },
        "attribute_total_variation": {
            "value": float(np.mean(list(variation.values()))),
            "largest": max(variation.values()),
            "floor": float(np.mean(floor)),
            "attributes": variation,
            **measured,
        },
    }


def _nearest_entry(
    images: np.ndarray,
    train: Dataset,
    test: Dataset,
    generator: np.random.Generator,
    seed: int,
) -> dict[str, Any]:
    """Return the memorisation entry: random subsets against the whole training set."""
    generated = generator.permutation(len(images))[:NEAREST_QUERIES]
    held_out = generator.permutation(len(test.images))[:NEAREST_QUERIES]
    found = memorisation_ratio(images[generated], train.images, test.images[held_out])
    return {
        "value": found.pop("ratio"),
        **found,
        "generated": len(generated),
        "held_out": len(held_out),
        "training": len(train.images),
        "seed": seed,
    }


def _accuracy(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of rows (N, classes) whose largest logit is at the label (N,)."""
    return float((logits.argmax(1) == labels).mean())
