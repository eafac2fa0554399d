"""What all loaded models have in common: where and in what they compute, how they are shown."""

from typing import Self

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from genimg.checkpoints import Checkpoint
from genimg.checks import shown
from genimg.devices import choose_device
from genimg.explore.presenting import card, line, model_facts, png
from genimg.tensors import network_input

# Not float16, whose largest number is 65504: none of these models was trained in it.
_DTYPES = (torch.float32, torch.bfloat16)


class LoadedModel:
    """A trained model, ready to use.

    Attributes:
        name: what it was loaded by.
        kind: its architecture, a key of `genimg.models.KINDS`.
        info: the card: data set, classes, pictures seen, minutes, hardware, metrics.
        config: the configuration of the architecture.
        classes: the class names, empty for a model that knows none.
        module: the PyTorch module itself, in evaluation mode, its weights without gradients.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        """Take a checkpoint as `genimg.checkpoints.read` gives it."""
        self.name, self.kind, self.info = checkpoint.name, checkpoint.kind, checkpoint.card
        self.config = checkpoint.config
        self.classes = checkpoint.class_names()
        self.module = checkpoint.model

    def __repr__(self) -> str:
        return line(f"{type(self).__name__} {shown(self.name)}", model_facts(self))

    def _repr_html_(self) -> str:
        return card(self.name, model_facts(self), self._examples())

    def _repr_png_(self) -> bytes | None:
        return png(self._examples())

    def _examples(self) -> Image.Image | None:
        """Return what a notebook shows of the model; None for one that draws nothing."""
        return None

    @property
    def device(self) -> torch.device:
        """Where the model computes."""
        return next(self.module.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of the weights, in which the model computes."""
        return next(self.module.parameters()).dtype

    def to(
        self,
        device: str | torch.device | torch.dtype | None = None,
        dtype: torch.dtype | None = None,
    ) -> Self:
        """Compute elsewhere, in another dtype, or both; return the model itself, as PyTorch does.

        What goes in and what comes out stays as it was: arrays on the CPU, float32 where they were.
        Weights that have been bfloat16 stay rounded when they become float32 again.

        Args:
            device: "cpu", "cuda", "cuda:1", "mps", or "auto" for the fastest that is there; or a
                dtype.
            dtype: torch.float32 or torch.bfloat16.

        Raises:
            ValueError: there is no such device here, or the dtype is neither of these.
        """
        if isinstance(device, torch.dtype):
            device, dtype = None, device
        known = isinstance(dtype, torch.dtype) and dtype in _DTYPES
        if dtype is not None and not known:
            raise ValueError(f"dtype must be torch.float32 or torch.bfloat16, not {shown(dtype)}")
        if device is not None and not isinstance(device, (str, torch.device)):
            raise ValueError(f"device must be a name, such as cpu or cuda, not {shown(device)}")
        chosen = None if device is None else choose_device(str(device))
        self.module.to(chosen, dtype)
        self._forget()
        return self

    def _forget(self) -> None:
        """Drop what was computed with the weights as they were."""

    def here(self, tensor: Tensor) -> Tensor:
        """Return a tensor as the model takes it: on its device and, if floating, of its dtype."""
        return tensor.to(self.device, self.dtype if tensor.is_floating_point() else None)

    def _input(self, images: np.ndarray) -> Tensor:
        """Return pictures, uint8 (N, H, W, C), as the model takes them: (N, C, H, W) in [-1, 1].

        Raises:
            ValueError: they are not of the size and the channels that it takes.
        """
        return self.here(network_input(images, self.config, self.name))
