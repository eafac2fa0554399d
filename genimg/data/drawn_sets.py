"""The data sets `portraits` and `critters`: drawn on this machine, or a sample that ships.

A whole set is drawn once, by several processes, and kept as one file in the cache (see
`genimg.data.drawn_file`). The sample is the beginning of both splits in a file of the same form,
with the channels last, compressed by xz: because drawings repeat themselves, it is half as large
as lossless WebP. `benchmarks/make_drawn_samples.py` makes it.
"""

import lzma
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from safetensors.torch import load

from genimg.data import drawn_file
from genimg.data.attributes import Attribute
from genimg.data.drawing_worker import SEED, chunks_of
from genimg.data.registry import SPLITS, design_of, published
from genimg.data.torchvision_sets import cache_folder
from genimg.storage import Lease
from genimg.wording import Wording

VERSION = 1
"""Counts up whenever a design or a package changes the pictures."""
PACKAGES = {"dicebear-core": "10.7.0", "dicebear-styles": "10.6.0", "resvg-py": "0.5.0"}
"""What draws the pictures; another version may draw other pixels."""
SAMPLE_COUNTS = {"train": 2_000, "test": 400}
SAMPLES = Path(__file__).parent / "bundled"
_PACKAGE_ROOT = Path(__file__).resolve().parents[2]
_SECONDS_BETWEEN_REPORTS = 0.5


def names() -> tuple[str, ...]:
    """Return the names of the data sets that are drawn."""
    return tuple(name for name, facts in published().items() if facts.design)


def find_local(name: str) -> Path | None:
    """Return the file of the whole set, or None if it has not been drawn yet."""
    path = _path(name)
    return path if path.is_file() else None


def read(name: str, split: str, whole: bool) -> tuple[torch.Tensor, dict[str, Attribute]]:
    """Read one split of the whole set, which is drawn first if need be, or of the sample.

    Returns:
        uint8 (N, 3, 64, 64), and every attribute by name.

    Raises:
        ValueError: the file of the whole set is damaged, or as for `draw_set`.
        OSError: it cannot be read, or as for `draw_set`.
    """
    design = design_of(name)
    if not whole:
        tensors = load(lzma.decompress(sample_file(name).read_bytes()))
        images, attributes = drawn_file.unpack(tensors, design, split)
        return images.permute(0, 3, 1, 2).contiguous(), attributes  # (N, H, W, 3) to (N, 3, H, W)
    path = draw_set(name)
    try:
        return drawn_file.read(path, name, design, split)
    except ValueError as error:
        again = f"python -m genimg data draw {name}"
        raise ValueError(f"{error}; delete it, and draw the pictures again: {again}") from None


def sample_file(name: str) -> Path:
    """Return the file of the sample that ships."""
    return SAMPLES / f"{name}.safetensors.xz"


def draw_set(
    name: str,
    processes: int | None = None,
    report: Callable[[dict[str, Any]], None] = lambda report: None,
) -> Path:
    """Draw a whole set into the cache and return its file, at once if it is there already.

    After it was stopped or killed, the same call goes on where it was. The file is the same however
    many processes draw.

    Args:
        name: one of `names()`.
        processes: how many draw at once; None is as many as there are processors.
        report: called every half second with a dictionary of images_seen, total and
            images_per_second.

    Raises:
        ValueError: the name is unknown, a package that draws is missing or has another version,
            or another process is drawing this set.
        OSError: the disk is full, or a process that draws failed.
    """
    if name not in names():
        raise ValueError(f"{name!r} is not drawn; choose one of {', '.join(names())}")
    path = _path(name)
    if path.is_file():
        return path
    check_packages()
    folder = path.with_suffix(".partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    lease = Lease(path.with_suffix(".lock"))
    if not lease.acquire():
        raise ValueError(
            Wording(
                "data.being_drawn",
                "{name} is being drawn by another process; wait until it is done",
                name=name,
            )
        )
    try:
        if path.is_file():  # another process finished it just now
            return path
        folder.mkdir(exist_ok=True)
        counts = published()[name].counts
        _draw_chunks(name, folder, counts, processes or os.cpu_count() or 1, report)
        drawn_file.write(path, name, _join(name, folder, counts))
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        lease.release()
    return path


def check_packages() -> None:
    """Raise ValueError unless the packages that draw have the versions in `PACKAGES`."""
    for package, version in PACKAGES.items():
        try:
            found = metadata.version(package)
        except metadata.PackageNotFoundError:
            found = "none"
        if found != version:
            pins = " ".join(f"{name}=={pin}" for name, pin in PACKAGES.items())
            raise ValueError(
                f"drawing needs {package} {version}, and {found} is installed; run: pip install"
                f" {pins}"
            )


def _path(name: str) -> Path:
    return cache_folder() / f"{name}-{VERSION}.safetensors"


def _draw_chunks(
    name: str,
    folder: Path,
    counts: Mapping[str, int],
    processes: int,
    report: Callable[[dict[str, Any]], None],
) -> None:
    """Have processes draw the chunks that are missing, and report until all are there."""
    chunks, total = chunks_of(counts), sum(counts.values())

    def drawn() -> int:
        return sum(chunk.stop - chunk.start for chunk in chunks if chunk.is_drawn(folder))

    before, start = drawn(), time.monotonic()
    if before == total:
        return
    sizes = [str(counts[split]) for split in SPLITS]
    workers = []
    with tempfile.TemporaryFile() as messages:
        try:
            for share in range(processes):
                shares = [str(share), str(processes)]
                workers.append(_start_worker([name, str(folder), *shares, *sizes], messages))
            while any(worker.poll() is None for worker in workers):
                if any(worker.poll() for worker in workers):
                    break
                time.sleep(_SECONDS_BETWEEN_REPORTS)
                seen = drawn()
                speed = (seen - before) / (time.monotonic() - start)
                report({"images_seen": seen, "total": total, "images_per_second": speed})
        finally:
            for worker in workers:
                worker.terminate()
            for worker in workers:
                worker.wait()
        if drawn() < total:
            raise OSError(f"{name} could not be drawn ({_last_line(messages)}); try again")


def _start_worker(arguments: list[str], messages: BinaryIO) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "genimg.data.drawing_worker", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=messages,
        cwd=_PACKAGE_ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
    )


def _last_line(messages: BinaryIO) -> str:
    messages.seek(max(0, messages.seek(0, os.SEEK_END) - 2000))
    lines = messages.read().decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "no reason given")


def _join(name: str, folder: Path, counts: Mapping[str, int]) -> dict[str, torch.Tensor]:
    """Return the tensors of the file: all chunks, and the attributes."""
    tensors = {}
    for split, count in counts.items():
        images = drawn_file.empty_images(count)
        for chunk in chunks_of(counts):
            if chunk.split == split:
                pixels = np.fromfile(chunk.path(folder), np.uint8).reshape(chunk.shape)
                images[chunk.start : chunk.stop] = torch.from_numpy(pixels)
        tensors[f"{split}/images"] = images
        tensors |= drawn_file.attribute_tensors(design_of(name), SEED, split, count)
    return tensors
