"""Checkpoints of a run: folders that are complete, or do not count.

    ckpt/step-00001200/{model,ema,optimizer}.safetensors, state.json, MANIFEST.json

A checkpoint is written under a temporary name, its manifest (sizes and SHA-256 of every file) last,
flushed, and renamed. Whatever is found later without a fitting manifest is set aside, not deleted.
"""

import hashlib
import logging
import os
import shutil
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from genimg.storage import flush_directory, read_json, write_json

MANIFEST = "MANIFEST.json"
_PARTS = ("model", "ema", "optimizer")
_log = logging.getLogger(__name__)


def save(
    folder: Path, *, step: int, tensors: dict[str, dict[str, Tensor]], state: dict[str, Any]
) -> Path:
    """Write one checkpoint under `folder`, and delete all but the last two and the best.

    Args:
        tensors: "model", "ema" and "optimizer", each names to tensors.
        state: JSON-ready; `state["best"]`, if there, is the step of a checkpoint to keep.

    Raises:
        OSError: the disk is full; earlier checkpoints are untouched, nothing is left of this one.
    """
    final = folder / f"step-{step:08d}"
    if is_valid(final):
        return final
    temporary = folder / f".step-{step:08d}.{os.getpid()}"
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        for part in _PARTS:
            path = temporary / f"{part}.safetensors"
            _write_tensors(path, tensors[part])
        write_json(temporary / "state.json", state)
        files = sorted(path for path in temporary.iterdir())
        manifest = {path.name: [path.stat().st_size, _digest(path)] for path in files}
        write_json(temporary / MANIFEST, {"step": step, "files": manifest})
        _pause_for_tests("before-rename")
        if final.exists():
            _quarantine(final)
        os.rename(temporary, final)
        flush_directory(folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    if is_valid(final):
        thin(folder, keep_also=state.get("best"))
    return final


def _write_tensors(path: Path, tensors: dict[str, Tensor]) -> None:
    try:
        save_file({k: v.detach().cpu().contiguous() for k, v in tensors.items()}, path)
    except SafetensorError as error:  # hides what the system said, "no space left" for one
        raise OSError(f"{path} could not be written: {error}") from None
    with path.open("r+b") as file:
        os.fsync(file.fileno())
    _pause_for_tests(path.name)


def _pause_for_tests(point: str) -> None:
    # The fault tests kill a run inside a write: they name the point at which to wait for the kill.
    if os.environ.get("GENIMG_TEST_PAUSE_AT") == point:
        import time

        time.sleep(60)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_valid(directory: Path, *, thorough: bool = False) -> bool:
    """Return whether every file of the manifest is there with its size; if `thorough`, its hash."""
    return _damaged_file(directory, thorough=thorough) is None


def _damaged_file(directory: Path, *, thorough: bool) -> str | None:
    """Return the name of a file that is missing or not as the manifest says, or None."""
    name = MANIFEST
    try:
        files = read_json(directory / name)["files"]
        if not {f"{part}.safetensors" for part in _PARTS} | {"state.json"} <= set(files):
            return name
        for name, (size, digest) in files.items():
            path = directory / name
            if path.stat().st_size != size or (thorough and _digest(path) != digest):
                return name
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return name
    return None


def remove_leftovers(folder: Path) -> None:
    """Delete what a killed process had begun to write; only the holder of the lease may."""
    for directory in folder.glob(".step-*"):
        shutil.rmtree(directory, ignore_errors=True)


def newest(folder: Path) -> Path | None:
    """Return the newest valid checkpoint; invalid newer ones are renamed to `invalid-...`.

    Every byte is compared with the manifest, and only the holder of the lease may call it.
    """
    for directory in sorted(folder.glob("step-*"), reverse=True):
        damaged = _damaged_file(directory, thorough=True)
        if damaged is None:
            return directory
        _log.warning("%s/%s is damaged; this checkpoint is set aside", directory.name, damaged)
        _quarantine(directory)
    return None


def latest(folder: Path) -> Path | None:
    """Return the newest checkpoint that is complete, changing nothing: for whoever only reads."""
    return max(filter(is_valid, folder.glob("step-*")), default=None)


def _quarantine(directory: Path) -> None:
    target = directory.with_name(f"invalid-{directory.name}")
    count = 1
    while target.exists():
        count += 1
        target = directory.with_name(f"invalid-{directory.name}-{count}")
    os.rename(directory, target)


def load(directory: Path) -> tuple[dict[str, dict[str, Tensor]], dict[str, Any]]:
    """Return the tensors of each part, and the state."""
    tensors = {part: load_file(directory / f"{part}.safetensors") for part in _PARTS}
    return tensors, read_json(directory / "state.json")


def thin(folder: Path, *, keep_also: int | None = None) -> None:
    """Delete all checkpoints but the last two and that of the step `keep_also`."""
    directories = sorted(folder.glob("step-*"))
    for directory in directories[:-2]:
        if keep_also is None or directory.name != f"step-{keep_also:08d}":
            shutil.rmtree(directory, ignore_errors=True)
