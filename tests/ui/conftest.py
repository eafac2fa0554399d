import numpy as np
import pytest

from genimg import checkpoints
from genimg.models import kind_named
from genimg.render import encode
from genimg.ui.gan_handlers import GanHandlers
from genimg.ui.model_shelf import ModelShelf

CLASSES = ["Shoe", 'Hat "large"', "<b>${alert(1)}</b>"]


def publish(folder, kind, config, model):
    card = {"title": kind, "kind": kind, "classes": CLASSES, "dataset": "none", "minutes": 1.5}
    return checkpoints.write(
        folder,
        kind=kind,
        model=model,
        card=card | {"images_seen": 1000, "parameters": {"generator": 123_456}},
        preview=encode(np.zeros((2, 2, 1), np.uint8), "png"),
    )


@pytest.fixture(scope="session")
def paths(tmp_path_factory, small_config, alive):
    """One GAN with classes and a mapping network, one without either, and a classifier."""
    folder = tmp_path_factory.mktemp("shelf")
    made = {}
    for name, kind, classes in [
        ("style", "stylegan", 3),
        ("plain", "dcgan", 0),
        ("judge", "classifier", 3),
    ]:
        config = small_config(kind, 32, 1, classes)
        model = alive(kind_named(kind).build(config))
        made[name] = str(publish(folder / name, kind, config, model))
    return made


@pytest.fixture(scope="session")
def shelf(paths):
    return ModelShelf([paths["style"], paths["plain"]])


@pytest.fixture(scope="session")
def handlers(shelf):
    return GanHandlers(shelf)
