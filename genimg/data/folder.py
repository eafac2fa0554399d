"""Your own pictures as a data set: one folder per class, read without trusting any file.

    pictures/
      cats/1.png            class "cats"
      cats/indoors/2.jpg    class "cats" as well
      dogs/3.webp           class "dogs"

Other layouts are understood by the rule of `genimg.data.layout`, which zip files follow, too. A
file that cannot be used is skipped, and listed with the reason. Symbolic links are never followed;
hidden files and those that systems write for themselves are ignored. A folder that
`genimg.data.ingestion` made has a manifest, and its pictures must still be those of the manifest.
"""

import hashlib
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from genimg.data.decoding import read_picture
from genimg.data.file_names import is_hidden
from genimg.data.labels import MOST_BYTES, Labels, is_labels, read_labels
from genimg.data.layout import Layout, Place, arrange
from genimg.data.manifest import MANIFEST, described, place_of, read_manifest, verified_hash
from genimg.data.registry import SPLITS, Dataset
from genimg.kept_wording import read
from genimg.wording import Wording, wording_of

MAX_FILES = 100_000  # all pictures are held in memory: at 64 px RGB this is 1.2 GB
TEST_SHARE = 10  # one picture in ten of each class is for testing


class Picture(NamedTuple):
    """One usable file."""

    file: str
    """Path below the root, with forward slashes."""
    label: str
    """Its class."""
    pixels: np.ndarray
    """uint8 (size, size, C), C = 1 or 3."""
    split: str | None = None
    """"train" or "test" if the folders tell it, else None."""


class Contents(NamedTuple):
    """What a folder holds."""

    pictures: list[Picture]
    skipped: list[tuple[str, str]]
    """(file, reason) of each file that was not used, safe to show."""
    found: str
    """The classes, and what else was understood, in one line."""


def load_folder(path: str, size: int, split: str) -> Dataset:
    """Load one split of a folder of pictures.

    Where the folder has folders for training and testing, these are the splits. Else the pictures
    of a class are put in the order of a hash of their names below `path`, and the first tenth (at
    least one, if the class has two or more) is the test split. The same files therefore always give
    the same splits, in the same mixed order. The data set is grey if every usable picture of the
    folder is, and RGB otherwise.

    Raises:
        ValueError: there is no such folder, it has no usable picture or too many files, the
            split is empty, or the pictures are not those of the folder's manifest.
    """
    pictures, skipped, _ = read_folder(path, size)
    chosen = choose_split(pictures, split)
    if not chosen:
        raise ValueError(
            Wording(
                "data.no_test",
                "{path} has no class of two or more pictures, so none is left for the test split",
                path=path,
            )
        )
    classes = _classes(pictures)
    shape = (size, size, _channels(pictures))  # a grey picture among colour ones is repeated
    pixels = np.stack([np.broadcast_to(picture.pixels, shape) for picture in chosen])
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous()  # to (N, C, H, W)
    labels = torch.tensor([classes.index(picture.label) for picture in chosen])
    return Dataset(f"folder:{path}", images, labels, classes, _source(path), tuple(skipped))


def describe_folder(path: str) -> dict[str, Any]:
    """Return the same dictionary as `genimg.data.describe`, and "found": the classes in words.

    A published folder is described by its manifest; in any other, every picture is read.

    Raises:
        ValueError: there is no such folder, it has no usable picture or too many files, or its
            files are not those of its manifest (see `genimg.data.manifest.described`).
    """
    manifest = described(Path(path).expanduser())
    if manifest is None:
        pictures, _, found = read_folder(path, size=28)
        counts = {split: len(choose_split(pictures, split)) for split in SPLITS}
        channels, classes, source = _channels(pictures), _classes(pictures), _source(path)
    else:
        if "splits" in manifest:
            counts = {split: sum(manifest["splits"][split].values()) for split in SPLITS}
        else:
            test = sum(map(_test_count, manifest["classes"].values()))
            counts = {"train": manifest["count"] - test, "test": test}
        channels, classes = manifest["channels"], tuple(sorted(manifest["classes"]))
        found = found_of(manifest)
        source = _named_source(path, manifest["sha256"])
    return {
        "name": f"folder:{path}",
        "title": f"pictures in {Path(path).name}",
        "images": counts,
        "size": None,
        "channels": channels,
        "classes": list(classes),
        "license": "not known to genimg",
        "homepage": "",
        "source": source,
        "found": found,
    }


def found_of(manifest: dict[str, Any]) -> str:
    """Return what was found in a published folder, in one line."""
    if words := manifest.get("found_words"):
        return read(words)
    return manifest.get("found") or Layout(places=[]).found(manifest["classes"])


def read_folder(path: str, size: int) -> Contents:
    """Read every usable picture below `path`.

    Raises:
        ValueError: there is no such folder, it has no usable picture or too many files, or its
            manifest is damaged.
    """
    root = Path(path).expanduser()
    if not root.is_dir():
        raise ValueError(f"there is no folder {path}")
    files: list[tuple[Path, str]] = []
    tables: list[Labels] = []
    skipped: list[tuple[str, str]] = []
    for file in _walk(root):
        if len(files) + len(skipped) == MAX_FILES:
            raise ValueError(f"{path} has more than {MAX_FILES} files; use a smaller folder")
        name = file.relative_to(root).as_posix()
        if name == MANIFEST:
            continue
        shown = name.encode("utf-8", "backslashreplace").decode()
        try:
            _check_name(file, name, shown)
        except ValueError as error:
            skipped.append((shown, wording_of(error)))
            continue
        if is_labels(name.split("/")):
            with file.open("rb") as content:
                tables.append(read_labels(name.split("/"), content.read(MOST_BYTES)))
        else:
            files.append((file, name))
    names = [name for _, name in files]
    layout = _layout(root, names, tables)
    done: Counter[str] = Counter()
    pictures = []
    for (file, name), place in zip(files, layout.places, strict=True):
        try:
            if isinstance(place, str):
                raise ValueError(place)
            pixels = read_picture(file, size, notes=done)
        except OSError as error:
            skipped.append((name, error.strerror or str(error)))
            continue
        except ValueError as error:
            skipped.append((name, wording_of(error)))
            continue
        pictures.append(Picture(name, place.label, pixels, place.split))
    if not pictures:
        detail = f" (first problem: {skipped[0][0]}: {skipped[0][1]})" if skipped else ""
        raise ValueError(
            f"{path} has no usable picture{detail}; put PNG, JPEG or WebP files in one folder "
            "per class inside it"
        )
    layout.note_done(done)
    counts = Counter(picture.label for picture in sorted(pictures, key=lambda p: p.label))
    return Contents(pictures, skipped, layout.found(counts))


def _layout(root: Path, names: list[str], tables: list[Labels]) -> Layout:
    manifest = read_manifest(root)
    if manifest is not None:  # one that we published: its places are known
        return Layout(places=[Place(*place_of(manifest, name)) for name in names])
    return arrange([name.split("/") for name in names], tables)


def choose_split(pictures: list[Picture], split: str) -> list[Picture]:
    """Return the pictures of one split, in the order of the hash of their names."""
    ordered = sorted(pictures, key=lambda picture: hashlib.sha256(picture.file.encode()).digest())
    if any(picture.split for picture in pictures):
        return [picture for picture in ordered if picture.split == split]
    test = set()
    for label in _classes(pictures):
        files = [picture.file for picture in ordered if picture.label == label]
        test.update(files[: _test_count(len(files))])
    return [picture for picture in ordered if (picture.file in test) == (split == "test")]


def _test_count(pictures: int) -> int:
    """Return how many of a class's pictures are for testing."""
    return max(1, pictures // TEST_SHARE) if pictures > 1 else 0


def _walk(root: Path) -> Iterator[Path]:
    """Yield the files below `root` in a fixed order, and links to folders without entering them."""
    for folder, subfolders, files in os.walk(root):  # os.walk enters no linked folder
        subfolders[:] = sorted(name for name in subfolders if not is_hidden([name]))
        links = [name for name in subfolders if Path(folder, name).is_symlink()]
        for name in sorted([*files, *links]):
            if not is_hidden([name]):
                yield Path(folder, name)


def _check_name(file: Path, name: str, shown: str) -> None:
    if file.is_symlink():
        raise ValueError("it is a symbolic link, and those are not followed")
    if not file.is_file():
        raise ValueError("it is not a regular file")
    if shown != name:
        raise ValueError("its name is not valid UTF-8")


def _classes(pictures: list[Picture]) -> tuple[str, ...]:
    return tuple(sorted({picture.label for picture in pictures}))


def _source(path: str) -> str:
    """Return the folder, with the hash of its pictures if it has a manifest."""
    sha256 = verified_hash(Path(path).expanduser())
    return _named_source(path, sha256) if sha256 else str(path)


def _named_source(path: str, sha256: str) -> str:
    return f"{path} (sha256 {sha256[:16]})"


def _channels(pictures: list[Picture]) -> int:
    return max(picture.pixels.shape[-1] for picture in pictures)
