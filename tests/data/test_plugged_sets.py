import numpy as np
import pytest
import torch

from genimg import data
from genimg.data.registry import Facts, published

FACTS = {
    "title": "Noise",
    "classes": ("a", "b"),
    "size": 28,
    "channels": 1,
    "counts": {"train": 4, "test": 4},
    "license": "CC0",
    "homepage": "",
}
PICTURES = np.arange(4 * 28 * 28, dtype=np.uint8).reshape(4, 1, 28, 28)


@pytest.fixture
def plug(own_tables):
    """Make `read` the reader of a data set called noise."""

    def add(read):
        published().add("noise", Facts(**FACTS, read=read))

    return add


def test_it_is_loaded_by_its_name_at_any_size(plug):
    asked = []
    plug(lambda split: asked.append(split) or (PICTURES, np.array([0, 1, 0, 1])))
    loaded = data.load("noise", size=28, split="test")
    assert np.array_equal(loaded.images.numpy(), PICTURES)
    assert (loaded.labels.tolist(), loaded.classes) == ([0, 1, 0, 1], ("a", "b"))
    assert data.load("noise", size=32).size == 32
    assert asked == ["test", "train"]
    assert "noise" in data.names()
    facts = data.describe("noise")
    assert (facts["images"], facts["source"]) == ({"train": 4, "test": 4}, "a plug-in")
    with pytest.raises(ValueError, match="only fashion-mnist, portraits, critters have one"):
        data.load("noise", full=False)


def fails(split):
    raise KeyError(split)


LABELS = torch.tensor([0, 1, 0, 1])


@pytest.mark.parametrize(
    ("read", "reason"),
    [
        (fails, r"noise could not be read: KeyError \('train'\)"),
        (lambda split: PICTURES, r"must return \(pictures, labels\)"),
        (lambda split: (PICTURES / 255, LABELS), r"must be uint8 \(N, 1, 28, 28\), not float64"),
        (lambda split: (PICTURES[:, :, :9], LABELS), r"not uint8 \(4, 1, 9, 28\)"),
        (lambda split: (PICTURES[:0], LABELS[:0]), r"not uint8 \(0, 1, 28, 28\)"),
        (lambda split: (PICTURES[:3], LABELS[:3]), "has 3 pictures in train, but its counts say 4"),
        (lambda split: ("pictures", LABELS), "must be uint8"),
        (lambda split: (PICTURES, LABELS[:3]), r"must be int64 \(4,\), not int64 \(3,\)"),
        (lambda split: (PICTURES, LABELS.float()), "not float32"),
        (lambda split: (PICTURES, LABELS - 1), "has a label below 0"),
        (lambda split: (PICTURES, LABELS + 1), "has labels beyond its 2 classes"),
    ],
)
def test_what_it_returns_is_checked(plug, read, reason):
    plug(read)
    with pytest.raises(ValueError, match=reason) as refused:
        data.load("noise", size=28)
    assert "\n" not in str(refused.value)
