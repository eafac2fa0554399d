"""Which folder is a class: the one rule for folders and for zip files.

    cats/1.png                  class "cats"
    cats/indoors/2.jpg          class "cats" as well
    set/cats/1.png              outer folders are looked through; a few stray pictures beside the
    set/dogs/2.png              folders of the classes are left out
    train/cats/1.png            folders for training, validation and testing are the splits
    test/cats/2.png
    cats/train/1.png            also inside each class
    part1/cats/1.png            parts whose names differ in their numbers only, and that hold the
    part2/cats/2.png            same folders, are one set
    1.png                       class "pictures"

Where there are folders for training, they are the split "train". Those for testing are the split
"test"; those for validation count as testing if there are none for testing, else as training.
Without any, `genimg.data.folder` divides each class itself. A label file beside the pictures
(`genimg.data.labels`) tells the classes where the folders do not.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import NamedTuple

from genimg.data.file_names import UNNAMED, class_names, shown_name
from genimg.data.folder_tree import (
    SPLIT_WORDS,
    Folder,
    split_of,
    tree_of,
    way_to_classes,
)
from genimg.data.labels import Labels
from genimg.wording import Wording

_NAMED_CLASSES, _NAMED_CHANGES, _LONGEST_LIST = 12, 3, 400
STRAY = Wording("layout.stray", "it lies beside the folders of the classes")


class Place(NamedTuple):
    """Where one picture belongs."""

    split: str | None
    """"train" or "test"; None if the layout has no splits."""
    label: str
    """Name of its class."""


@dataclass(kw_only=True, eq=False)
class Layout:
    """What the paths of a collection of pictures mean."""

    places: list[Place | str]
    """For each path its place, or the reason why it has none, in the order of the paths."""
    renamed: dict[str, str] = field(default_factory=dict)
    """The folders whose class has another name, with that name."""
    notes: list[str] = field(default_factory=list)
    """What else was understood, in words."""

    def found(self, counts: Mapping[str, int]) -> str:
        """Return what was found, in one line that is safe to show.

        Args:
            counts: pictures of each class.
        """
        names = list(counts)
        named: str | list[str] = names[:_NAMED_CLASSES]
        if len(names) > _NAMED_CLASSES:
            more = len(names) - _NAMED_CLASSES
            named = Wording("layout.and_more", "{names} and {more} more", names=named, more=more)
        if len(names) == 1:
            parts: list[str] = [Wording("layout.found_one", "found 1 class: {names}", names=named)]
        else:
            count = f"{len(names):,}"
            parts = [
                Wording("layout.found", "found {count} classes: {names}", count=count, names=named)
            ]
        changes = [(old, new) for old, new in self.renamed.items() if new in counts]
        if changes:
            shown: list[str] = [
                Wording("layout.is", '"{old}" is "{new}"', old=shown_name(old), new=new)
                for old, new in changes[:_NAMED_CHANGES]
            ]
            shown += ["..."] if len(changes) > _NAMED_CHANGES else []
            count = str(len(changes))
            parts.append(
                Wording("layout.renamed", "{count} renamed ({changes})", count=count, changes=shown)
            )
        return reduce(
            lambda one, other: Wording("layout.both", "{one}; {other}", one=one, other=other),
            [*parts, *self.notes],
        )

    def note_done(self, done: Mapping[str, int]) -> None:
        """Add what was done to how many pictures."""
        self.notes += [
            Wording("layout.done", "{count} pictures: {what}", count=f"{count:,}", what=what)
            for what, count in done.items()
        ]


def arrange(paths: Sequence[Sequence[str]], labels: Collection[Labels] = ()) -> Layout:
    """Return the classes and splits of a collection of files.

    Args:
        paths: the folders and the name of each file; empty for one that came by itself, and is of
            the class "pictures". They may come in any order and from anybody, but without hidden
            files and those that systems write for themselves.
        labels: what the label files beside them say.
    """
    layout = Layout(places=[])
    whole = _without_parts(paths, layout)
    top, node = way_to_classes(tree_of([path for path in whole if path]))
    level = _level(top, node)
    kinds = node.kinds()
    if kinds:
        inner = {name: _inside(top, name, node.folders[name]) for name in kinds}
        raw = [_in_splits(path, level, kinds, inner) for path in whole]
    elif kinds := _inner_kinds(node):
        raw = [_in_classes(path, level, kinds) for path in whole]
    else:
        raw = [_plain(path, level) for path in whole]
    _label(raw, paths, labels, layout)
    _settle(raw, kinds, layout)
    names = class_names({place.label for place in raw if isinstance(place, Place)})
    texts = {old: unicodedata.normalize("NFC", old) for old in sorted(names)}
    layout.renamed = {old: names[old] for old, text in texts.items() if text != names[old]}
    for text, count in Counter(texts.values()).items():
        if count > 1:
            layout.notes.append(
                Wording(
                    "layout.same_names",
                    '{count} folders whose names all read "{name}" are one class',
                    count=count,
                    name=shown_name(text),
                )
            )
    layout.places = [
        place if isinstance(place, str) else Place(place.split, names[place.label]) for place in raw
    ]
    return layout


class _Level(NamedTuple):
    """The folder whose folders are the classes."""

    way: tuple[str, ...]
    strays: bool
    """Whether pictures directly in it belong nowhere."""
    unnamed: str
    """The class of such pictures, if they belong somewhere."""


def _level(way: tuple[str, ...], folder: Folder) -> _Level:
    named = bool(way) and not folder.folders
    strays = bool(folder.folders) and folder.few_files()
    return _Level(way, strays, way[-1] if named else UNNAMED)


def _without_parts(paths: Sequence[Sequence[str]], layout: Layout) -> Sequence[Sequence[str]]:
    """Return the paths without the level of folders that differ in their numbers only, if any.

    A large set may come in parts ("part1/cats", "part2/cats"): the same folders are in each.
    """
    way, node = way_to_classes(tree_of([path for path in paths if path]))
    names, folders = list(node.folders), node.folders.values()
    words = {re.sub(r"[\d\W_]+", "", name.casefold()) for name in names}
    inside = {tuple(sorted(folder.folders)) for folder in folders}
    if len(names) < 2 or len(words) > 1 or len(inside) > 1 or len(next(iter(inside))) < 2:
        return paths
    if any(folder.files for folder in folders):
        return paths
    layout.notes.append(
        Wording(
            "layout.one_set",
            "{folders} are one set",
            folders=_listed([shown_name(name) for name in sorted(names)]),
        )
    )
    level = len(way)
    return [
        [*path[:level], *path[level + 1 :]]
        if len(path) > level + 1 and tuple(path[:level]) == way
        else path
        for path in paths
    ]


def _inner_kinds(node: Folder) -> dict[str, str]:
    """Return the splits inside each class, by the names of their folders."""
    names = {name for folder in node.folders.values() for name in folder.folders}
    splits = {name: cut[0] for name in names if (cut := split_of(name)) and not cut[1]}
    everywhere = all(
        folder.folders and folder.few_files() and folder.folders.keys() <= splits.keys()
        for folder in node.folders.values()
    )
    return splits if everywhere and {"train"} < set(splits.values()) else {}


def _inside(top: tuple[str, ...], name: str, split: Folder) -> _Level:
    """Return where the classes are inside the folder of a split."""
    way = (*top, name)
    # "training_set/training_set/cats" is how some archives are packed.
    while split.is_chain() and split_of(split.only()[0]):
        name, split = split.only()
        way = (*way, name)
    below, split = way_to_classes(split)
    return _level((*way, *below), split)._replace(unnamed=top[-1] if top else UNNAMED)


def _plain(path: Sequence[str], level: _Level) -> Place | str:
    if not path:
        return Place(None, UNNAMED)
    depth = len(level.way)
    if tuple(path[:depth]) != level.way or len(path) <= depth:
        return STRAY  # beside an outer folder
    if len(path) == depth + 1:
        return STRAY if level.strays else Place(None, level.unnamed)
    return Place(None, path[depth])


def _in_classes(path: Sequence[str], level: _Level, kinds: Mapping[str, str]) -> Place | str:
    place = _plain(path, level)
    if not path or isinstance(place, str):
        return place
    depth = len(level.way)
    return Place(kinds.get(path[depth + 1]), place.label) if len(path) > depth + 2 else STRAY


def _in_splits(
    path: Sequence[str], level: _Level, kinds: Mapping[str, str], inner: Mapping[str, _Level]
) -> Place | str:
    if not path:
        return Place("train", UNNAMED)
    depth = len(level.way)
    inside = len(path) > depth + 1 and tuple(path[:depth]) == level.way
    if not inside or path[depth] not in kinds:
        return Wording(
            "layout.beside",
            "it lies beside the folders {folders}",
            folders=_listed([shown_name(name) for name in sorted(kinds)]),
        )
    place = _plain(path, inner[path[depth]])
    return place if isinstance(place, str) else Place(kinds[path[depth]], place.label)


def _label(
    raw: list[Place | str],
    paths: Sequence[Sequence[str]],
    labels: Collection[Labels],
    layout: Layout,
) -> None:
    """Let the first usable label file tell the classes, where it may."""
    told = {place.label for place in raw if isinstance(place, Place)}
    for table in labels:
        if table.problem:
            layout.notes.append(
                Wording(
                    "layout.aside",
                    "{file} was left aside: {problem}",
                    file=shown_name(table.name),
                    problem=table.problem,
                )
            )
            continue
        if not table.decides and len(told) > 1:
            layout.notes.append(
                Wording(
                    "layout.folders_tell",
                    "{file} was left aside, because the folders tell the classes",
                    file=shown_name(table.name),
                )
            )
            continue
        classes = [table.label_of(path) for path in paths]
        named = sum(label is not None for label in classes)
        if not named:
            layout.notes.append(
                Wording(
                    "layout.names_none",
                    "{file} was left aside: it names no picture",
                    file=shown_name(table.name),
                )
            )
            continue
        for place, label in enumerate(classes):
            old = raw[place]
            split = old.split if isinstance(old, Place) else None
            unknown = Wording(
                "layout.no_class", "{file} tells no class for it", file=shown_name(table.name)
            )
            raw[place] = unknown if label is None else Place(split, label)
        layout.notes.append(
            Wording("layout.as_told", "classes as {file} tells them", file=shown_name(table.name))
        )
        return


def _settle(raw: list[Place | str], kinds: Mapping[str, str], layout: Layout) -> None:
    """Make two splits out of up to three, with only those classes that can be learned."""
    if not kinds:
        return
    learned = {p.label for p in raw if isinstance(p, Place) and p.split == "train"}
    if not learned:
        for place, old in enumerate(raw):
            raw[place] = old if isinstance(old, str) else Place(None, old.label)
        layout.notes.append(
            Wording("layout.divided", "no folder of pictures to train on, so all are divided anew")
        )
        return
    spelling: dict[str, list[str]] = {}
    for label in sorted(learned):
        spelling.setdefault(_folded(label), []).append(label)
    used: Counter[str] = Counter()
    for place, old in enumerate(raw):
        if isinstance(old, str):
            continue
        same = spelling.get(_folded(old.label), [])
        if old.label in learned:
            same = [old.label]
        if len(same) != 1:
            raw[place] = Wording(
                "layout.unlearned",
                "the pictures to train on have no class {label}",
                label=shown_name(old.label),
            )
            continue
        split = old.split or "train"
        raw[place] = Place(split, same[0])
        used[split] += 1
    both = used["test"] and used["val"]
    rule = {"train": "train", "test": "test", "val": "train" if both else "test"}
    for place, old in enumerate(raw):
        if isinstance(old, Place):
            tested = used["test"] or used["val"]
            raw[place] = Place(rule[old.split or "train"] if tested else None, old.label)
    shown = [
        shown_name(name)
        for name in sorted(kinds, key=lambda name: (list(SPLIT_WORDS).index(kinds[name]), name))
        if used[kinds[name]]
    ]
    if len(shown) > 1:
        splits = _listed(shown)
        note = Wording("layout.splits", "splits {splits} understood", splits=splits)
        if used["val"] and not used["test"]:
            note = Wording(
                "layout.splits_val_tests",
                "splits {splits} understood (val is for testing)",
                splits=splits,
            )
        elif both:
            note = Wording(
                "layout.splits_val_trains",
                "splits {splits} understood (val is trained on, too)",
                splits=splits,
            )
        layout.notes.append(note)


def _folded(label: str) -> str:
    return unicodedata.normalize("NFC", label).casefold()


def _listed(words: Sequence[str]) -> str:
    text = f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)
    if len(text) > _LONGEST_LIST:
        return text[: _LONGEST_LIST - 1] + "…"
    if len(words) < 2:
        return text
    return Wording("layout.and", "{first} and {last}", first=list(words[:-1]), last=words[-1])
