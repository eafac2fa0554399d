"""A drawn data set as one file: pictures, attributes, and the SHA-256 of each.

    train/images   uint8 (24000, 3, 64, 64)
    train/hair     int64 (24000,), and so on for every attribute; float32 if it is continuous
    test/images    ...

It is a safetensors file. The sums are in its metadata, and whatever is read is compared with them.
"""

import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from genimg.data.attributes import Attribute
from genimg.data.drawing import Design, Names, values_of
from genimg.data.registry import DRAWN_SIZE, SPLITS
from genimg.storage import flush_directory

KIND = "genimg drawn pictures"


def write(path: Path, name: str, tensors: Mapping[str, torch.Tensor]) -> None:
    """Write the tensors of all splits so that the file is there whole or not at all.

    Raises:
        OSError: the disk is full or the folder is not writable; no temporary file is left.
    """
    sums = {key: _sha256(value) for key, value in tensors.items()}
    metadata = {"kind": KIND, "name": name, "sha256": json.dumps(sums)}
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        temporary.touch(exist_ok=False)
        mode = temporary.stat().st_mode
        save_file(dict(tensors), temporary, metadata)
        temporary.chmod(mode)  # save_file leaves a file that its owner alone can read
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except SafetensorError as error:
        raise OSError(f"{path} could not be written ({error}); is the disk full?") from None
    finally:
        temporary.unlink(missing_ok=True)
    flush_directory(path.parent)


def read(
    path: Path, name: str, design: Design, split: str
) -> tuple[torch.Tensor, dict[str, Attribute]]:
    """Read one split.

    Returns:
        uint8 (N, 3, 64, 64), and every attribute by name.

    Raises:
        ValueError: the file is damaged, or belongs to another data set or design.
        OSError: it cannot be read.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if (metadata["kind"], metadata["name"]) != (KIND, name):
                raise ValueError("it is of something else")
            sums = json.loads(metadata["sha256"])
            keys = [f"{split}/images", *(f"{split}/{name}" for name in design.attributes)]
            tensors = {key: file.get_tensor(key) for key in keys}
            if any(_sha256(value) != sums[key] for key, value in tensors.items()):
                raise ValueError("its content has changed")
    except (SafetensorError, KeyError, TypeError, ValueError):
        raise ValueError(f"{path} is damaged") from None
    return unpack(tensors, design, split)


def unpack(
    tensors: Mapping[str, torch.Tensor], design: Design, split: str
) -> tuple[torch.Tensor, dict[str, Attribute]]:
    """Return the pictures of one split as they are stored, uint8, and every attribute by name."""
    attributes = {}
    for name, kind in design.attributes.items():
        values = tensors[f"{split}/{name}"]
        if isinstance(kind, Names):
            attributes[name] = Attribute(kind.values, values)
        else:
            attributes[name] = Attribute((), values, kind.cyclic)
    return tensors[f"{split}/images"], attributes


def attribute_tensors(design: Design, seed: int, split: str, count: int) -> dict[str, torch.Tensor]:
    """Return the attributes of the first `count` pictures, by the names that the file uses.

    Returns:
        int64 (count,), or float32 (count,) for a continuous attribute.
    """
    rows = [values_of(design, seed, SPLITS.index(split), index) for index in range(count)]
    tensors = {}
    for name, kind in design.attributes.items():
        if isinstance(kind, Names):
            values = torch.tensor([kind.values.index(row[name]) for row in rows], dtype=torch.int64)
        else:
            values = torch.tensor([row[name] for row in rows], dtype=torch.float32)
        tensors[f"{split}/{name}"] = values
    return tensors


def empty_images(count: int) -> torch.Tensor:
    """Return room for `count` pictures, uint8 (count, 3, 64, 64)."""
    return torch.empty((count, 3, DRAWN_SIZE, DRAWN_SIZE), dtype=torch.uint8)


def _sha256(tensor: torch.Tensor) -> str:
    return hashlib.sha256(tensor.contiguous().numpy().data).hexdigest()
