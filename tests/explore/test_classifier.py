import numpy as np
import pytest
import torch

from genimg.checkpoints import Checkpoint, CheckpointError
from genimg.explore.classifier import ClassifierModel
from genimg.models import KINDS


@pytest.fixture
def make(small_config, alive, tmp_path):
    def make(names):
        config = small_config("classifier", 32, 1, 3)
        torch.manual_seed(0)
        network = alive(KINDS["classifier"].build(config)).requires_grad_(False)
        return ClassifierModel(
            Checkpoint("mine", "classifier", config, network, {"classes": names}, tmp_path)
        )

    return make


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (7, 32, 32, 1), np.uint8)


def test_probabilities_are_the_softmax_of_the_logits(make, images):
    model = make(["a", "b", "c"])
    probabilities = model.classify(images)
    assert probabilities.shape == (7, 3)
    assert probabilities.dtype == np.float32
    assert probabilities.min() >= 0
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    logits = model.network.model(torch.from_numpy(images).permute(0, 3, 1, 2) / 127.5 - 1)
    np.testing.assert_allclose(probabilities, logits.softmax(dim=1).numpy(), atol=1e-5)


def test_huge_logits_do_not_overflow(make, images):
    model = make(["a", "b", "c"])
    model.network.model.head.weight *= 1e6
    probabilities = model.classify(images)
    assert np.isfinite(probabilities).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


def test_classes_are_the_cards(make):
    assert make(["a", "b", "c"]).classes == ("a", "b", "c")


def test_a_card_without_them_is_refused(make):
    with pytest.raises(CheckpointError, match="must list the names of 3 classes"):
        make(["a"])


@pytest.mark.parametrize("bad", [np.zeros((2, 32, 32), np.uint8), np.zeros((2, 32, 32, 1))])
def test_what_is_no_picture_is_refused(make, bad):
    with pytest.raises(ValueError, match="images must be one or more uint8 pictures"):
        make(["a", "b", "c"]).classify(bad)
