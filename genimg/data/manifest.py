"""The manifest of a published folder of pictures: which pictures they are, in one hash.

    PATH/manifest.json
    PATH/cats/000001.png

The hash is SHA-256 over one sorted line for each picture: its path below PATH, a zero byte, and the
SHA-256 of the file in hexadecimal. It does not depend on the time of publication.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from genimg.storage import read_json

MANIFEST = "manifest.json"
KIND = "genimg pictures"


def pictures_hash(pictures: Iterable[tuple[str, str]]) -> str:
    """Return the hash of (path, SHA-256 of the file) pairs, which may come in any order."""
    lines = sorted(f"{path}\0{digest}\n" for path, digest in pictures)
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def folder_hash(root: Path) -> str:
    """Return the hash of the files below `root` now, without the manifest and hidden files."""
    pictures = []
    for file in root.rglob("*"):
        path = file.relative_to(root)
        hidden = any(part.startswith(".") for part in path.parts)
        if file.is_file() and not hidden and path != Path(MANIFEST):
            with file.open("rb") as content:
                pictures.append(
                    (path.as_posix(), hashlib.file_digest(content, "sha256").hexdigest())
                )
    return pictures_hash(pictures)


def read_manifest(root: Path) -> dict | None:
    """Return the manifest of a published folder, or None where there is none of ours.

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
        raise ValueError(
            f"the pictures in {root} are not those of its {MANIFEST} any more; import them again,"
            f" or delete {MANIFEST} to use them as they are"
        )
    return manifest["sha256"]
