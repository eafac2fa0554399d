"""A process that draws a share of a data set; several of them together draw all of it.

    python -m genimg.data.drawing_worker portraits FOLDER SHARE SHARES TRAIN TEST

It draws its SHARE (0 to SHARES - 1) of the TRAIN + TEST pictures, which are divided into chunks.
Each chunk becomes one file in FOLDER, which is there whole or not at all, so that nothing is drawn
twice when the work is stopped and begun again.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from genimg.data.drawing import draw, values_of
from genimg.data.registry import DRAWN_SIZE, SPLITS, design_of
from genimg.storage import atomic_write

SEED = 0
CHUNK = 250
"""Pictures in a file: a few seconds of work, and 3 MB."""


class Chunk(NamedTuple):
    """Some neighbouring pictures of one split."""

    split: str
    start: int
    stop: int

    def path(self, folder: Path) -> Path:
        """Return the file: bytes of uint8 (stop - start, 3, 64, 64)."""
        return folder / f"{self.split}-{self.start:06d}"

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Shape of the pictures."""
        return self.stop - self.start, 3, DRAWN_SIZE, DRAWN_SIZE

    def is_drawn(self, folder: Path) -> bool:
        """Return whether the file is there, and whole."""
        path = self.path(folder)
        return path.is_file() and path.stat().st_size == np.prod(self.shape)


def chunks_of(counts: Mapping[str, int]) -> list[Chunk]:
    """Return the chunks of a set with these numbers of pictures in its splits."""
    return [
        Chunk(split, start, min(start + CHUNK, counts[split]))
        for split in SPLITS
        for start in range(0, counts[split], CHUNK)
    ]


def draw_chunk(name: str, chunk: Chunk) -> np.ndarray:
    """Return the pictures of a chunk, uint8 (N, 3, 64, 64)."""
    design, split = design_of(name), SPLITS.index(chunk.split)
    pixels = np.empty(chunk.shape, np.uint8)
    for row, index in enumerate(range(chunk.start, chunk.stop)):
        picture = draw(design, values_of(design, SEED, split, index), DRAWN_SIZE)
        pixels[row] = picture.transpose(2, 0, 1)  # (H, W, 3) -> (3, H, W)
    return pixels


def main(arguments: list[str]) -> None:
    """Draw one share; `arguments` are those of the command above."""
    name, folder = arguments[0], Path(arguments[1])
    share, shares, train, test = map(int, arguments[2:])
    parent = os.getppid()
    for chunk in chunks_of({"train": train, "test": test})[share::shares]:
        if os.getppid() != parent:
            return  # the parent was killed; whoever begins again expects the machine to be free
        if not chunk.is_drawn(folder):
            atomic_write(chunk.path(folder), draw_chunk(name, chunk).tobytes())


if __name__ == "__main__":
    main(sys.argv[1:])
