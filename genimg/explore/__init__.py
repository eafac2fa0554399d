"""What you do with a trained model."""

import os
from pathlib import Path

from genimg import checkpoints
from genimg.explore.classifier import ClassifierModel
from genimg.explore.gan import GanModel
from genimg.models import KINDS
from genimg.training.publishing import read_run

__all__ = ["ClassifierModel", "GanModel", "load"]

_MODELS = {"gan": GanModel, "classifier": ClassifierModel}


def load(name: str | os.PathLike) -> GanModel | ClassifierModel:
    """Load a model to use it.

    Args:
        name: a checkpoint that ships with genimg ("fashion-style"), the path of a checkpoint or of
            a run (also one that is still training), or "hf://owner/repository".

    Raises:
        genimg.checkpoints.CheckpointError: a ValueError of one sentence; an unknown name lists the
            known ones.
    """
    if (Path(name) / "spec.json").is_file():
        checkpoint = read_run(Path(name))
    else:
        checkpoint = checkpoints.read(name)
    return _MODELS[KINDS[checkpoint.kind].task](checkpoint)
