"""A yardstick for any pictures, also those that no trained network knows.

It takes its two ends from the data themselves. 0 is how far other real pictures are from real ones;
1 is how far one picture for each class, repeated again and again, would be. A model that is still
at 1 has learned nothing of what differs within a class.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from genimg.metrics.diversity import spreads
from genimg.metrics.frechet import frechet_distance
from genimg.metrics.nearest import nearest
from genimg.metrics.random_features import RandomFeatures
from genimg.tensors import Images, image_tensor

REFERENCE = 1000
COMPARED = 200
# Fewer real pictures than this, and their own distance drowns what is to be measured.
LEAST_COMPARED = 40
# Class means that are less than this share of the spread within classes apart do not differ.
LEAST_BETWEEN = 1 / 16
# Copies are sought among thumbnails, of so many generated pictures.
THUMBNAIL = 16
SOUGHT = 100
# Nearest at a third of the distance of the next: a copy (Yoon et al. 2023, "Diffusion probabilistic
# models generalize when they fail to memorize", section 3).
COPY = 1 / 3


class Yardstick:
    """Compares generated pictures with the real ones of a data set.

    Args:
        images: real pictures, uint8 (N, C, H, W).
        labels: their classes, int64 (N,); all 0 for a model without classes.
        order: a permutation of 0..N-1, which decides what is compared with what.
        compared: how many generated pictures there will be; a third of N at most.
        seed: of the random features.
    """

    def __init__(
        self,
        images: Tensor,
        labels: Tensor,
        order: Tensor,
        *,
        compared: int = COMPARED,
        seed: int = 0,
    ) -> None:
        self.features = RandomFeatures(images.shape[1], seed)
        compared = min(compared, len(images) // 3)
        rows = order[: compared + min(REFERENCE, len(images) - compared)]
        self.compared, self.reference = compared, self.features(images[rows[compared:]])
        self._between = self._floor = self._within = 0.0
        if spread := spreads(self.reference, labels[rows[compared:]].numpy()):
            self._within, self._between = spread
        if compared >= LEAST_COMPARED:
            self._floor = frechet_distance(self.features(images[rows[:compared]]), self.reference)
        self._bank = _distinct(_thumbnails(images))
        self._copied: float | None = None  # too few to tell
        if len(self._bank) > 2:  # itself, and two others
            some = _thumbnails(images[order[:SOUGHT]])
            self._copied = self._copied_share(some, itself=True)

    def compare(self, drawn: Images, labels: np.ndarray) -> dict[str, float]:
        """Return `random_distance`, `class_difference` and `copied_share`; see `metric_names`.

        What the real pictures are too few for, or too alike, is left out.

        Args:
            drawn: generated, uint8 (N, H, W, C), at least `compared`, in mixed order.
            labels: the class of each, integers (N,).
        """
        values = {}
        features = self.features(drawn)
        if 0 < 2 * self._floor < self._within:
            distance = frechet_distance(features[: self.compared], self.reference)
            values["random_distance"] = (distance - self._floor) / (self._within - self._floor)
        if self._between > LEAST_BETWEEN * self._within and (spread := spreads(features, labels)):
            values["class_difference"] = (max(spread[1], 0.0) / self._between) ** 0.5
        if self._copied is not None:
            share = self._copied_share(_thumbnails(image_tensor(drawn)[:SOUGHT]))
            # Real pictures that come in pairs look like copies, and are not the model's doing.
            values["copied_share"] = max(0.0, share - self._copied)
        return values

    def _copied_share(self, thumbnails: Tensor, *, itself: bool = False) -> float:
        """Return the share that is far nearer to one training picture than to the next.

        Args:
            itself: the thumbnails are of training pictures, which are no copies of themselves.
        """
        distances = nearest(thumbnails, self._bank, 2 + itself)[1][:, itself:]
        return float((distances[:, 0] < COPY * distances[:, 1]).mean())


def _thumbnails(images: Tensor) -> Tensor:
    """Return uint8 (N, C, THUMBNAIL, THUMBNAIL)."""
    small = [
        F.interpolate(part.float(), size=(THUMBNAIL, THUMBNAIL), mode="area").round()
        for part in images.split(1000)
    ]
    return torch.cat(small).to(torch.uint8)


def _distinct(images: Tensor) -> Tensor:
    """Return each different picture once: of two equal ones neither would be the nearest."""
    rows = np.ascontiguousarray(images.flatten(1).numpy())
    _, first = np.unique(rows.view(f"V{rows.shape[1]}"), return_index=True)
    return images[np.sort(first)]
