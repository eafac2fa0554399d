from dataclasses import replace

import numpy as np
import pytest
import torch
import torchvision.datasets

from genimg.data import torchvision_sets
from genimg.data.attributes import Attribute
from genimg.data.registry import Dataset, published


@pytest.mark.parametrize("name", ["fashion-mnist", "kmnist"])
def test_classes_are_in_the_order_torchvision_gives(name):
    source = getattr(torchvision.datasets, torchvision_sets.TORCHVISION_CLASSES[name])
    assert list(published()[name].classes) == source.classes


def test_every_data_set_has_a_source():
    downloaded = set(torchvision_sets.TORCHVISION_CLASSES)
    drawn = {name for name, facts in published().items() if facts.design}
    assert drawn == {"portraits", "critters"}
    assert set(published()) == downloaded | drawn
    assert not downloaded & drawn


def test_subset_keeps_pictures_labels_and_attributes_together():
    count = 20
    images = torch.arange(count, dtype=torch.uint8).reshape(count, 1, 1, 1).expand(-1, 1, 4, 4)
    attributes = {
        "number": Attribute(tuple(map(str, range(count))), torch.arange(count)),
        "hue": Attribute((), torch.arange(count) / count, cyclic=True),
    }
    whole = Dataset("mine", images, torch.arange(count), ("a",), "here", attributes=attributes)
    mask = torch.arange(count) % 3 == 0
    for chosen in (slice(3, 9), torch.tensor([7, 2, 2, 19]), mask):
        part = whole.subset(chosen)
        rows = torch.arange(count)[chosen]
        assert len(part) == len(rows)
        assert part.images[:, 0, 0, 0].tolist() == part.labels.tolist() == rows.tolist()
        assert part.attributes["number"].data.tolist() == rows.tolist()
        assert torch.equal(part.attributes["hue"].data, rows / count)
        assert part.attributes["hue"].cyclic
        assert (part.name, part.classes, part.source) == ("mine", ("a",), "here")
    with pytest.raises(ValueError, match=r"'number' has 20 values for 5 pictures; use .*subset"):
        replace(whole, images=images[:5], labels=whole.labels[:5])


def test_pictures_are_the_images_with_the_channels_last():
    images = torch.arange(2 * 3 * 4 * 4, dtype=torch.uint8).reshape(2, 3, 4, 4)
    dataset = Dataset("mine", images, torch.zeros(2, dtype=torch.int64), ("a",), "here")
    pictures = dataset.pictures()
    assert pictures.shape == (2, 4, 4, 3)
    assert pictures.dtype == np.uint8
    for i in range(2):
        for channel in range(3):
            assert np.array_equal(pictures[i, :, :, channel], images[i, channel].numpy())


def test_a_data_set_gives_one_picture_and_its_label():
    images = torch.arange(4, dtype=torch.uint8).reshape(4, 1, 1, 1)
    dataset = Dataset("x", images, torch.tensor([3, 2, 1, 0]), tuple("abcd"), "")
    assert [(int(image), label) for image, label in dataset] == [(0, 3), (1, 2), (2, 1), (3, 0)]
    assert dataset[-1][1] == 0
    assert type(dataset[np.int64(1)][1]) is int
    for index in (4, -5):
        with pytest.raises(IndexError, match="there are 4 pictures"):
            dataset[index]
    for index in (slice(2), 1.0, "a", [0, 1]):
        with pytest.raises(TypeError, match=r"Dataset.subset"):
            dataset[index]


def test_a_data_set_says_on_one_line_what_it_is():
    images, labels = torch.zeros(1200, 3, 16, 16, dtype=torch.uint8), torch.zeros(1200).long()
    hue = {"hue": Attribute((), torch.zeros(1200), cyclic=True)}
    whole = Dataset("folder:a\nb", images, labels, ("a", "b"), "here", attributes=hue)
    assert repr(whole) == (
        r"<Dataset 'folder:a\nb': 1,200 pictures of 16 x 16 colour pixels, 2 classes, 1 attribute>"
    )
    assert "16 x 16 grey pixels, 2 classes>" in repr(
        Dataset("mine", images[:, :1], labels, ("a", "b"), "here")
    )
