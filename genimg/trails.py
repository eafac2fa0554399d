"""The trail of a run: snapshots of a GAN, each taken after a certain number of pictures.

    NAME/trail/000024000.safetensors   generator (averaged) and discriminator, matrices in float16

It lies in a checkpoint folder, or in that of a run, whose architecture its snapshots have. Like
any checkpoint it may come from a stranger; see `genimg.checkpoints`.
"""

import re
from pathlib import Path

from torch import nn

from genimg.checkpoints import TRAIL, CheckpointError, assemble, packed
from genimg.checks import require_whole_number
from genimg.configuration import Configuration
from genimg.storage import atomic_write

SHARES = (0, 1 / 200, 1 / 50, 1 / 20, 1 / 8, 1 / 3, 1)
"""Shares of a run's pictures after which a snapshot is taken: most is learned early."""


def checked_moment(images_seen: int) -> int:
    """Return a number of pictures that a file can be named after, or raise ValueError."""
    require_whole_number("images_seen", images_seen, 0, 10**9 - 1)
    return int(images_seen)


def moments(directory: Path) -> tuple[int, ...]:
    """Return after how many pictures there are snapshots, in rising order; () without a trail."""
    files = (directory / TRAIL).glob("*.safetensors")
    return tuple(sorted(int(file.stem) for file in files if re.fullmatch("[0-9]{9}", file.stem)))


def is_due(images_seen: int, before: int, total: int) -> bool:
    """Return whether a run has reached a moment for a snapshot in its last step.

    Args:
        images_seen: pictures that the run has seen; a run begins with 0.
        before: pictures it had seen a step earlier, -1 at the beginning.
        total: pictures it is to see.
    """
    return any(before < round(share * total) <= images_seen for share in SHARES)


def write(directory: Path, images_seen: int, model: nn.Module) -> None:
    """Keep a snapshot of a model.

    Raises:
        OSError: the folder is not writable or the disk is full.
        ValueError: a weight is not finite, or too large for float16.
    """
    (directory / TRAIL).mkdir(exist_ok=True)
    atomic_write(_file(directory, images_seen), packed(model))


def read(directory: Path, images_seen: int, kind: str, config: Configuration) -> nn.Module:
    """Return a snapshot on the CPU, in evaluation mode, with float32 weights.

    Raises:
        CheckpointError: there is none, or it does not fit the architecture.
    """
    known = moments(directory)
    if images_seen not in known:
        offered = ", ".join(map(str, known)) or "none"
        raise CheckpointError(f"there is no snapshot after {images_seen} pictures, but: {offered}")
    return assemble(kind, config, _file(directory, images_seen))


def copy(source: Path, target: Path) -> None:
    """Give a checkpoint folder the trail of another, in place of its own."""
    for images_seen in moments(target):
        _file(target, images_seen).unlink()
    for images_seen in moments(source):
        (target / TRAIL).mkdir(exist_ok=True)
        atomic_write(_file(target, images_seen), _file(source, images_seen).read_bytes())


def _file(directory: Path, images_seen: int) -> Path:
    return directory / TRAIL / f"{images_seen:09d}.safetensors"
