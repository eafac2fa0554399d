"""Features for pictures that no trained network knows: those of a network with random weights.

Random convolutions keep where something is, its edges and its colours, and know nothing of what it
means. That is enough to tell sets of pictures that went wrong from sets that did not (Naeem et al.
2020, arXiv 2002.09797, section 5, "Random embeddings"), and costs a third of a millisecond a
picture. It ranks fine differences badly: a classifier that knows the pictures is better at those.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from genimg.tensors import Images, image_tensor

FEATURES = 64
SIDE = 32
"""Height and width to which pictures are brought; finer detail says little about a set."""
_WIDTHS = (32, 64, 64)


RANDOM = "random-features"
"""The name of the feature net beside figures in these features."""


class RandomFeatures:
    """A fixed map from pictures to `FEATURES` numbers: three convolutions that nobody trained.

    Args:
        channels: colour channels of the pictures.
        seed: of the weights. Distances of two seeds cannot be compared, ratios of distances can:
            over three seeds they agreed to a fifth (`benchmarks/yardstick.py`).
    """

    def __init__(self, channels: int, seed: int = 0) -> None:
        random = torch.Generator().manual_seed(seed)
        self._kernels: list[Tensor] = []
        inputs = channels
        for width in _WIDTHS:
            scale = math.sqrt(2 / (9 * inputs))  # keeps the size of what passes (He et al. 2015)
            self._kernels.append(scale * torch.randn(width, inputs, 3, 3, generator=random))
            inputs = width
        numbers = inputs * (SIDE // 8) ** 2
        self._mix = torch.randn(numbers, FEATURES, generator=random) / math.sqrt(numbers)

    @torch.inference_mode()
    def __call__(self, images: Images, batch_size: int = 250) -> np.ndarray:
        """Return the features float64 (N, FEATURES) of pictures.

        Args:
            images: uint8, a tensor (N, C, H, W) or an array (N, H, W, C), 0..255.
            batch_size: pictures that go through at once.

        Raises:
            ValueError: `images` is not a non-empty uint8 set of that shape.
        """
        return torch.cat(
            [self._features(batch).double() for batch in image_tensor(images).split(batch_size)]
        ).numpy()

    def _features(self, images: Tensor) -> Tensor:
        x = images.float() / 127.5 - 1
        if x.shape[-2:] != (SIDE, SIDE):
            x = F.interpolate(x, size=(SIDE, SIDE), mode="area")
        first, *others = self._kernels
        x = F.avg_pool2d(F.leaky_relu(F.conv2d(x, first, padding=1), 0.2), 2)  # (B, 32, 16, 16)
        for kernel in others:
            x = F.leaky_relu(F.conv2d(x, kernel, padding=1, stride=2), 0.2)
        return x.flatten(1) @ self._mix  # (B, 64 x 4 x 4) -> (B, FEATURES)


class RandomFeatureNet:
    """`RandomFeatures` in place of a `FeatureNet`, for pictures that no network was trained on.

    Args:
        channels: colour channels of the pictures.
    """

    name = RANDOM
    note = "features of an untrained network; compare only with figures in the same features"
    heads = ()

    def __init__(self, channels: int) -> None:
        self._features = RandomFeatures(channels)

    def __call__(self, images: Images) -> tuple[np.ndarray, np.ndarray]:
        """Return the features float64 (N, FEATURES), and no outputs: float32 (N, 0)."""
        features = self._features(images)
        return features, np.empty((len(features), 0), np.float32)

    def manifold(self, images: Images) -> np.ndarray:
        """Return the features alone."""
        return self._features(images)

    def class_logits(self, outputs: np.ndarray, classes: Sequence[str]) -> None:
        """Return None: it knows no classes."""
