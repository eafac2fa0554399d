"""Exact search for the nearest pictures, fast enough to follow a slider.

Two pictures differ at least as much as their block averages do (the averages, scaled, are an
orthogonal projection), and what the averages leave out differs at least by the difference of its
lengths. So a sixteenth of the numbers tells which pictures cannot be the nearest, and only the
others are compared in full.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from genimg.checks import require_whole_number
from genimg.tensors import Images, image_tensor

_BLOCK = 4  # pixels a side
_READ_AT_ONCE = 1024  # pictures
_COMPARED_AT_ONCE = 32  # pictures
_ROUNDING = 1e-5  # of the squared lengths: more than float32 can be wrong by


class PictureSearch:
    """Pictures in which to search, pixel by pixel.

    Args:
        images: uint8, a tensor (B, C, H, W) or an array (B, H, W, C); sides are multiples of 4.
    """

    def __init__(self, images: Images) -> None:
        images = image_tensor(images)
        self.shape = images.shape[1:]
        if self.shape[1] % _BLOCK or self.shape[2] % _BLOCK:
            raise ValueError(f"the sides of the pictures must be multiples of {_BLOCK} pixels")
        self._pixels = images.flatten(1).numpy()  # (B, P)
        parts = [_summary(part) for part in images.split(_READ_AT_ONCE)]
        self._averages, self._rests, self._squares = (
            torch.cat(each) for each in zip(*parts, strict=True)
        )

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self._pixels)

    def nearest(self, picture: np.ndarray, count: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Find the pictures nearest to one, as `genimg.metrics.nearest.nearest` does.

        Args:
            picture: uint8 (H, W, C).
            count: 1..B.

        Returns:
            indices, int64 (count,), nearest first, and distances, float64 (count,): the root mean
            square difference in grey levels, 0..255.

        Raises:
            ValueError: the picture has another shape, or `count` is out of range.
        """
        asked = image_tensor(picture[None])
        if asked.shape[1:] != self.shape:
            raise ValueError(
                f"the picture must be (C, H, W) = {tuple(self.shape)} to be compared, not"
                f" {tuple(asked.shape[1:])}"
            )
        require_whole_number("count", count, 1, len(self))
        averages, rest, square = _summary(asked)
        least = self._squares + square - 2 * (self._averages @ averages[0] + self._rests * rest)
        least -= _ROUNDING * (self._squares + square)
        order = least.argsort().numpy()
        least = least.numpy()[order]
        row = asked.flatten().numpy().astype(np.int32)
        indices, distances = np.empty(0, np.int64), np.empty(0, np.int64)
        for start in range(0, len(order), _COMPARED_AT_ONCE):
            if len(distances) >= count and least[start] > distances[count - 1]:
                break  # this picture and all that follow are further
            some = order[start : start + _COMPARED_AT_ONCE]
            difference = self._pixels[some].astype(np.int32) - row
            found = np.einsum("ij,ij->i", difference, difference, dtype=np.int64)
            indices = np.concatenate([indices, some])
            distances = np.concatenate([distances, found])
            best = distances.argsort(kind="stable")[:count]
            indices, distances = indices[best], distances[best]
        return indices, np.sqrt(distances / len(row))


def _summary(images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return scaled block averages (B, P / 16), the length of what they leave out, squared lengths.

    Args:
        images: uint8 (B, C, H, W).
    """
    x = images.float()
    averages = F.avg_pool2d(x, _BLOCK).flatten(1) * _BLOCK
    squares = x.flatten(1).square().sum(1)  # (B,)
    rests = (squares - averages.square().sum(1)).clamp(min=0).sqrt()
    return averages, rests, squares
