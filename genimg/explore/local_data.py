"""The pictures that a model learned from, as far as they are on this machine: no downloads.

A visitor's click must not fill the disk of the machine or wait for somebody else's server.
"""

from functools import lru_cache

from genimg import checkpoints, data
from genimg.data import Dataset
from genimg.explore.attributes import AttributeClassifierModel
from genimg.explore.classifier import ClassifierModel
from genimg.metrics.features import FEATURE_NETS, FeatureNet
from genimg.models import kind_named
from genimg.wording import Wording

_SPLITS = {"train": Wording("local.train", "training"), "test": Wording("local.test", "test")}


@lru_cache(maxsize=16)
def pictures_here(dataset: str | None, size: int, split: str) -> Dataset:
    """Return a split of a data set, or of the sample that ships where that is all there is.

    Args:
        dataset: the name on a model's card; None if it has none.

    Raises:
        ValueError: its pictures are not on this machine.
    """
    try:
        if dataset is None or data.describe(dataset)["images"] is None:
            raise ValueError("it would have to be downloaded")
        return data.load(dataset, size=size, split=split)
    except (ValueError, OSError):
        raise ValueError(
            Wording(
                "local.missing",
                "the {split} pictures of this model are not on this machine",
                split=_SPLITS.get(split, split),
            )
        ) from None


@lru_cache(maxsize=4)
def feature_net(dataset: str | None) -> FeatureNet | None:
    """Return the feature net that ships for a data set; None if there is none."""
    if dataset not in FEATURE_NETS:
        return None
    checkpoint = checkpoints.read(FEATURE_NETS[dataset])
    names_attributes = kind_named(checkpoint.kind).use == "attributes"
    return (AttributeClassifierModel if names_attributes else ClassifierModel)(checkpoint).network
