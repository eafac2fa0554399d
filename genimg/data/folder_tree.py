"""A collection of files as a tree of folders, and which names of folders mean a split.

Only counts are kept: how many pictures lie in a folder, and how many below it. By them
`genimg.data.layout` tells classes from outer folders and splits.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

SUFFIXES = (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp")
"""How names of pictures usually end; only its content tells what a file is."""
_OTHER_PICTURES = (".gif", ".bmp", ".tif", ".tiff", ".heic", ".avif")
_DEEPEST = 16  # no classes are looked for below

SPLIT_WORDS = {
    "train": ("train", "training", "trn", "训练", "訓練"),
    "val": ("val", "valid", "validation", "validate", "dev", "验证", "驗證"),
    "test": ("test", "testing", "tst", "eval", "evaluation", "holdout", "测试", "測試"),
}
_GENERIC = "set|sets|data|dataset|images?|imgs?|pics?|pictures|photos|split|folder|samples|集|\\d+"
_SPLIT_WORD = {
    kind: re.compile(f"(?:{'|'.join(words)})(?:{_GENERIC})?") for kind, words in SPLIT_WORDS.items()
}
_IS_GENERIC = re.compile(_GENERIC)


@dataclass(eq=False)
class Folder:
    """What lies in one folder."""

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
        """Return the folders that are splits, with their kinds; {} if they make up no such set."""
        groups: dict[tuple[str, ...], dict[str, str]] = {}
        for name in self.folders:
            if cut := split_of(name):
                groups.setdefault(cut[1], {})[name] = cut[0]
        # "seg_train" beside "seg_test" counts; a "train" on its own falls under another rule.
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


def tree_of(paths: Sequence[Sequence[str]]) -> Folder:
    """Return the outermost folder of some files, each given by its folders and its name.

    Only files with the name of a picture count, unless there are none.
    """
    usual = (*SUFFIXES, *_OTHER_PICTURES)
    pictures = [path for path in paths if path[-1].lower().endswith(usual)] or paths
    root = Folder()
    for path in pictures:
        folder = root
        folder.total += 1
        for part in path[:-1][:_DEEPEST]:
            folder = folder.folders.setdefault(part, Folder())
            folder.total += 1
        folder.files += 1
    return root


def split_of(name: str) -> tuple[str, tuple[str, ...]] | None:
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


def way_to_classes(folder: Folder) -> tuple[tuple[str, ...], Folder]:
    """Return the folder that holds the classes or splits, and the way to it."""
    way: tuple[str, ...] = ()
    found = (way, folder)
    while folder.is_chain() and not folder.kinds():
        name, folder = folder.only()
        way = (*way, name)
        if len(folder.folders) > 1 and (folder.kinds() or folder.few_files()):
            return way, folder
        if split_of(name) and folder.folders and not folder.files:
            found = way, folder  # a folder "train" on its own is looked through
    return found
