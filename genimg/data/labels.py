"""Label files, which lie beside the pictures and tell the class of each.

    dataset.json    as StyleGAN's tools write it: {"labels": [["00000/img00000000.png", 6], ...]}
    labels.csv      a table with a column for the file and one for the class

The paths start at the folder of the label file; a bare name, with or without its ending, will do if
only one picture has it.
"""

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from genimg.data.file_names import UNNAMED, path_parts
from genimg.data.name_encoding import decode_names
from genimg.wording import Wording, wording_of

MOST_BYTES = 2**24
_MOST_ROWS = 200_000
_LONGEST_LABEL = 200
_STYLEGAN = "dataset.json"
_TABLES = ("labels", "label", "metadata", "annotations", "train_labels", "train")
_FILE_COLUMNS = (
    *("file_name", "filename", "file", "image", "image_id", "image_name", "image_path", "img"),
    *("path", "filepath", "file_path", "picture", "id", "name"),
)
_LABEL_COLUMNS = (
    *("label", "labels", "class", "class_name", "classname", "label_name", "category", "target"),
    *("breed", "species", "emotion", "diagnosis", "type"),
)


@dataclass(kw_only=True, eq=False)
class Labels:
    """What one label file says."""

    name: str
    """Its path."""
    decides: bool = False
    """Whether it decides alone: then folders are not classes, whatever they are called."""
    problem: str = ""
    """Why it cannot be used, or ''."""
    folder: tuple[str, ...] = ()
    """The folders that it lies in; it speaks of the pictures there and below."""
    by_path: dict[str, str] = field(default_factory=dict)
    """Class by the path below `folder`."""
    by_name: dict[str, str] = field(default_factory=dict)
    """Class by name, with its ending and without, where only one path has that name."""
    unlabelled: bool = False
    """Whether it says that the pictures have no classes."""

    def label_of(self, path: Sequence[str]) -> str | None:
        """Return the class of a picture, given by its folders and file; None if it has no label."""
        if not path or tuple(path[: len(self.folder)]) != self.folder:
            return None
        if self.unlabelled:
            return UNNAMED
        below, name = path[len(self.folder) :], path[-1]
        return (
            self.by_path.get("/".join(below))
            or self.by_name.get(name)
            or self.by_name.get(name.rpartition(".")[0])
        )


def is_labels(path: Sequence[str]) -> bool:
    """Return whether a file, by its name, may be a label file."""
    name, _, ending = path[-1].casefold().rpartition(".")
    return path[-1].casefold() == _STYLEGAN or (ending in ("csv", "tsv") and name in _TABLES)


def read_labels(path: Sequence[str], content: bytes) -> Labels:
    """Return what a label file says; what is wrong with it is its `problem`.

    Args:
        path: its folders and name, for which `is_labels` is true.
        content: anything, of at most `MOST_BYTES`.
    """
    labels = Labels(name="/".join(path), folder=tuple(path[:-1]))
    labels.decides = path[-1].casefold() == _STYLEGAN
    pairs: Iterable[tuple[str, str]] | None
    try:
        if labels.decides:
            pairs = _of_stylegan(content)
            labels.unlabelled = pairs is None
        else:
            pairs = _of_table(content)
        _index(labels, pairs or ())
    except ValueError as error:
        labels.problem = wording_of(error)
    return labels


def _index(labels: Labels, pairs: Iterable[tuple[str, str]]) -> None:
    count: Counter[str] = Counter()
    for number, (file, label) in enumerate(pairs):
        if number == _MOST_ROWS:
            raise ValueError(
                Wording("labels.rows", "it has over {most} rows", most=f"{_MOST_ROWS:,}")
            )
        parts = path_parts(file)
        if not parts or not label.strip():
            continue
        labels.by_path["/".join(parts)] = label.strip()[:_LONGEST_LABEL]
    for path, label in labels.by_path.items():
        name = path.rpartition("/")[2]
        for short in {name, name.rpartition(".")[0] or name}:
            count[short] += 1
            labels.by_name[short] = label
    labels.by_name = {name: label for name, label in labels.by_name.items() if count[name] == 1}


def _of_stylegan(content: bytes) -> list[tuple[str, str]] | None:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        raise ValueError(Wording("labels.json", "it is not valid JSON")) from None
    if not isinstance(value, dict) or "labels" not in value:
        raise ValueError(
            Wording("labels.stylegan", 'it has no "labels", as the files of StyleGAN do')
        )
    entries = value["labels"]
    if entries is None:
        return None
    if isinstance(entries, dict):
        entries = list(entries.items())
    if not isinstance(entries, list) or not all(map(_is_pair, entries)):
        raise ValueError(Wording("labels.pairs", "its labels are not one class for each picture"))
    return [(file, str(label)) for file, label in entries]


def _is_pair(entry: Any) -> bool:
    return (
        isinstance(entry, (list, tuple))
        and len(entry) == 2
        and isinstance(entry[0], str)
        and isinstance(entry[1], (str, int))
    )


def _of_table(content: bytes) -> Iterator[tuple[str, str]]:
    lines = _text(content).splitlines()
    first = next((line for line in lines if line.strip()), "")
    separator = max(",;\t", key=first.count)
    try:
        rows = [row for row in csv.reader(lines, delimiter=separator) if any(row)]
    except csv.Error:
        raise ValueError(Wording("labels.no_table", "it is no table")) from None
    if not rows:
        raise ValueError(Wording("labels.empty", "it is empty"))
    head = [cell.strip().casefold().replace(" ", "_") for cell in rows[0]]
    file = next((head.index(name) for name in _FILE_COLUMNS if name in head), None)
    label = next((head.index(name) for name in _LABEL_COLUMNS if name in head), None)
    if file is not None and label is not None:
        del rows[0]
    elif len(head) == 2 and file is None and label is None and "." in head[0]:
        file, label = 0, 1  # no line of headings
    else:
        raise ValueError(
            Wording(
                "labels.no_column",
                "no column of it is called file or image, or none is called label or class",
            )
        )
    most = max(file, label)
    return ((row[file], row[label]) for row in rows if len(row) > most)


def _text(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "\n".join(decode_names(content.replace(b"\r", b"").split(b"\n")))
