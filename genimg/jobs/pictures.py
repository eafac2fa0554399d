"""Pictures that visitors sent: who sent them, and how much room they take.

ROOT/datasets/HASH/               a published folder, see `genimg.data.ingestion`
ROOT/datasets/HASH/.owners.json   {"owners": ["ada"]}; a hidden file is no part of the hash

The same pictures sent by two people are one folder that belongs to both, and counts for both.
"""

from collections.abc import Iterator
from pathlib import Path

from genimg.data.manifest import MANIFEST
from genimg.jobs.views import folder_bytes
from genimg.storage import read_json, write_json

_OWNERS = ".owners.json"


def folders(root: Path) -> Iterator[Path]:
    """Yield every published folder of a data root."""
    for manifest in (root / "datasets").glob(f"[0-9a-f]*/{MANIFEST}"):
        yield manifest.parent


def folder_named(root: Path, name: str) -> Path | None:
    """Return the published folder of that name, or None; a name never becomes a path."""
    return next((folder for folder in folders(root) if folder.name == name), None)


def owners(folder: Path) -> list[str]:
    """Return who sent the pictures; nobody where it was not written down."""
    try:
        names = read_json(folder / _OWNERS)["owners"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def write_owners(folder: Path, names: list[str]) -> None:
    """Write down who sent the pictures.

    Raises:
        OSError: the folder cannot be written.
    """
    write_json(folder / _OWNERS, {"owners": names})


def add_owner(folder: Path, name: str) -> None:
    """Write down that somebody, too, sent these pictures; OSError as for `write_owners`."""
    if name not in (known := owners(folder)):
        write_owners(folder, [*known, name])


def stored_bytes(root: Path, owner: str) -> int:
    """Return how much the pictures of one owner take on the disk."""
    return sum(folder_bytes(folder) for folder in folders(root) if owner in owners(folder))
