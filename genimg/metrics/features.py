"""Pictures to features: the space in which sets of pictures are compared.

A feature net is a small classifier, of classes or of attributes. Its last hidden layer gives the
features that the distances of this package are measured in; its outputs tell which class a picture
looks like, or which attributes it has. Numbers from two feature nets cannot be compared, so every
number carries the name of its net.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from genimg.models.attribute_classifier import AttributeHead
from genimg.models.classifier import Recogniser
from genimg.tensors import Images, image_tensor

FEATURE_NETS = {
    "fashion-mnist": "fashion-features",
    "portraits": "portraits-features",
    "critters": "critters-features",
}
"""The feature net that ships for each data set."""


class FeatureNet:
    """A classifier seen as a map from pictures to features and logits."""

    note = ""
    """What must be said beside every figure measured in its features."""

    def __init__(self, name: str, model: Recogniser, heads: Sequence[AttributeHead] = ()) -> None:
        """Wrap `model`, which is put in evaluation mode.

        Args:
            name: shown beside every number measured with this net.
            model: a network of classes, or one of attributes, whose outputs are about `heads`.
            heads: the attributes that it names; () for a classifier of classes.
        """
        self.name, self.heads = name, tuple(heads)
        self.model = model.eval()

    @torch.inference_mode()
    def __call__(self, images: Images, batch_size: int = 500) -> tuple[np.ndarray, np.ndarray]:
        """Return the features float64 (N, D) and the outputs float32 (N, O) of pictures.

        Args:
            images: uint8, a tensor (N, C, H, W) or an array (N, H, W, C), 0..255.
            batch_size: pictures that go through the net at once.

        Raises:
            ValueError: `images` is not a non-empty uint8 set of that shape.
        """
        features, logits = [], []
        for batch in image_tensor(images).split(batch_size):
            hidden = self.model.features(self._input(batch))
            features.append(hidden.cpu().double())  # Apple's GPUs have no float64
            logits.append(self.model.head(hidden).float().cpu())
        return torch.cat(features).numpy(), torch.cat(logits).numpy()

    @torch.inference_mode()
    def manifold(self, images: Images, batch_size: int = 500) -> np.ndarray:
        """Return features float64 (N, E): pictures that are drawn alike lie close together.

        Precision, recall, density and coverage are measured in them. Of a classifier of classes
        they are the features; of one of attributes its `texture`, because in its features the mean
        of all pictures lies near every picture, and counts as real.

        Args:
            images, batch_size: as for a call.
        """
        if not self.heads:
            return self(images, batch_size)[0]
        parts = [
            self.model.texture(self._input(batch)).cpu().double()
            for batch in image_tensor(images).split(batch_size)
        ]
        return torch.cat(parts).numpy()

    def _input(self, batch: torch.Tensor) -> torch.Tensor:
        """Return pictures, uint8 (N, C, H, W), as the model takes them, in [-1, 1]."""
        weight = next(self.model.parameters())
        return (batch.to(weight.device).float() / 127.5 - 1).to(weight.dtype)

    def class_logits(self, outputs: np.ndarray, classes: Sequence[str]) -> np.ndarray | None:
        """Return the columns (N, classes) of outputs (N, O) that are the logits of the classes.

        For a network that names attributes, those of the attribute whose values are the classes;
        None if there is no such attribute.
        """
        if not self.heads:
            return outputs
        start = 0
        for head in self.heads:
            if head.values == tuple(classes):
                return outputs[:, start : start + head.outputs]
            start += head.outputs
        return None


def label_array(labels: Any) -> np.ndarray:
    """Return labels as an array, unchecked; what makes no array becomes the array () of None."""
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
        raise ValueError("features must be finite; look for a broken picture or feature net")
    return a, b
