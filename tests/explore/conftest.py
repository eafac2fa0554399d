import numpy as np
import pytest
import torch

from genimg.checkpoints import Checkpoint
from genimg.explore.drawing import DrawerModel
from genimg.explore.gan import GanModel
from genimg.explore.tokenizing import TokenizerModel
from genimg.explore.vision import VisionTransformerModel
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


AUTOENCODER = {"size": 16, "widths": (8, 8, 8)}
TRANSFORMER = {"classes": 3, "width": 16, "layers": 2, "heads": 2}
# Small Transformers and tokenizers: 4 x 4 tokens and a vocabulary of 12, if not pixels.
TINY = {
    "image-gpt": AUTOENCODER | TRANSFORMER | {"levels": (4, 3)},
    "maskgit": AUTOENCODER | TRANSFORMER | {"levels": (4, 3)},
    "vision-transformer": TRANSFORMER | {"size": 16, "registers": 1},
    "fsq-tokenizer": AUTOENCODER | {"levels": (4, 3)},
    # So many tokens that they are computed in chunks.
    "pixel-gpt": TRANSFORMER
    | {"size": 18, "greys": 4, "attention": "recurrent", "segment": 36, "memory": 18},
}


@pytest.fixture(scope="session")
def make_tiny(alive, tmp_path_factory):
    """Return a function that makes a small `Checkpoint` of a kind in `TINY`, untrained."""

    def make(kind: str, **fields) -> Checkpoint:
        config = KINDS[kind].config(**(TINY[kind] | fields))
        torch.manual_seed(0)
        # Enough that tokens are not equally likely and attention is not even.
        network = alive(KINDS[kind].build(config), 0.3).requires_grad_(False)
        folder = tmp_path_factory.mktemp("x")
        return Checkpoint("mine", kind, config, network, {"classes": CLASSES}, folder)

    return make


@pytest.fixture(scope="session")
def drawer(make_tiny):
    """A small image GPT."""
    return DrawerModel(make_tiny("image-gpt"))


@pytest.fixture(scope="session")
def drawing(drawer):
    """A drawing of it."""
    return drawer.generate(label="Bag", seed=3)


CONTROLS = [
    {},
    {"temperature": 0.6},
    {"top_k": 4},
    {"top_p": 0.7},
    {"guidance": 2.5},
    {"temperature": 1.3, "top_k": 8, "top_p": 0.8, "guidance": 1.5},
    {"temperature": 0},
]


@pytest.fixture(params=CONTROLS, ids=str)
def controls(request):
    """How the next token is chosen, in several ways."""
    return request.param


@pytest.fixture(scope="session")
def vision(make_tiny):
    """A small vision Transformer with one register."""
    return VisionTransformerModel(make_tiny("vision-transformer"))


@pytest.fixture(scope="session")
def tokenizer(make_tiny):
    """A small tokenizer."""
    return TokenizerModel(make_tiny("fsq-tokenizer"))


@pytest.fixture(scope="session")
def pictures():
    """Five pictures of noise of the size that the small models take."""
    return np.random.default_rng(0).integers(0, 256, (5, 16, 16, 1), np.uint8)


@pytest.fixture
def materialised(monkeypatch):
    """Compute attention in the open; return the list that receives each layer's weights."""
    seen = []

    def attention(q, k, v, attn_mask=None, scale=None):
        scores = q @ k.mT * scale
        if attn_mask is not None:
            scores = scores.masked_fill(~attn_mask, -torch.inf)
        seen.append(scores.softmax(dim=-1))
        return seen[-1] @ v

    monkeypatch.setattr("torch.nn.functional.scaled_dot_product_attention", attention)
    return seen
