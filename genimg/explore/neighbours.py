"""Is it a copy? The training pictures nearest to a picture, and how near unseen real ones come.

A distance alone says little. Beside the distances of real pictures that the model never saw to
their nearest training pictures it says whether something was learned by heart: the memorisation
ratio (see `genimg.metrics.nearest`), here of one picture. All training pictures that are on this
machine are searched, exactly.
"""

import threading
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from genimg.checks import require_choice, require_whole_number
from genimg.data import Dataset
from genimg.data.fit import fit
from genimg.explore.local_data import feature_net, pictures_here
from genimg.metrics.features import FeatureNet
from genimg.metrics.picture_search import PictureSearch
from genimg.tensors import image_tensor

WAYS = ("pixels", "features")
_UNSEEN = 200  # test pictures that show how near an unseen one comes
_SUSPICIOUS = 0.01  # of the test pictures: nearer than these, it may be a copy
_SPARE = 16  # pictures more than asked for that are compared without rounding
_making = threading.Lock()


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """The training pictures nearest to one picture.

    Attributes:
        pictures: uint8 (count, H, W, C), nearest first.
        numbers: int64 (count,), their places in the training split.
        distances: float64 (count,): by pixels the root mean square difference in grey levels, 0 to
            255; by features the Euclidean distance.
        ratio: the nearest distance, divided by the median of the same of unseen test pictures;
            about 1 for a new picture, well under 1 for a copy, or for a picture plainer than real
            ones; None where most test pictures are in the training split too.
        share_nearer: share of those test pictures that are nearer to a training picture than it is.
        searched: how many training pictures were searched.
        source: what they are, for people to read.
    """

    pictures: np.ndarray
    numbers: np.ndarray
    distances: np.ndarray
    ratio: float | None
    share_nearer: float
    searched: int
    source: str

    @property
    def is_suspicious(self) -> bool:
        """Whether it is as near as the nearest 1 % of real pictures that were never seen."""
        return self.share_nearer < _SUSPICIOUS


class TrainingPictures:
    """All training pictures of a data set that are on this machine, to be searched.

    Their features are found when first asked for, which takes a third of a millisecond a picture.

    Args:
        training, unseen: its two splits.
        net: in whose features pictures are compared too; None to compare pixels only.
    """

    def __init__(self, training: Dataset, unseen: Dataset, net: FeatureNet | None) -> None:
        self.training = training
        self.net = net if net and net.model.config.channels == training.channels else None
        self.ways = WAYS if self.net else WAYS[:1]
        self._unseen = unseen.pictures()[:_UNSEEN]
        self._search = PictureSearch(training.images)
        self._usual: dict[str, np.ndarray] = {}
        self._lock = threading.RLock()  # what is made when first asked for is made once

    @cached_property
    def _features(self) -> tuple[np.ndarray, np.ndarray]:
        """Return features of all training pictures, float64 (N, D), and their squared lengths."""
        features = self._features_of(self.training.images)
        return features, np.square(features).sum(axis=1)

    def _usual_by(self, way: str) -> np.ndarray:
        """Return the distances of unseen pictures to their nearest, float64 (M,)."""
        with self._lock:
            if way not in self._usual:
                distances = [self._find(picture, 1, way)[1][0] for picture in self._unseen]
                self._usual[way] = np.array(distances)
            return self._usual[way]

    def nearest(self, picture: np.ndarray, count: int = 5, by: str = "pixels") -> Neighbours:
        """Return the training pictures nearest to one.

        Args:
            picture: uint8 (H, W, C), of the size and channels of the training pictures.
            count: how many, 1 to as many as there are.
            by: "pixels", or "features" where a feature net knows the pictures.

        Raises:
            ValueError: an argument is out of range, or the picture has another shape.
        """
        require_choice("by", by, WAYS)
        if by not in self.ways:
            raise ValueError(
                f"no feature net knows {self.training.name}, so compare its pictures by pixels"
            )
        require_whole_number("count", count, 1, len(self.training))
        numbers, distances = self._find(picture, count, by)
        usual = self._usual_by(by)
        median = float(np.median(usual))
        return Neighbours(
            pictures=self.training.pictures()[numbers],
            numbers=numbers,
            distances=distances,
            ratio=float(distances[0]) / median if median else None,
            share_nearer=float((usual < distances[0]).mean()),
            searched=len(self.training),
            source=self.training.source,
        )

    def _find(self, picture: np.ndarray, count: int, by: str) -> tuple[np.ndarray, np.ndarray]:
        if by == "pixels":
            return self._search.nearest(picture, count)
        asked = self._features_of(image_tensor(picture[None]))[0]
        # A product is faster than all differences, and wrong by rounding only: those that may be
        # nearest are compared anew.
        with self._lock:
            features, squares = self._features
        rough = squares - 2 * features @ asked
        some = rough.argsort()[: count + _SPARE]
        distances = np.linalg.norm(features[some] - asked, axis=1)
        order = distances.argsort(kind="stable")[:count]
        return some[order], distances[order]

    def _features_of(self, images) -> np.ndarray:
        """Return features float64 (N, D) of pictures uint8 (N, C, H, W)."""
        assert self.net is not None  # else "features" is none of `ways`
        return self.net(fit(images, self.net.model.config.size))[0]


def training_pictures(dataset: str | None, size: int) -> TrainingPictures:
    """Return the training pictures of a data set; made when first asked for, and kept.

    That takes a third of a millisecond to some milliseconds a picture. Others wait meanwhile.

    Args:
        dataset: the name on a model's card.
        size: side of the model's pictures in pixels.

    Raises:
        ValueError: its pictures are not on this machine.
    """
    with _making:
        return _made(dataset, size)


@lru_cache(maxsize=8)
def _made(dataset: str | None, size: int) -> TrainingPictures:
    training, unseen = (pictures_here(dataset, size, split) for split in ("train", "test"))
    return TrainingPictures(training, unseen, feature_net(dataset))
