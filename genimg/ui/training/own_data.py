"""What can be trained on: the published data sets, and pictures that visitors sent.

A visitor names pictures by a value of `DataShelf.choices`; it is looked up and never
becomes a path.
"""

import contextlib
from pathlib import Path
from typing import Any

from genimg import data
from genimg.data.decoding import MAX_PIXELS
from genimg.data.folder import found_of
from genimg.data.ingestion import IngestionReport, UploadLimits, ingest
from genimg.data.manifest import read_manifest
from genimg.data.registry import SPLITS
from genimg.jobs import pictures
from genimg.render import data_uri, grid
from genimg.ui import messages
from genimg.ui.host import LARGEST_UPLOAD_MB

OWN = "own:"
"""Begins the value of pictures that somebody sent; the name of their folder follows."""
# What would be downloaded says so, because a classroom may have no network.
_LOCAL = "not fetched yet"
_MOST_CLASSES_NAMED = 3


def accepted_uploads() -> str:
    """Return in words which layouts and which limits there are for pictures that are sent."""
    limits = UploadLimits()
    return (
        "A zip file with one folder of PNG, JPEG or WebP pictures for each class. Folders called"
        " train, val and test become the splits; outer folders do not matter; labels in a"
        f" labels.csv or StyleGAN's dataset.json are read. At most {LARGEST_UPLOAD_MB} MB and"
        f" {limits.files:,} files, each of {limits.file_bytes // 2**20} MB and"
        f" {MAX_PIXELS // 10**6} megapixels (a JPEG may have more)."
    )


class DataShelf:
    """The data sets of one data root.

    Args:
        root: the data root; pictures that visitors send are published below it.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def choices(self) -> list[tuple[str, str]]:
        """Return (what to show, value) of each data set, those of visitors first."""
        published = []
        for name in data.names():
            facts = data.describe(name)
            later = " (will be downloaded)" if _LOCAL in facts["source"] else ""
            published.append((facts["title"] + later, name))
        own = [
            (_title(manifest, self.owners(OWN + name)), OWN + name)
            for name, manifest in self._manifests().items()
        ]
        return [*own, *published]

    def name(self, value: Any) -> str:
        """Return the name by which training knows the data set of a choice.

        Raises:
            ValueError: it is none of `choices`.
        """
        if isinstance(value, str) and value.startswith(OWN):
            folder = pictures.folder_named(self.root, value.removeprefix(OWN))
            if folder is not None:
                return f"{data.FOLDER_PREFIX}{folder.resolve()}"
        elif value in data.names():
            return value
        raise ValueError("these pictures are not here any more; choose a data set from the list")

    def value(self, dataset: str) -> str:
        """Undo `name`; pictures from elsewhere are no choice and give ''."""
        folder = Path(dataset.removeprefix(data.FOLDER_PREFIX)).name
        value = OWN + folder if dataset.startswith(data.FOLDER_PREFIX) else dataset
        try:
            return value if self.name(value) == dataset else ""
        except ValueError:
            return ""

    def owners(self, value: str) -> list[str]:
        """Return who sent the pictures of a choice; nobody did for a published data set."""
        folder = pictures.folder_named(self.root, value.removeprefix(OWN))
        return pictures.owners(folder) if folder is not None else []

    def found(self, value: str) -> str:
        """Return which classes pictures that somebody sent have, as a sentence; '' for others."""
        manifest = self._manifests().get(value.removeprefix(OWN))
        return messages.sentence(found_of(manifest)) if manifest else ""

    def publish(self, upload: Path, size: int, owner: str) -> tuple[str, dict[str, Any]]:
        """Take in a zip file of pictures; return its choice's value and a report for the page.

        Args:
            size: side of the published pictures in pixels.
            owner: nickname of who sends them.

        Raises:
            ValueError: as for `genimg.data.ingestion.ingest`.
        """
        try:
            report = ingest([upload], self.root, size=size)
            pictures.add_owner(Path(report.path), owner)
        except OSError as error:
            raise ValueError(f"the pictures could not be stored: {error.strerror}") from None
        return OWN + Path(report.path).name, _shown(report)

    def _manifests(self) -> dict[str, dict[str, Any]]:
        """Return the manifest of each published folder, the newest first."""
        found = {}
        for path in pictures.folders(self.root):
            with contextlib.suppress(OSError, ValueError):  # damaged, or going away
                if manifest := read_manifest(path):
                    found[path.name] = manifest
        return dict(sorted(found.items(), key=lambda entry: entry[1]["created"], reverse=True))


def _title(manifest: dict[str, Any], owners: list[str]) -> str:
    classes = list(manifest["classes"])
    named = ", ".join(classes[:_MOST_CLASSES_NAMED])
    more = f" and {len(classes) - _MOST_CLASSES_NAMED} more"
    named += more if len(classes) > _MOST_CLASSES_NAMED else ""
    sender = " and ".join(owners) or "somebody"
    return f"Sent by {sender}: {named} ({manifest['count']:,} pictures, {manifest['size']} px)"


def _shown(report: IngestionReport) -> dict[str, Any]:
    """Return what the page shows of a report; it sets every word of it as text."""
    counts = ", ".join(f"{name} {count:,}" for name, count in report.classes.items())
    use = "about nine in ten to learn from, the others to test with"
    if report.splits:
        train, test = (sum(report.splits[split].values()) for split in SPLITS)
        use = f"{train:,} to learn from, {test:,} to test with"
    return {
        "title": f"{report.accepted:,} pictures of {report.size} px are ready: {use}.",
        "classes": messages.sentence(report.found),
        "counts": f"Pictures of each: {counts[:500]}" if len(report.classes) > 1 else "",
        "preview": data_uri(grid(report.preview, columns=10), "png"),
        "refused": [{"file": name, "reason": reason} for name, reason in report.refused],
        "refused_count": report.refused_count,
    }
