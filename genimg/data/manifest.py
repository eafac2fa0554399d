"""The manifest of a published folder of pictures: which pictures they are, in one hash.

    PATH/manifest.json
    PATH/cats/000001.png            or, where the pictures came with splits,
    PATH/train/cats/000001.png

The hash is SHA-256 over one sorted line for each picture: its path below PATH, a zero byte, and the
SHA-256 of the file in hexadecimal. It does not depend on the time of publication. Besides the hash
the manifest tells what a form or an estimate asks for: the classes with the number of pictures in
each, the same for each split if there are splits, the channels, and in words what was found, for
people (`found`) and for the page (`found_words`, see `genimg.kept_wording`).
"""

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from genimg.data.file_names import is_hidden
from genimg.storage import read_json
from genimg.wording import Wording

MANIFEST = "manifest.json"
KIND = "genimg pictures"


def pictures_hash(pictures: Iterable[tuple[str, str]]) -> str:
    """Return the hash of (path, SHA-256 of the file) pairs, which may come in any order."""
    lines = sorted(f"{path}\0{digest}\n" for path, digest in pictures)
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def folder_hash(root: Path) -> str:
    """Return the hash of the files below `root` now, but for the manifest and the system's own."""
    pictures = []
    for path in _pictures(root):
        with (root / path).open("rb") as content:
            pictures.append((path, hashlib.file_digest(content, "sha256").hexdigest()))
    return pictures_hash(pictures)


def _pictures(root: Path) -> Iterator[str]:
    """Yield the paths below `root`, with forward slashes, of what `folder_hash` counts.

    It works with plain strings, because `Path.rglob` takes ten times as long.
    """
    for folder, subfolders, files in os.walk(root):
        subfolders[:] = [name for name in subfolders if not is_hidden([name])]
        below = "" if Path(folder) == root else Path(folder).relative_to(root).as_posix() + "/"
        for name in files:
            path = below + name
            counts = not is_hidden([name]) and path != MANIFEST
            if counts and os.path.isfile(os.path.join(folder, name)):
                yield path


def place_of(manifest: dict[str, Any], path: str) -> tuple[str | None, str]:
    """Return the split (None without splits) and the class of a picture in a published folder."""
    parts = path.split("/")
    return (parts[0], parts[1]) if "splits" in manifest and len(parts) > 1 else (None, parts[0])


def read_manifest(root: Path) -> dict[str, Any] | None:
    """Return the manifest of a published folder, or None if it has none of ours.

    Raises:
        ValueError: it is damaged.
        OSError: it cannot be read.
    """
    if not (root / MANIFEST).is_file():
        return None
    manifest = read_json(root / MANIFEST)
    if not isinstance(manifest, dict) or manifest.get("kind") != KIND:
        return None
    return manifest


def verified_hash(root: Path) -> str:
    """Return the hash that the manifest records, or '' for a folder without a manifest.

    Raises:
        ValueError: the pictures are not those that were published, or the manifest is damaged.
        OSError: a file cannot be read.
    """
    manifest = read_manifest(root)
    if manifest is None:
        return ""
    if manifest.get("sha256") != folder_hash(root):
        raise _changed(root)
    return manifest["sha256"]


def described(root: Path) -> dict[str, Any] | None:
    """Return the manifest if it describes the folder, so that no picture need be read; else None.

    Only the names of the files are looked at: each class must have as many as the manifest says. A
    form asks whenever a setting changes, and hashing 20,000 files takes a second. The content is
    verified where it matters, each time the pictures are loaded; see `verified_hash`.

    Raises:
        ValueError: pictures were added, moved or removed, or the manifest is damaged.
        OSError: it cannot be read.
    """
    manifest = read_manifest(root)
    if manifest is None or manifest.get("channels") not in (1, 3):
        return None  # none, or one from before manifests told the channels
    places = Counter(place_of(manifest, path) for path in _pictures(root))
    if not places or places != _stated(manifest):
        raise _changed(root)
    return manifest


def _stated(manifest: dict[str, Any]) -> dict[tuple[str | None, str], int]:
    """Return the number of pictures of each split and class; {} if that is damaged."""
    splits = manifest.get("splits", {None: manifest.get("classes")})
    try:
        return {(split, name): count for split, of in splits.items() for name, count in of.items()}
    except AttributeError:
        return {}


def _changed(root: Path) -> ValueError:
    return ValueError(
        Wording(
            "data.changed",
            "the pictures in {folder} are not those of its {manifest} any more;"
            " import them again, or delete {manifest} to use them as they are",
            folder=root,
            manifest=MANIFEST,
        )
    )
