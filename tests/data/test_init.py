import json
import subprocess
import sys

import pytest
import torch

from genimg import data

SAMPLED = ("fashion-mnist", "portraits", "critters")


@pytest.mark.parametrize("full", [None, False])
@pytest.mark.parametrize("split", ["train", "test"])
def test_fashion_mnist_needs_no_network(no_local_copy, no_network, full, split):
    loaded = data.load("fashion-mnist", split=split, full=full)
    assert len(loaded) == {"train": 12_000, "test": 2_000}[split]
    assert (loaded.channels, loaded.size) == (1, 32)
    assert loaded.images.dtype == torch.uint8
    assert loaded.labels.dtype == torch.int64
    assert loaded.source.startswith("bundled sample of")
    assert loaded.classes[int(loaded.labels[0])]
    assert not no_local_copy.exists()


def test_describing_needs_no_network(no_local_copy, no_network):
    for name in data.names():
        facts = data.describe(name)
        json.dumps(facts, allow_nan=False)
        assert 6 <= len(facts["classes"]) <= 10
        assert (facts["images"] is None) == (name not in SAMPLED)
        assert bool(facts["attributes"]) == (name in SAMPLED[1:])
    assert data.describe("fashion-mnist")["images"] == {"train": 12_000, "test": 2_000}


@pytest.mark.parametrize("name", SAMPLED)
def test_describe_agrees_with_load(no_local_copy, name):
    facts = data.describe(name)
    loaded = data.load(name, facts["size"], "train")
    assert facts["images"]["train"] == len(loaded)
    assert facts["attributes"] == {
        name: list(attribute.values) for name, attribute in loaded.attributes.items()
    }
    assert facts["channels"] == loaded.channels
    assert tuple(facts["classes"]) == loaded.classes
    assert facts["source"] == loaded.source


def test_28_pixel_pictures_are_padded_to_32(no_local_copy):
    small = data.load("fashion-mnist", 28, "test").images
    large = data.load("fashion-mnist", 32, "test").images
    assert torch.equal(large[:, :, 2:30, 2:30], small)
    assert large.sum() == small.sum()


def test_unknown_name_lists_the_known_ones():
    for function in (data.load, data.describe):
        with pytest.raises(
            ValueError, match=r"'fashion'.*fashion-mnist, portraits, .*svhn.*folder:PATH"
        ):
            function("fashion")


@pytest.mark.parametrize("size", [0, -32, 31, 33, 10**9, None, "32"])
def test_other_sizes_are_refused(size):
    with pytest.raises(ValueError, match="size must be one of 28, 32, 48, 64"):
        data.load("fashion-mnist", size)


def test_other_splits_are_refused():
    with pytest.raises(ValueError, match="train or test, not 'valid'"):
        data.load("fashion-mnist", split="valid")


@pytest.mark.parametrize("name", ["mnist", "cifar10", "folder:pictures"])
def test_other_data_sets_have_no_sample(name):
    with pytest.raises(ValueError, match="only fashion-mnist, portraits, critters have one"):
        data.load(name, full=False)


def test_import_and_sample_do_not_load_torchvision():
    code = (
        "import sys; from genimg import data; data.load('fashion-mnist', full=False); "
        "sys.exit('torchvision' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
