"""Pictures as people and files have them, uint8, and as networks take them, float in [-1, 1]."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

Images = Tensor | np.ndarray


def image_tensor(images: Images) -> Tensor:
    """Return uint8 pictures as a tensor (N, C, H, W), whichever of the two forms they come in.

    Args:
        images: uint8, a tensor (N, C, H, W) or an array (N, H, W, C), 0..255.

    Raises:
        ValueError: `images` is empty, is not uint8, or has neither of these shapes.
    """
    tensor: Tensor | None = None
    if isinstance(images, np.ndarray):
        if images.ndim == 4 and images.dtype == np.uint8:
            tensor = torch.from_numpy(images.copy()).permute(0, 3, 1, 2)
    elif isinstance(images, Tensor) and images.ndim == 4 and images.dtype == torch.uint8:
        tensor = images
    if tensor is None or tensor.numel() == 0:
        arrays = isinstance(images, (np.ndarray, Tensor))
        got = f"{images.dtype} {tuple(images.shape)}" if arrays else type(images).__name__
        raise ValueError(
            "images must be one or more uint8 pictures, an array (N, H, W, C) or a tensor "
            f"(N, C, H, W), not {got}"
        )
    return tensor


def network_input(images: np.ndarray, config: Any, model_name: str) -> Tensor:
    """Return pictures, uint8 (N, H, W, C), as networks take them: float (N, C, H, W) in [-1, 1].

    Args:
        config: the model's, with the `size` in pixels and the `channels` that the model takes.
        model_name: what a sentence that refuses pictures calls the model.

    Raises:
        ValueError: these are not pictures, or have another size or number of channels.
    """
    pictures = image_tensor(images)
    size, channels = config.size, config.channels
    if pictures.shape[1:] != (channels, size, size):
        _, channels_given, height, width = pictures.shape
        raise ValueError(
            f"images must be of {size} x {size} pixels and {_channels(channels)} for {model_name},"
            f" not of {height} x {width} and {_channels(channels_given)}; resize or convert them"
        )
    return pictures.float() / 127.5 - 1


def _channels(count: int) -> str:
    return "1 channel" if count == 1 else f"{count} channels"


def to_uint8(images: Tensor) -> np.ndarray:
    """Turn float (N, C, H, W) in [-1, 1] into uint8 (N, H, W, C)."""
    levels = ((images.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    return levels.permute(0, 2, 3, 1).contiguous().cpu().numpy()
