"""What you do with a trained model."""

import os

from genimg.checks import shown
from genimg.explore.attributes import AttributeClassifierModel
from genimg.explore.classifier import ClassifierModel
from genimg.explore.drawing import DrawerModel
from genimg.explore.gan import GanModel
from genimg.explore.tokenizing import TokenizerModel
from genimg.explore.uses import USES, Model
from genimg.explore.vision import VisionTransformerModel
from genimg.models import KINDS
from genimg.training.publishing import read_model

__all__ = [
    "AttributeClassifierModel",
    "ClassifierModel",
    "DrawerModel",
    "GanModel",
    "Model",
    "TokenizerModel",
    "VisionTransformerModel",
    "load",
]


def load(name: str | os.PathLike) -> Model:
    """Load a model to use it.

    Args:
        name: a checkpoint that ships with genimg ("fashion-style"), the path of a checkpoint or of
            a run (also one that is still training), or "hf://owner/repository".

    Raises:
        genimg.checkpoints.CheckpointError: a ValueError of one sentence; an unknown name lists the
            known ones.
    """
    if not isinstance(name, (str, os.PathLike)):
        raise ValueError(f"the name of a model must be a text or a path, not {shown(name)}")
    checkpoint = read_model(name)
    return USES[KINDS[checkpoint.kind].use].load(checkpoint)
