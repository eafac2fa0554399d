"""Images to features: the space in which sets of images are compared.

A feature net is a small classifier, of classes or of attributes. Its last hidden layer gives the
features that the distances of this package are measured in; its outputs tell which class an image
looks like, or which attributes it has. Numbers from two feature nets cannot be compared, so every
number carries the name of its net.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from genimg.models.attribute_classifier import AttributeHead
from genimg.render.images import shown

Images = Tensor | np.ndarray
FEATURE_NETS = {
    "fashion-mnist": "fashion-features",
    "portraits": "portraits-features",
    "critters": "critters-features",
}
"""The feature net that ships for each data set."""


class FeatureNet:
    """A classifier seen as a map from images to features and logits."""

    def __init__(self, name: str, model: nn.Module, heads: Sequence[AttributeHead] = ()) -> None:
        """Wrap `model`, which is put in evaluation mode.

        Args:
            name: shown beside every number measured with this net.
            model: has `features(x)` -> (B, D) for float images (B, C, H, W) in [-1, 1], and
                `head(features)` -> logits (B, classes), or outputs (B, O) about `heads`; one of
                attributes also has `texture(x)` -> (B, E).
            heads: the attributes that it names; () for a classifier of classes.
        """
        self.name, self.heads = name, tuple(heads)
        self.model = model.eval()

    @torch.inference_mode()
    def __call__(self, images: Images, batch_size: int = 500) -> tuple[np.ndarray, np.ndarray]:
        """Return the features float64 (N, D) and the outputs float32 (N, O) of images.

        Args:
            images: uint8, a tensor (N, C, H, W) or an array (N, H, W, C), 0..255.
            batch_size: images that go through the net at once.

        Raises:
            ValueError: `images` is not a non-empty uint8 set of that shape.
        """
        device = next(self.model.parameters()).device
        features, logits = [], []
        for batch in image_tensor(images).split(batch_size):
            x = batch.to(device).float() / 127.5 - 1
            hidden = self.model.features(x)
            features.append(hidden.double().cpu())
            logits.append(self.model.head(hidden).float().cpu())
        return torch.cat(features).numpy(), torch.cat(logits).numpy()

    @torch.inference_mode()
    def manifold(self, images: Images, batch_size: int = 500) -> np.ndarray:
        """Return features float64 (N, E) whose neighbours are pictures that are drawn alike.

        Precision, recall, density and coverage are measured in them. Of a classifier of classes
        they are the features; of one of attributes its `texture`, because in its features the mean
        of all pictures lies near every picture, and counts as real.

        Args:
            images, batch_size: as for a call.
        """
        if not self.heads:
            return self(images, batch_size)[0]
        device = next(self.model.parameters()).device
        parts = [
            self.model.texture(batch.to(device).float() / 127.5 - 1).double().cpu()
            for batch in image_tensor(images).split(batch_size)
        ]
        return torch.cat(parts).numpy()

    def class_logits(self, outputs: np.ndarray, classes: Sequence[str]) -> np.ndarray | None:
        """Return the columns (N, classes) of outputs (N, O) that are the logits of the classes.

        Of a network that names attributes: of the attribute whose values are the classes; None if
        there is no such attribute.
        """
        if not self.heads:
            return outputs
        start = 0
        for head in self.heads:
            if head.values == tuple(classes):
                return outputs[:, start : start + head.outputs]
            start += head.outputs
        return None


def image_tensor(images: Images) -> Tensor:
    """Return uint8 images as a tensor (N, C, H, W), whichever of the two forms they come in.

    Args:
        images: uint8, a tensor (N, C, H, W) or an array (N, H, W, C), 0..255.

    Raises:
        ValueError: `images` is not a non-empty uint8 set of that shape.
    """
    if isinstance(images, np.ndarray):
        good = images.ndim == 4 and images.dtype == np.uint8
        images = torch.from_numpy(images.copy()).permute(0, 3, 1, 2) if good else images
    else:
        good = isinstance(images, Tensor) and images.ndim == 4 and images.dtype == torch.uint8
    if not good or images.numel() == 0:
        arrays = isinstance(images, (np.ndarray, Tensor))
        got = f"{images.dtype} {tuple(images.shape)}" if arrays else type(images).__name__
        raise ValueError(
            "images must be one or more uint8 pictures, an array (N, H, W, C) or a tensor "
            f"(N, C, H, W), not {got}"
        )
    return images


def is_whole(value: Any) -> bool:
    """Tell whether a value is a whole number; True and False are none."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def check_seed(seed: int) -> None:
    """Raise ValueError unless `seed` is a whole number from 0 to 2^32 - 1."""
    if not is_whole(seed) or not 0 <= seed < 2**32:
        raise ValueError(f"seed must be a whole number from 0 to {2**32 - 1}, not {shown(seed)}")


def label_array(labels: Any) -> np.ndarray:
    """Return labels as an array, which is not yet checked; () of None is what is no array."""
    try:
        return np.asarray(labels)
    except (ValueError, TypeError):  # rows of several lengths
        return np.array(None)


def check_features(a: np.ndarray, b: np.ndarray, least: int) -> tuple[np.ndarray, np.ndarray]:
    """Return two feature sets as float64, or raise ValueError saying what is wrong with them.

    Args:
        a, b: (N, D) and (M, D), finite.
        least: the fewest rows that each must have.
    """
    try:
        a, b = np.asarray(a), np.asarray(b)
        if "c" in (a.dtype.kind, b.dtype.kind):
            raise TypeError
        a, b = a.astype(np.float64), b.astype(np.float64)
    except (ValueError, TypeError):
        raise ValueError(
            "the two feature sets must be arrays of numbers, (N, D) and (M, D)"
        ) from None
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise ValueError(
            f"the two feature sets must be (N, D) and (M, D), not {a.shape} and {b.shape}"
        )
    if min(len(a), len(b)) < least:
        raise ValueError(
            f"each set needs at least {least} images, not {len(a)} and {len(b)}; use more"
        )
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError("features must be finite; look for a broken image or feature net")
    return a, b
