import base64
import time
from pathlib import Path

import numpy as np
import pytest

from genimg import checkpoints
from genimg.jobs.devices import Device
from genimg.jobs.engine import Handle, Verdict
from genimg.jobs.manager import JobManager
from genimg.jobs.states import Exit
from genimg.models import kind_named
from genimg.models.drawer import DrawerConfig, MaskedDrawerConfig, PixelDrawerConfig
from genimg.models.vision_transformer import VisionTransformerConfig
from genimg.render import encode
from genimg.storage import write_json
from genimg.ui.gan.handlers import GanHandlers
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
def unpacked():
    """A function that reads the arrays of a payload as the browser does."""

    def unpacked(payload):
        block = base64.b64decode(payload["bytes"])
        return {
            entry["name"]: np.frombuffer(
                block, entry["dtype"], int(np.prod(entry["shape"])), entry["offset"]
            ).reshape(entry["shape"])
            for entry in payload["arrays"]
        }

    return unpacked


@pytest.fixture(scope="session")
def paths(tmp_path_factory, small_config, small_models, alive):
    """A GAN with classes and a mapping network, one without either, and one of every other use."""
    folder = tmp_path_factory.mktemp("shelf")
    drawer = {k: v for k, v in small_models["fashion-gpt"].items() if k != "validations"}
    configs = {
        "style": ("stylegan", small_config("stylegan", 32, 1, 3)),
        "plain": ("dcgan", small_config("dcgan", 32, 1, 0)),
        "judge": ("classifier", small_config("classifier", 32, 1, 3)),
        "drawer": ("image-gpt", DrawerConfig(**drawer | {"classes": 3, "layers": 2})),
        "pixels": (
            "pixel-gpt",
            PixelDrawerConfig(
                width=16, layers=2, heads=2, classes=3, attention="window", window=56
            ),
        ),
        "masked": ("maskgit", MaskedDrawerConfig(**drawer | {"classes": 3, "layers": 2})),
        "vision": (
            "vision-transformer",
            VisionTransformerConfig(width=16, layers=2, heads=2, classes=3),
        ),
    }
    made = {}
    for name, (kind, config) in configs.items():
        model = alive(kind_named(kind).build(config))
        made[name] = str(publish(folder / name, kind, config, model))
    return made


@pytest.fixture(scope="session")
def shelf(paths):
    return ModelShelf([paths["style"], paths["plain"]])


@pytest.fixture(scope="session")
def drawer_shelf(paths):
    return ModelShelf([paths["drawer"]])


@pytest.fixture(scope="session")
def pixel_shelf(paths):
    return ModelShelf([paths["pixels"]])


@pytest.fixture(scope="session")
def masked_shelf(paths):
    return ModelShelf([paths["masked"]])


@pytest.fixture(scope="session")
def vision_shelf(paths):
    return ModelShelf([paths["vision"]])


@pytest.fixture(scope="session")
def handlers(shelf):
    return GanHandlers(shelf)


class PretendedEngine:
    """Attempts that live until a test says how they ended."""

    trouble = ""

    def __init__(self) -> None:
        self.devices = [Device(name="cpu", title="CPU", total_memory=10**11, free_memory=10**11)]
        self.alive: list[Handle] = []
        self.ends: dict[Handle, Exit] = {}

    def submit(self, handle: Handle, device: Device, device_lock: Path) -> None:
        self.alive.append(handle)

    def probe(self, handle: Handle):
        return (Verdict.ALIVE, None) if handle in self.alive else (Verdict.DEAD, self.ends[handle])

    def terminate(self, handle: Handle) -> None:
        """Nothing ends by itself."""

    def capacity(self) -> list[Device]:
        return self.devices

    def close(self) -> None:
        pass

    def report(self, handle: Handle, images_seen: int) -> None:
        """Write what a worker would write about itself."""
        values = {"state": "running", "images_seen": images_seen, "total": 80, "time": time.time()}
        write_json(handle.files.path / "status.json", values)

    def end(self, handle: Handle, end: Exit) -> None:
        self.alive.remove(handle)
        self.ends[handle] = end


@pytest.fixture
def idle_manager(tmp_path):
    """A manager whose runs are not trained, and which moves when a test says so."""
    opened = JobManager(tmp_path / "root", engine=PretendedEngine())
    yield opened
    opened.close()
