"""The sample of Fashion-MNIST that ships with the package.

Each split is one lossless WebP: a sheet of 28 x 28 tiles, `COLUMNS` to a row, read row by row.
The tiles lie in label order with equally many of every class, so no label file is needed.
`benchmarks/make_bundled_sample.py` makes the sheets; `bundled/README.md` states the license.
"""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

FOLDER = Path(__file__).parent / "bundled"
TILE = 28
COLUMNS = 50
CLASSES = 10
COUNTS = {"train": 12_000, "test": 2_000}


def read_sample(split: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Read one split of the sample, in an order that mixes the classes and is always the same.

    Returns:
        uint8 (N, 1, 28, 28), byte for byte the originals, and int64 (N,).
    """
    with Image.open(FOLDER / f"{split}.webp", formats=["WEBP"]) as sheet:
        # WebP stores grey as RGB with three equal channels.
        pixels = np.asarray(sheet.getchannel("R"))  # (rows * 28, columns * 28)
    tiles = cut_sheet(pixels)
    labels = np.repeat(np.arange(CLASSES), len(tiles) // CLASSES)
    # The legacy generator, because NumPy promises (NEP 19) that its stream never changes.
    order = np.random.RandomState(0).permutation(len(tiles))
    return torch.from_numpy(tiles[order][:, None]), torch.from_numpy(labels[order]).long()


def cut_sheet(pixels: np.ndarray) -> np.ndarray:
    """Cut a sheet, uint8 (rows * 28, COLUMNS * 28), into its tiles, uint8 (N, 28, 28)."""
    grid = pixels.reshape(-1, TILE, COLUMNS, TILE)  # (rows, 28, columns, 28)
    return grid.swapaxes(1, 2).reshape(-1, TILE, TILE)  # (rows * columns, 28, 28)


def join_sheet(tiles: np.ndarray) -> np.ndarray:
    """Lay tiles, uint8 (N, 28, 28), on a sheet, the inverse of `cut_sheet`."""
    grid = tiles.reshape(-1, COLUMNS, TILE, TILE)  # (rows, columns, 28, 28)
    return grid.swapaxes(1, 2).reshape(-1, COLUMNS * TILE)  # (rows * 28, columns * 28)
