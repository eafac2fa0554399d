import numpy as np
import pytest
import torch
import torchvision.datasets

from genimg.data import torchvision_sets
from genimg.data.registry import Dataset, published


@pytest.mark.parametrize("name", ["fashion-mnist", "kmnist"])
def test_classes_are_in_the_order_torchvision_gives(name):
    source = getattr(torchvision.datasets, torchvision_sets.TORCHVISION_CLASSES[name])
    assert list(published()[name].classes) == source.classes


def test_every_data_set_has_a_source():
    assert set(published()) == set(torchvision_sets.TORCHVISION_CLASSES)


def test_pictures_are_the_images_with_the_channels_last():
    images = torch.arange(2 * 3 * 4 * 4, dtype=torch.uint8).reshape(2, 3, 4, 4)
    dataset = Dataset("mine", images, torch.zeros(2, dtype=torch.int64), ("a",), "here")
    pictures = dataset.pictures()
    assert pictures.shape == (2, 4, 4, 3)
    assert pictures.dtype == np.uint8
    for i in range(2):
        for channel in range(3):
            assert np.array_equal(pictures[i, :, :, channel], images[i, channel].numpy())
