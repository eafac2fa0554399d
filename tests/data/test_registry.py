import pytest
import torchvision.datasets

from genimg.data import torchvision_sets
from genimg.data.registry import published


@pytest.mark.parametrize("name", ["fashion-mnist", "kmnist"])
def test_classes_are_in_the_order_torchvision_gives(name):
    source = getattr(torchvision.datasets, torchvision_sets.TORCHVISION_CLASSES[name])
    assert list(published()[name].classes) == source.classes


def test_every_data_set_has_a_source():
    assert set(published()) == set(torchvision_sets.TORCHVISION_CLASSES)
