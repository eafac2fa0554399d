"""What can be trained on: the published data sets, and pictures that visitors sent.

A visitor names pictures by a value of `DataShelf.choices`; it is looked up and never
becomes a path.
"""

import contextlib
from pathlib import Path
from typing import Any

from genimg import data
from genimg.data.ingestion import IngestionReport, ingest
from genimg.data.manifest import read_manifest
from genimg.jobs import pictures
from genimg.render import data_uri, grid

OWN = "own:"
"""Begins the value of pictures that somebody sent; the name of their folder follows."""
# What would be downloaded says so, because a class room may have no network.
_LOCAL = "not fetched yet"
_MOST_CLASSES_NAMED = 3


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
        raise ValueError("these pictures are not here any more; choose a data set of the list")

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
    classes = ", ".join(f"{name} ({count:,})" for name, count in report.classes.items())
    return {
        "title": f"{report.accepted:,} pictures of {report.size} px are ready: about nine in ten to"
        " learn from, the others to test with.",
        "classes": f"Classes: {classes[:500]}",
        "preview": data_uri(grid(report.preview, columns=10), "png"),
        "refused": [{"file": name, "reason": reason} for name, reason in report.refused],
        "refused_count": report.refused_count,
    }
