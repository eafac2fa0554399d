"""The code of a picture as text, short enough for an address and for a line of Python.

A code says where a picture comes from, counted from the average picture of its class: with a
mapping network it is a style less the mean style of the class, without one the latent vector
itself. It is kept as float16, which changes no picture visibly.
"""

import base64
import binascii
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genimg.models.gan import Generator
from genimg.models.mapping import MappedGenerator
from genimg.wording import Wording

LARGEST = 100.0
"""The furthest from 0 that a number of a code may be: ten times what styles reach in practice."""


def text_of(code: np.ndarray) -> str:
    """Return a code, float (D,), as URL-safe base64 of its little-endian float16 numbers."""
    return base64.urlsafe_b64encode(code.astype("<f2").tobytes()).decode("ascii").rstrip("=")


def checked_code(code: Any, dimensions: int) -> np.ndarray:
    """Return a code as float32 (D,), each number one that float16 can hold.

    Args:
        code: numbers (D,), or a text as `text_of` writes it.
        dimensions: D.

    Raises:
        ValueError: it is anything else.
    """
    numbers = _read(code, dimensions) if isinstance(code, str) else _array(code)
    if numbers is None or numbers.shape != (dimensions,) or not np.isfinite(numbers).all():
        raise ValueError(
            Wording(
                "gan_model.damaged_code",
                "the code of a found picture must be {dimensions} finite numbers, or the text of"
                " them; find the picture again with this model",
                dimensions=dimensions,
            )
        )
    return numbers.clip(-LARGEST, LARGEST).astype(np.float16).astype(np.float32)


def mean_code(network: Generator, labels: Tensor | None) -> Tensor:
    """Return what codes are counted from: the mean style of each class, (B, D), or zeros (1, D).

    Args:
        labels: int64 (B,), or None for a generator without classes.

    Returns:
        float32 on the CPU, where all moves are computed.
    """
    if not isinstance(network, MappedGenerator):
        return torch.zeros(1, network.config.latent_dimensions)
    mean = network.mean_style.float().cpu()
    return mean[:1] if labels is None else mean[labels.cpu()]


def _read(text: str, dimensions: int) -> np.ndarray | None:
    # The length is checked first, so that nobody can make the server decode a long text.
    if len(text) != -(-dimensions * 2 * 4 // 3) or set(text) & set("+/="):
        return None
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
    except (ValueError, binascii.Error):
        return None
    return np.frombuffer(content, "<f2") if len(content) == 2 * dimensions else None


def _array(values: Any) -> np.ndarray | None:
    try:
        numbers = np.asarray(values)
    except (ValueError, TypeError):
        return None
    return numbers.astype(np.float64) if numbers.dtype.kind in "fiu" else None
