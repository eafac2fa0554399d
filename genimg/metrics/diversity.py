"""How different pictures of the same class are from each other, pixel by pixel."""

import math

import numpy as np
import torch

from genimg.metrics.features import Images, image_tensor


def within_class_distance(images: Images, labels: np.ndarray) -> float | None:
    """Return the mean distance of two different images of the same class, in grey levels.

    The distance of two images is the root mean square difference of their pixels, 0..255, and
    every pair within a class counts the same. Near 0 all images of a class are one image. The
    pixels are blind to what a picture means, so only compare the numbers of similar sets: drawn
    pictures with real ones of the same classes.

    Args:
        images: uint8, a tensor (N, C, H, W) or an array (N, H, W, C), 0..255.
        labels: the class of each image, integers (N,).

    Returns:
        None where no class has two images.

    Raises:
        ValueError: the images are no uint8 set of that shape, or there is not one label for each.
    """
    pixels = image_tensor(images).flatten(1).double()
    labels = np.asarray(labels)
    if labels.shape != (len(pixels),):
        raise ValueError(f"give one label an image, {len(pixels)} of them, not {labels.shape}")
    total, pairs = 0.0, 0
    for label in np.unique(labels):
        members = pixels[labels == label]
        # Without the formula by products, which rounds equal pictures apart.
        distances = torch.cdist(members, members, compute_mode="donot_use_mm_for_euclid_dist")
        total += distances.sum().item()
        pairs += len(members) * (len(members) - 1)
    return total / pairs / math.sqrt(pixels.shape[1]) if pairs else None
