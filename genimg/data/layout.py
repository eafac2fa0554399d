"""Which folder is a class: the one rule for folders and for zip files.

    cats/1.png                  class "cats"
    cats/indoors/2.jpg          class "cats" as well
    set/cats/1.png              outer folders are looked through, a few stray pictures beside the
    set/dogs/2.png              folders of the classes are left out
    train/cats/1.png            folders for training, validation and testing are the splits
    test/cats/2.png
    cats/train/1.png            also inside of each class
    part1/cats/1.png            parts with the same folders, that differ in their numbers only, are
    part2/cats/2.png            one set
    1.png                       class "pictures"

Where there are folders for training, they are the split "train". Those for testing are the split
"test"; validation counts as testing if there is none for testing, else as training. Without them
`genimg.data.folder` divides each class itself. A file of labels beside the pictures
(`genimg.data.labels`) tells the classes where the folders do not.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from genimg.data.file_names import UNNAMED, class_names, shown_name
from genimg.data.labels import Labels

SUFFIXES = (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp")
"""What the name of a picture usually ends in; what it is, its content tells."""
_OTHER_PICTURES = (".gif", ".bmp", ".tif", ".tiff", ".heic", ".avif")
_DEEPEST = 16  # no classes are looked for below
_NAMED_CLASSES, _NAMED_CHANGES, _LONGEST_LIST = 12, 3, 400
STRAY = "it lies beside the folders of the classes"

_WORDS = {
    "train": ("train", "training", "trn", "训练", "訓練"),
    "val": ("val", "valid", "validation", "validate", "dev", "验证", "驗證"),
    "test": ("test", "testing", "tst", "eval", "evaluation", "holdout", "测试", "測試"),
}
_GENERIC = "set|sets|data|dataset|images?|imgs?|pics?|pictures|photos|split|folder|samples|集|\\d+"
_SPLIT_WORD = {
    kind: re.compile(f"(?:{'|'.join(words)})(?:{_GENERIC})?") for kind, words in _WORDS.items()
}
_IS_GENERIC = re.compile(_GENERIC)


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
    """The classes with another name than their folder."""
    notes: list[str] = field(default_factory=list)
    """What else was understood, in words."""

    def found(self, counts: Mapping[str, int]) -> str:
        """Return what was found, in one line that is safe to show.

        Args:
            counts: pictures of each class.
        """
        names = list(counts)
        more = f" and {len(names) - _NAMED_CLASSES} more" if len(names) > _NAMED_CLASSES else ""
        classes = "1 class" if len(names) == 1 else f"{len(names):,} classes"
        parts = [f"found {classes}: {', '.join(names[:_NAMED_CLASSES])}{more}"]
        changes = [(old, new) for old, new in self.renamed.items() if new in counts]
        if changes:
            shown = ", ".join(f'"{shown_name(a)}" is "{b}"' for a, b in changes[:_NAMED_CHANGES])
            etc = ", ..." if len(changes) > _NAMED_CHANGES else ""
            parts.append(f"{len(changes)} renamed ({shown}{etc})")
        return "; ".join([*parts, *self.notes])


@dataclass(eq=False)
class _Folder:
    files: int = 0
    """Pictures directly in it."""
    total: int = 0
    """Pictures in and below it."""
    folders: dict[str, Self] = field(default_factory=dict)

    def few_files(self) -> bool:
        """Return whether the pictures directly in it are strays beside those of its folders."""
        least = min((folder.total for folder in self.folders.values()), default=0)
        return not self.files or self.files < least or self.files * 10 <= self.total

    def kinds(self) -> dict[str, str]:
        """Return the folders that are splits, and which; nothing if they are no such set."""
        groups: dict[tuple[str, ...], dict[str, str]] = {}
        for name in self.folders:
            if cut := _split_of(name):
                groups.setdefault(cut[1], {})[name] = cut[0]
        # "seg_train" beside "seg_test" counts; of a lonely "train" another rule speaks.
        complete = [
            group
            for group in groups.values()
            if len(set(group.values())) > 1
            and ("train" in group.values() or len(group) == len(self.folders))
        ]
        return max(complete, key=len, default={})

    def is_chain(self) -> bool:
        """Return whether it does nothing but hold one folder."""
        return len(self.folders) == 1 and self.few_files()

    def only(self) -> tuple[str, Self]:
        """Return the one folder in it."""
        return next(iter(self.folders.items()))


def arrange(paths: Sequence[Sequence[str]], labels: Collection[Labels] = ()) -> Layout:
    """Return the classes and splits of a collection of files.

    Args:
        paths: the folders and the file of each; empty for one that came by itself, and is of the
            class "pictures". Hidden files and the system's own are left out before. They may come
            in any order and from anybody.
        labels: what files of labels beside them say.
    """
    layout = Layout(places=[])
    whole = _without_parts(paths, layout)
    top, node = _top(whole)
    kinds = node.kinds()
    if kinds:
        raw = [_in_splits(path, top, node, kinds) for path in whole]
    elif inner := _inner_kinds(node):
        raw = [_in_classes(path, top, node, inner) for path in whole]
        kinds = inner
    else:
        raw = [_plain(path, top, node) for path in whole]
    _label(raw, paths, labels, layout)
    _settle(raw, kinds, layout)
    names = class_names({place.label for place in raw if isinstance(place, Place)})
    layout.renamed = {old: new for old, new in sorted(names.items()) if old != new}
    layout.places = [
        place if isinstance(place, str) else Place(place.split, names[place.label]) for place in raw
    ]
    return layout


def _tree(paths: Sequence[Sequence[str]]) -> _Folder:
    usual = (*SUFFIXES, *_OTHER_PICTURES)
    pictures = [path for path in paths if path[-1].lower().endswith(usual)] or paths
    root = _Folder()
    for path in pictures:
        folder = root
        folder.total += 1
        for part in path[:-1][:_DEEPEST]:
            folder = folder.folders.setdefault(part, _Folder())
            folder.total += 1
        folder.files += 1
    return root


def _top(paths: Sequence[Sequence[str]]) -> tuple[tuple[str, ...], _Folder]:
    """Return the folder that holds the classes or splits, and the way to it."""
    root = _tree([path for path in paths if path])
    way = _branching(root, ())
    return way, _at(root, way)


def _without_parts(paths: Sequence[Sequence[str]], layout: Layout) -> Sequence[Sequence[str]]:
    """Return the paths without a level of folders that differ in their numbers only.

    A large set may come in parts ("part1/cats", "part2/cats"): the same folders are in each.
    """
    way, node = _top(paths)
    names, folders = list(node.folders), node.folders.values()
    words = {re.sub(r"[\d\W_]+", "", name.casefold()) for name in names}
    inside = {tuple(sorted(folder.folders)) for folder in folders}
    if len(names) < 2 or len(words) > 1 or len(inside) > 1 or len(next(iter(inside))) < 2:
        return paths
    if any(folder.files for folder in folders):
        return paths
    layout.notes.append(f"{_listed([shown_name(name) for name in sorted(names)])} are one set")
    level = len(way)
    return [
        [*path[:level], *path[level + 1 :]]
        if len(path) > level + 1 and tuple(path[:level]) == way
        else path
        for path in paths
    ]


def _at(folder: _Folder, path: Sequence[str]) -> _Folder:
    for part in path:
        folder = folder.folders[part]
    return folder


def _branching(folder: _Folder, path: tuple[str, ...]) -> tuple[str, ...]:
    """Return the way to the folder that holds the classes or splits, through outer folders."""
    way = path
    while folder.is_chain() and not folder.kinds():
        name, folder = folder.only()
        way = (*way, name)
        if len(folder.folders) > 1 and (folder.kinds() or folder.few_files()):
            return way
        if _split_of(name) and folder.folders and not folder.files:
            path = way  # a lonely folder "train" is none of the classes in it
    return path


def _split_of(name: str) -> tuple[str, tuple[str, ...]] | None:
    """Return which split a folder's name means, and its other words; None if it means none."""
    words = [word for word in re.split(r"[\W_]+", name.casefold()) if word]
    if len(words) > 6:
        return None
    kinds = {
        place: kind
        for place, word in enumerate(words)
        for kind, pattern in _SPLIT_WORD.items()
        if pattern.fullmatch(word)
    }
    if len(kinds) != 1:
        return None
    [(place, kind)] = kinds.items()
    rest = (word for at, word in enumerate(words) if at != place)
    return kind, tuple(word for word in rest if not _IS_GENERIC.fullmatch(word))


def _inner_kinds(node: _Folder) -> dict[str, str]:
    """Return the splits inside of each class, by the names of their folders."""
    names = {name for folder in node.folders.values() for name in folder.folders}
    splits = {name: cut[0] for name in names if (cut := _split_of(name)) and not cut[1]}
    everywhere = all(
        folder.folders and folder.few_files() and folder.folders.keys() <= splits.keys()
        for folder in node.folders.values()
    )
    return splits if everywhere and {"train"} < set(splits.values()) else {}


def _plain(path: Sequence[str], top: tuple[str, ...], node: _Folder) -> Place | str:
    if not path:
        return Place(None, UNNAMED)
    if tuple(path[: len(top)]) != top or len(path) <= len(top):
        return STRAY  # beside an outer folder
    if len(path) == len(top) + 1:
        stray = node.folders and node.few_files()
        return STRAY if stray else Place(None, top[-1] if top and not node.folders else UNNAMED)
    return Place(None, path[len(top)])


def _in_classes(
    path: Sequence[str], top: tuple[str, ...], node: _Folder, inner: Mapping[str, str]
) -> Place | str:
    place = _plain(path, top, node)
    if not path:
        return place
    if isinstance(place, Place) and len(path) > len(top) + 2:
        return Place(inner.get(path[len(top) + 1]), place.label)
    return STRAY


def _in_splits(
    path: Sequence[str], top: tuple[str, ...], node: _Folder, kinds: Mapping[str, str]
) -> Place | str:
    if not path:
        return Place("train", UNNAMED)
    inside = len(path) > len(top) + 1 and tuple(path[: len(top)]) == top
    name = path[len(top)] if inside else ""
    if name not in kinds:
        return f"it lies beside the folders {_listed([shown_name(kind) for kind in sorted(kinds)])}"
    below = (*top, name)
    split = node.folders.get(name)
    if split is None:  # no picture by its name, so it voted for nothing
        return STRAY
    # "training_set/training_set/cats" is how some archives are packed.
    while split.is_chain() and _split_of(split.only()[0]):
        name, split = split.only()
        below = (*below, name)
    way = _branching(split, ())
    place = _plain(path, (*below, *way), _at(split, way))
    if isinstance(place, Place):
        unnamed = len(path) == len(below) + len(way) + 1
        label = (top[-1] if top else UNNAMED) if unnamed else place.label
        return Place(kinds[path[len(top)]], label)
    return place


def _label(
    raw: list[Place | str],
    paths: Sequence[Sequence[str]],
    labels: Collection[Labels],
    layout: Layout,
) -> None:
    """Let files of labels tell the classes, where they may."""
    told = {place.label for place in raw if isinstance(place, Place)}
    for table in labels:
        if table.problem:
            layout.notes.append(f"{shown_name(table.name)} was left aside: {table.problem}")
            continue
        if not table.decides and len(told) > 1:
            layout.notes.append(
                f"{shown_name(table.name)} was left aside, because the folders tell the classes"
            )
            continue
        classes = [table.label_of(path) for path in paths]
        named = sum(label is not None for label in classes)
        if not named:
            layout.notes.append(f"{shown_name(table.name)} was left aside: it names no picture")
            continue
        for place, label in enumerate(classes):
            old = raw[place]
            split = old.split if isinstance(old, Place) else None
            unknown = f"{shown_name(table.name)} tells no class for it"
            raw[place] = unknown if label is None else Place(split, label)
        layout.notes.append(f"classes as {shown_name(table.name)} tells them")
        return


def _settle(raw: list[Place | str], kinds: Mapping[str, str], layout: Layout) -> None:
    """Make two splits of up to three, of classes that can be learned."""
    if not kinds:
        return
    learned = {p.label for p in raw if isinstance(p, Place) and p.split == "train"}
    if not learned:
        for place, old in enumerate(raw):
            raw[place] = old if isinstance(old, str) else Place(None, old.label)
        layout.notes.append("no folder of pictures to train on, so all are divided anew")
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
            raw[place] = f"the pictures to train on have no class {shown_name(old.label)}"
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
        for name in sorted(kinds, key=lambda name: (list(_WORDS).index(kinds[name]), name))
        if used[kinds[name]]
    ]
    if len(shown) > 1:
        use = " (val is trained on, too)" if both else ""
        use = " (val is for testing)" if used["val"] and not used["test"] else use
        layout.notes.append(f"splits {_listed(shown)} understood{use}")


def _folded(label: str) -> str:
    return unicodedata.normalize("NFC", label).casefold()


def _listed(words: Sequence[str]) -> str:
    text = f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)
    return text if len(text) <= _LONGEST_LIST else text[: _LONGEST_LIST - 1] + "…"
