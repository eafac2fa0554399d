import numpy as np
import pytest

from genimg import data
from genimg.explore.local_data import feature_net, pictures_here


def test_a_split_is_the_loaders():
    here = pictures_here("fashion-mnist", 32, "test")
    loaded = data.load("fashion-mnist", size=32, split="test")
    np.testing.assert_array_equal(here.images[:50], loaded.images[:50])


@pytest.mark.parametrize("dataset", ["cifar10", "none", "folder:/no/such/folder", None])
def test_what_is_not_here_is_not_fetched(dataset):
    with pytest.raises(ValueError, match="not on this machine"):
        pictures_here(dataset, 32, "train")


def test_a_data_set_has_the_net_that_ships_for_it():
    assert feature_net("fashion-mnist").name == "fashion-features"
    assert feature_net("portraits").name == "portraits-features"
    assert feature_net("kmnist") is None
    assert feature_net(None) is None
