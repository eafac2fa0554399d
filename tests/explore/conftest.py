import pytest
import torch

from genimg.checkpoints import Checkpoint
from genimg.explore.gan import GanModel
from genimg.models import KINDS

CLASSES = ["Shirt", "Sneaker", "Bag"]


@pytest.fixture(scope="session")
def make_model(small_config, alive, tmp_path_factory):
    """Return a function that makes a small `GanModel` of a kind, without training it."""

    def make(kind: str, classes: int = 3) -> GanModel:
        config = small_config(kind, 32, 1, classes)
        torch.manual_seed(0)
        # A DCGAN starts with weights so small that its pictures hardly differ.
        amount = 0.2 if kind == "dcgan" else 0.07
        network = alive(KINDS[kind].build(config), amount).requires_grad_(False)
        card = {"classes": CLASSES[:classes]}
        return GanModel(
            Checkpoint("mine", kind, config, network, card, tmp_path_factory.mktemp("x"))
        )

    return make


@pytest.fixture(scope="session", params=["mlp-gan", "dcgan", "stylegan"])
def any_model(request, make_model):
    """One model of each architecture, with three classes."""
    return make_model(request.param)


@pytest.fixture(scope="session")
def style(make_model):
    """A model with a mapping network and three classes."""
    return make_model("stylegan")


@pytest.fixture(scope="session")
def plain(make_model):
    """A model without mapping network and without classes."""
    return make_model("mlp-gan", 0)
