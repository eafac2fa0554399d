"""Your own pictures, uploaded: a zip or many files become a published folder to train on.

    report = ingest(["flowers.zip"], "data", size=32)
    dataset = genimg.data.load(report.dataset)

Whatever is uploaded is read by a child process (`genimg.data.ingestion_worker`) whose memory,
processor time and disk are limited, and which is killed when its time is up. It leaves a folder of
new PNG files and a manifest (`genimg.data.manifest`), which is published by one rename: a data set
is there whole or not at all.
"""

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from genimg.configuration import Configuration, setting
from genimg.data.decoding import FITS, read_picture
from genimg.data.file_names import shown_name
from genimg.data.fit import SIZES
from genimg.data.folder import found_of
from genimg.data.manifest import read_manifest, verified_hash
from genimg.kept_wording import read
from genimg.storage import flush_directory, read_json
from genimg.wording import Wording

PICTURES = "pictures"
"""In the temporary folder: what will be published."""
OUTCOME = "outcome.json"
REASON = "reason.json"
"""In the temporary folder: what the child says about it."""
PREVIEW = 40
_INCOMING = ".incoming-"
_LEFTOVER_SECONDS = 24 * 3600  # far longer than any ingestion may take
_PACKAGE_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, kw_only=True, slots=True)
class UploadLimits(Configuration):
    """What one upload may cost."""

    upload_bytes: int = setting(2**29, "Bytes of all uploaded files.", low=1, high=2**32 - 2)
    files: int = setting(20_000, "Files, inside and outside zip files.", low=1, high=65_534)
    file_bytes: int = setting(2**25, "Bytes of one picture, unpacked.", low=1, high=2**30)
    total_bytes: int = setting(2**31, "Bytes of all pictures, unpacked.", low=1, high=2**36)
    ratio: int = setting(100, "Bytes that one byte of a zip file may become.", low=1, high=1100)
    classes: int = setting(1000, "Classes; the models have no more.", low=1, high=1000)
    memory_bytes: int = setting(
        2**30, "Bytes of memory for reading them, besides what Python takes.", low=2**24, high=2**40
    )
    processor_seconds: int = setting(300, "Processor seconds for reading them.", low=1, high=3600)
    seconds: float = setting(600.0, "Seconds for reading them, by the clock.", low=0.1, high=7200)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class IngestionReport:
    """What became of an upload."""

    path: str
    """The published folder."""
    sha256: str
    """The manifest's hash of the pictures, hexadecimal."""
    size: int
    """Side of the pictures in pixels."""
    fit: str
    """"crop" or "pad", as it was asked for."""
    accepted: int
    """Number of pictures in the folder."""
    classes: dict[str, int]
    """Number of pictures of each class, in the order of the labels."""
    refused: list[tuple[str, str]]
    """(file, reason) of the first 200 files that were not used; the names are safe to show."""
    refused_count: int
    """Number of all files that were not used."""
    preview: np.ndarray
    """Up to 40 of the pictures, uint8 (N, size, size, C), for `genimg.render.grid`."""
    splits: dict[str, dict[str, int]]
    """Number of pictures of each class in "train" and "test"; {} without folders for the two."""
    found: str
    """The classes and splits in one line, and what was renamed or left aside."""

    @property
    def dataset(self) -> str:
        """The name by which `genimg.data.load` and training know the pictures."""
        return f"folder:{self.path}"

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the preview as JSON-ready values."""
        names = [field.name for field in fields(self) if field.name != "preview"]
        return {"dataset": self.dataset} | {name: getattr(self, name) for name in names}


def ingest(
    sources: Sequence[str | os.PathLike[str]],
    root: str | os.PathLike[str],
    *,
    size: int,
    fit: str = "crop",
    limits: UploadLimits | None = None,
) -> IngestionReport:
    """Publish uploaded pictures under `root`/datasets, and say what became of each file.

    Which folder is a class, and which a split, is decided by the rule of `genimg.data.layout`. All
    zip files together are one layout, and a picture that comes by itself is of the class
    "pictures". The same pictures, however named and packed, give the same published folder.

    Args:
        sources: zip files and pictures (PNG, JPEG, WebP), told apart by their content.
        size: side of the published pictures, one of `genimg.data.fit.SIZES`.
        fit: "crop" or "pad", as for `genimg.data.decoding.read_picture`.
        limits: default `UploadLimits()`.

    Raises:
        ValueError: an argument is wrong, a zip file is damaged or dangerous, a limit was reached,
            or no file can be used; the message is one sentence, and nothing is published.
        OSError: `root` cannot be written.
    """
    limits = limits or UploadLimits()
    if size not in SIZES:
        raise ValueError(f"size must be one of {', '.join(map(str, SIZES))}, not {size!r}")
    if fit not in FITS:
        raise ValueError(f"fit must be one of {', '.join(FITS)}, not {fit!r}")
    paths = _checked_sources(sources, limits)
    datasets = Path(root).expanduser().resolve() / "datasets"
    datasets.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(datasets)
    temporary = Path(tempfile.mkdtemp(prefix=_INCOMING, dir=datasets))
    try:
        request = {
            "sources": [str(path) for path in paths],
            "folder": str(temporary),
            "size": size,
            "fit": fit,
            "limits": limits.to_dict(),
        }
        _run_child(request, limits)
        outcome = read_json(temporary / OUTCOME)
        manifest = read_manifest(temporary / PICTURES)
        assert manifest is not None  # a child that ends well has written it
        target = datasets / manifest["sha256"][:16]
        _publish(temporary / PICTURES, target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return IngestionReport(
        path=str(target),
        sha256=manifest["sha256"],
        size=size,
        fit=fit,
        accepted=manifest["count"],
        classes=manifest["classes"],
        refused=[(name, read(reason)) for name, reason in outcome["refused"]],
        refused_count=outcome["refused_count"],
        preview=_preview(target, size),
        splits=manifest.get("splits", {}),
        found=found_of(manifest),
    )


def _checked_sources(sources: Sequence[str | os.PathLike[str]], limits: UploadLimits) -> list[Path]:
    """Return the absolute paths, once all are known to be files and small enough together."""
    if not sources:
        raise ValueError(
            Wording("upload.nothing", "nothing was uploaded; choose a zip file or some pictures")
        )
    if len(sources) > limits.files:
        raise ValueError(
            Wording(
                "upload.too_many",
                "{count} files are too many; at most {most} are allowed",
                count=f"{len(sources):,}",
                most=f"{limits.files:,}",
            )
        )
    paths = [Path(source).absolute() for source in sources]
    for path in paths:
        if not os.path.isfile(path):  # unlike Path.is_file, False for impossible names
            raise ValueError(
                Wording("upload.no_file", "there is no file {name}", name=shown_name(str(path)))
            )
    total = sum(path.stat().st_size for path in paths)
    if total > limits.upload_bytes:
        raise ValueError(
            Wording(
                "upload.too_large",
                "the upload is too large: {bytes} bytes, and at most {most} are allowed",
                bytes=f"{total:,}",
                most=f"{limits.upload_bytes:,}",
            )
        )
    return paths


def _run_child(request: dict[str, Any], limits: UploadLimits) -> None:
    """Have a limited process read the pictures; however it fails, this raises one ValueError."""
    with tempfile.TemporaryFile() as messages:
        try:
            code = subprocess.run(
                [sys.executable, "-m", "genimg.data.ingestion_worker"],
                input=json.dumps(request).encode(),
                stdout=subprocess.DEVNULL,
                stderr=messages,  # a file: no decoder's flood of warnings can block or fill memory
                cwd=_PACKAGE_ROOT,
                env=os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
                timeout=limits.seconds,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            raise ValueError(
                Wording(
                    "upload.slow",
                    "reading the pictures took longer than {seconds} seconds; send fewer or"
                    " smaller ones",
                    seconds=f"{limits.seconds:g}",
                )
            ) from None
        if code == -getattr(signal, "SIGXCPU", 0):
            raise ValueError(
                Wording(
                    "upload.processor",
                    "reading the pictures took more than {seconds} seconds of processor"
                    " time; send fewer or smaller ones",
                    seconds=limits.processor_seconds,
                )
            )
        if code < 0:
            raise ValueError(
                Wording(
                    "upload.ended",
                    "the process that read the pictures was ended by signal {number}, so"
                    " nothing was published; try again, or send fewer pictures",
                    number=-code,
                )
            )
        if code:
            raise ValueError(_reason(Path(request["folder"])) or _last_line(messages))


def _reason(folder: Path) -> str:
    """Return what the child wrote down about its end; '' if it could not."""
    try:
        return read(read_json(folder / REASON))
    except (OSError, ValueError):
        return ""


def _last_line(messages: BinaryIO) -> str:
    """Return the last thing that the child said, as a sentence."""
    messages.seek(max(0, messages.seek(0, os.SEEK_END) - 2000))
    lines = messages.read().decode(errors="replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "no reason given")
    if last.startswith("error: "):
        return last.removeprefix("error: ")
    return Wording("upload.unread", "the pictures could not be read ({reason})", reason=last)


def _publish(ready: Path, target: Path) -> None:
    """Give a complete folder its name, unless the same pictures have it already."""
    try:
        if target.exists():
            verified_hash(target)
    except ValueError:  # somebody changed it: the name belongs to the pictures of that hash
        os.rename(target, target.with_name(f".changed-{target.name}-{secrets.token_hex(3)}"))
    try:
        os.rename(ready, target)
    except OSError:
        if not target.is_dir():
            raise  # else another ingestion of the same pictures was first
    flush_directory(target.parent)


def _remove_leftovers(datasets: Path) -> None:
    """Remove what servers that were killed have left behind."""
    for folder in datasets.glob(f"{_INCOMING}*"):
        try:
            old = time.time() - folder.stat().st_mtime > _LEFTOVER_SECONDS
        except OSError:  # its owner removed it just now
            continue
        if old:
            shutil.rmtree(folder, ignore_errors=True)


def _preview(folder: Path, size: int) -> np.ndarray:
    """Return pictures from all over the published folder, uint8 (N, size, size, C)."""
    files = sorted(folder.glob("**/*.png"))
    chosen = np.linspace(0, len(files) - 1, min(PREVIEW, len(files))).round().astype(int)
    pictures = [read_picture(files[index], size) for index in chosen]
    channels = max(picture.shape[2] for picture in pictures)
    return np.stack([np.broadcast_to(p, (size, size, channels)) for p in pictures])
