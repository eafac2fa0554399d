"""How different pictures of the same class are from each other, pixel by pixel."""

import math

import numpy as np
import torch

from genimg.metrics.features import label_array
from genimg.tensors import Images, image_tensor


def within_class_distance(images: Images, labels: np.ndarray) -> float | None:
    """Return the mean distance of two different pictures of the same class, in grey levels.

    The distance of two pictures is the root mean square difference of their pixels, 0..255, and
    every pair within a class counts the same. Near 0 all pictures of a class are one picture. The
    pixels are blind to what a picture means, so only compare the numbers of similar sets: generated
    pictures with real ones of the same classes.

    Args:
        images: uint8, a tensor (N, C, H, W) or an array (N, H, W, C), 0..255.
        labels: the class of each picture, integers (N,).

    Returns:
        None where no class has two pictures.

    Raises:
        ValueError: the pictures are not a uint8 set of that shape, or not each has one label.
    """
    pixels = image_tensor(images).flatten(1).double()
    labels = label_array(labels)
    if labels.shape != (len(pixels),):
        raise ValueError(f"give one label an image, {len(pixels)} of them, not {labels.shape}")
    total, pairs = 0.0, 0
    for label in np.unique(labels):
        members = pixels[labels == label]
        # Not by the formula with products: by rounding, it puts equal pictures apart.
        distances = torch.cdist(members, members, compute_mode="donot_use_mm_for_euclid_dist")
        total += distances.sum().item()
        pairs += len(members) * (len(members) - 1)
    return total / pairs / math.sqrt(pixels.shape[1]) if pairs else None


def spreads(features: np.ndarray, labels: np.ndarray) -> tuple[float, float] | None:
    """Return how far features spread within their classes, and how far apart the classes are.

    Both are sums of variances over all features: the pooled one of the members around the mean of
    their class, and the one between the means of the classes, less what chance adds to it (so it
    may be slightly below 0; it is 0 for one class).

    Args:
        features: (N, D).
        labels: the class of each row, integers (N,).

    Returns:
        None where no class has two members.
    """
    classes = [
        members for label in np.unique(labels) if len(members := features[labels == label]) > 1
    ]
    freedom = sum(len(members) - 1 for members in classes)
    if not freedom:
        return None
    within = sum(((members - members.mean(0)) ** 2).sum() for members in classes) / freedom
    if len(classes) < 2:
        return float(within), 0.0
    means = np.stack([members.mean(0) for members in classes])
    chance = within * np.mean([1 / len(members) for members in classes])
    return float(within), float(means.var(0, ddof=1).sum() - chance)
