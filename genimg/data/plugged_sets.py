"""The data sets that plug-ins bring: what they return is checked before anybody learns from it."""

from typing import Any

import numpy as np
import torch

from genimg.data.registry import published


def read(name: str, split: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Read one split of a plug-in's data set at its own size.

    Returns:
        uint8 (N, C, S, S) and int64 (N,).

    Raises:
        ValueError: the plug-in fails, or returns something else.
        OSError: the plug-in cannot read or download its files.
    """
    facts = published()[name]
    assert facts.read is not None  # every data set of a plug-in has it
    try:
        given = facts.read(split)
    except (ValueError, OSError):
        raise
    except Exception as error:  # a stranger's function may raise anything
        said = " ".join(str(error).split())[:200]
        raise ValueError(
            f"the plug-in's data set {name} could not be read: {type(error).__name__} ({said})"
        ) from error
    if not isinstance(given, tuple) or len(given) != 2:
        raise ValueError(f"the plug-in's data set {name} must return (pictures, labels)")
    images, labels = map(_tensor, given)
    shape = (len(images), facts.channels, facts.size, facts.size) if images.dim() else ()
    if images.dtype != torch.uint8 or images.shape != shape or not len(images):
        raise ValueError(
            f"the pictures of the plug-in's data set {name} must be uint8 (N, {facts.channels},"
            f" {facts.size}, {facts.size}), not {_described(images)}"
        )
    if len(images) != facts.counts[split]:
        raise ValueError(
            f"the plug-in's data set {name} has {len(images)} pictures in {split}, but its counts"
            f" say {facts.counts[split]}"
        )
    whole = labels.dtype in (torch.uint8, torch.int32, torch.int64)
    if not whole or labels.shape != (len(images),):
        raise ValueError(
            f"the labels of the plug-in's data set {name} must be int64 ({len(images)},), not"
            f" {_described(labels)}"
        )
    if labels.min() < 0:
        raise ValueError(f"the plug-in's data set {name} has a label below 0")
    return images.contiguous(), labels.long()


def _tensor(values: Any) -> torch.Tensor:
    """Return a tensor or an array as a tensor; what is neither becomes an empty one of floats."""
    if isinstance(values, np.ndarray):
        try:
            return torch.from_numpy(np.ascontiguousarray(values))
        except TypeError:  # of texts, say
            return torch.empty(0)
    return values.detach().cpu() if isinstance(values, torch.Tensor) else torch.empty(0)


def _described(values: torch.Tensor) -> str:
    return f"{str(values.dtype).removeprefix('torch.')} {tuple(values.shape)}"
