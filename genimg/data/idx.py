"""The IDX format of MNIST and its relatives, plain or gzip-compressed.

A file is two zero bytes, a type code (8 = unsigned byte), the number of dimensions, each dimension
as a big-endian 32-bit number, then the values in row-major order and nothing more.
Source: the format note on the MNIST page (LeCun, Cortes, Burges).
"""

import gzip
import io
import math
import os
import struct
import zlib
from pathlib import Path

import torch

MAX_BYTES = 2**28  # five times MNIST; a header that asks for more is not one of its relatives
# No deflate stream expands further than this, so a larger claim is a forgery.
MAX_DEFLATE_RATIO = 1032

FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}


def read_idx(path: str | os.PathLike[str], dimensions: int) -> torch.Tensor:
    """Read one file of unsigned bytes; a name that ends in .gz is decompressed.

    Args:
        path: the file.
        dimensions: how many dimensions it must have.

    Returns:
        A uint8 tensor of the shape that the header states.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the header is not that of such a file, it claims more than the file can hold,
            or the file is longer or shorter than it says. No memory is taken for the values before
            the header has been checked.
    """
    path = Path(path)
    compressed = path.name.endswith(".gz")
    available = path.stat().st_size * (MAX_DEFLATE_RATIO if compressed else 1)
    try:
        with gzip.open(path) if compressed else path.open("rb") as file:
            shape = _read_header(file, path, dimensions)
            length = math.prod(shape)
            if length > min(MAX_BYTES, available):
                raise ValueError(f"{path} claims {length} bytes of data, more than it can hold")
            values = bytearray(length)
            if file.readinto(values) != length or file.read(1):
                raise ValueError(f"{path} is not as long as its header says; fetch it again")
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"{path} is damaged ({error}); fetch it again") from None
    return torch.frombuffer(values, dtype=torch.uint8).reshape(shape)


def read_split(folder: Path, split: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Read the pictures and labels of one split from a folder with MNIST's file names.

    Returns:
        uint8 (N, 1, H, W) and int64 (N,).

    Raises:
        ValueError: a file is missing or damaged, or the two do not belong together.
    """
    images_name, labels_name = FILES[split]
    images = read_idx(_find(folder, images_name), 3)
    labels = read_idx(_find(folder, labels_name), 1)
    if len(images) != len(labels):
        raise ValueError(f"{folder} has {len(images)} {split} images but {len(labels)} labels")
    return images.unsqueeze(1), labels.long()  # (N, H, W) -> (N, 1, H, W)


def count(folder: Path, split: str) -> int:
    """Return the number of labels in one split, without reading the pictures."""
    return len(read_idx(_find(folder, FILES[split][1]), 1))


def has_all_files(folder: Path) -> bool:
    """Return whether a folder holds both splits."""
    names = [name for pair in FILES.values() for name in pair]
    return all((folder / name).is_file() or (folder / f"{name}.gz").is_file() for name in names)


def _find(folder: Path, name: str) -> Path:
    for path in (folder / f"{name}.gz", folder / name):
        if path.is_file():
            return path
    raise ValueError(f"{folder} has no {name} and no {name}.gz")


def _read_header(file: io.BufferedIOBase, path: Path, dimensions: int) -> tuple[int, ...]:
    header = file.read(4 + 4 * dimensions)
    if header[:4] != bytes([0, 0, 8, dimensions]) or len(header) != 4 + 4 * dimensions:
        raise ValueError(f"{path} is not an IDX file of unsigned bytes in {dimensions} dimensions")
    shape = struct.unpack(f">{dimensions}I", header[4:])
    if 0 in shape:
        raise ValueError(f"{path} holds no data: its header says {shape}")
    return shape
