"""What can be trained on: the published data sets, and pictures that visitors sent.

A visitor names pictures by a value of `DataShelf.choices`; it is looked up and never
becomes a path.
"""

import contextlib
import functools
from collections.abc import Sequence
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
from genimg.ui.texts import named, say

OWN = "own:"
"""Begins the value of pictures that somebody sent; the name of their folder follows."""
# What would be downloaded says so, because a classroom may have no network.
_LOCAL = "not fetched"
_MOST_CLASSES_NAMED = 3


def accepted_uploads() -> str:
    """Return in words which layouts and which limits there are for pictures that are sent."""
    limits = UploadLimits()
    return say(
        "training.upload.about",
        megabytes=LARGEST_UPLOAD_MB,
        files=f"{limits.files:,}",
        file_megabytes=limits.file_bytes // 2**20,
        megapixels=MAX_PIXELS // 10**6,
    )


def owners_words(owners: Sequence[str]) -> str:
    """Return in words who sent pictures."""
    if not owners:
        return say("training.data.somebody")
    return functools.reduce(lambda one, other: say("training.and", one=one, other=other), owners)


def found_words(found: str) -> str:
    """Return what was found in pictures as a sentence."""
    return say("training.upload.found", found=messages.sentence(found))


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
            title = named("dataset", f"{name}.title", facts["title"])
            later = _LOCAL in facts["source"]
            published.append((say("training.data.later", title=title) if later else title, name))
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
        raise ValueError(say("training.data.gone"))

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
        return found_words(found_of(manifest)) if manifest else ""

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
            raise ValueError(
                say("training.upload.not_stored", reason=str(error.strerror))
            ) from None
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
    more = len(classes) - _MOST_CLASSES_NAMED
    names: str = ", ".join(classes[:_MOST_CLASSES_NAMED])
    if more > 0:
        names = say("training.data.and_more", names=names, more=more)
    return say(
        "training.data.own",
        sender=owners_words(owners), names=names, pictures=f"{manifest['count']:,}",
        size=manifest["size"],
    )  # fmt: skip


def _shown(report: IngestionReport) -> dict[str, Any]:
    """Return what the page shows of a report; it sets every word of it as text."""
    counts = ", ".join(f"{name} {count:,}" for name, count in report.classes.items())
    told = {"pictures": f"{report.accepted:,}", "size": report.size}
    title = say("training.upload.ready", **told)
    if report.splits:
        train, test = (sum(report.splits[split].values()) for split in SPLITS)
        title = say("training.upload.ready_in_splits", train=f"{train:,}", test=f"{test:,}", **told)
    several = len(report.classes) > 1
    return {
        "title": title,
        "classes": found_words(report.found),
        "counts": say("training.upload.of_each", counts=counts[:500]) if several else "",
        "preview": data_uri(grid(report.preview, columns=10), "png"),
        "refused": [{"file": name, "reason": reason} for name, reason in report.refused],
        "refused_count": report.refused_count,
    }
