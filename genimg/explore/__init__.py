"""What you do with a trained model."""

import os
from typing import Any, overload

import torch

from genimg.checks import shown
from genimg.explore.attributes import AttributeClassifierModel
from genimg.explore.classifier import ClassifierModel
from genimg.explore.drawing import DrawerModel
from genimg.explore.gan import GanModel
from genimg.explore.loaded import LoadedModel
from genimg.explore.parallel import MaskedDrawerModel
from genimg.explore.shipped import (
    AttributesName,
    ClassifierName,
    DrawerName,
    GanName,
    MaskedDrawerName,
    TokenizerName,
    VisionName,
)
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
    "LoadedModel",
    "MaskedDrawerModel",
    "Model",
    "TokenizerModel",
    "VisionTransformerModel",
    "load",
]


Name = str | os.PathLike
Device = str | torch.device
Dtype = torch.dtype | None


@overload
def load(name: GanName, device: Device = ..., dtype: Dtype = ...) -> GanModel: ...
@overload
def load(name: DrawerName, device: Device = ..., dtype: Dtype = ...) -> DrawerModel: ...
@overload
def load(name: MaskedDrawerName, device: Device = ..., dtype: Dtype = ...) -> MaskedDrawerModel: ...
@overload
def load(name: VisionName, device: Device = ..., dtype: Dtype = ...) -> VisionTransformerModel: ...
@overload
def load(name: ClassifierName, device: Device = ..., dtype: Dtype = ...) -> ClassifierModel: ...
@overload
def load(
    name: AttributesName, device: Device = ..., dtype: Dtype = ...
) -> AttributeClassifierModel: ...
@overload
def load(name: TokenizerName, device: Device = ..., dtype: Dtype = ...) -> TokenizerModel: ...
@overload
def load(name: Name, device: Device = ..., dtype: Dtype = ...) -> Any: ...
def load(name: Name, device: Device = "cpu", dtype: Dtype = None) -> Model:
    """Load a model to use it.

    Args:
        name: a checkpoint that ships with genimg ("fashion-style"), the path of a checkpoint or of
            a run (also one that is still training), or "hf://owner/repository".
        device: "cpu", "cuda", "cuda:1", "mps", or "auto" for the fastest that is there.
        dtype: what to compute in: torch.float32 (also None), which on the CPU gives the same
            pictures everywhere, or torch.bfloat16.

    Raises:
        genimg.checkpoints.CheckpointError: a ValueError of one sentence; an unknown name lists the
            known ones.
        ValueError: there is no such device, or the dtype is neither of these.
    """
    if not isinstance(name, (str, os.PathLike)):
        raise ValueError(f"the name of a model must be a text or a path, not {shown(name)}")
    checkpoint = read_model(name)
    return USES[KINDS[checkpoint.kind].use].load(checkpoint).to(device, dtype)
