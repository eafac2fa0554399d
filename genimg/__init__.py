"""genimg: train small GANs and image Transformers, and look inside them.

import genimg
model = genimg.load("fashion-style")
model.sample(16, seed=0, label="Sneaker")      # uint8 (16, 32, 32, 1)
"""

import importlib
import os
from typing import TYPE_CHECKING, Any

# Idle OpenMP threads must sleep, not spin: beside any other busy process spinning makes torch up to
# twenty times slower. It takes effect only before torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

if TYPE_CHECKING:
    from genimg import data
    from genimg.explore import load
    from genimg.extending import DataSource, ModelKind, register_dataset, register_model
    from genimg.training.presets import Preset
    from genimg.training.running import train

__all__ = [
    "DataSource",
    "ModelKind",
    "Preset",
    "data",
    "load",
    "register_dataset",
    "register_model",
    "train",
]
__version__ = "0.1.0"

_HOMES = {
    "DataSource": "genimg.extending",
    "ModelKind": "genimg.extending",
    "Preset": "genimg.training.presets",
    "load": "genimg.explore",
    "register_dataset": "genimg.extending",
    "register_model": "genimg.extending",
    "train": "genimg.training.running",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: whoever only watches a run needs no PyTorch."""
    if name == "data":
        return importlib.import_module("genimg.data")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """Return the public names, for `dir` and completion, whatever has been imported so far."""
    return [*__all__, "__version__"]
