"""Names that strangers gave to files, made safe to show and to use as names of classes."""

import re
import unicodedata
from collections.abc import Collection, Sequence

UNNAMED = "pictures"
"""The class of a picture that lies in no folder."""
_LONGEST_SHOWN = 80
_LONGEST_CLASS = 40
_LONGEST_READ = 4096  # no system allows a longer path
_FORBIDDEN = frozenset('<>:"/\\|?*`')
_SPECIAL_ON_WINDOWS = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[\d¹²³]) *(\..*)?", re.IGNORECASE
)
_OF_SYSTEMS = frozenset(
    {
        # Windows
        *("thumbs.db", "thumbs.db:encryptable", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini"),
        *("$recycle.bin", "system volume information", "zbthumbnail.info", "picasa.ini"),
        *("__macosx", "icon\r"),  # macOS
        *("@eadir", "@tmp", "#recycle", "#snapshot", "@recycle"),  # Synology and QNAP
        *("lost+found", "__pycache__"),
    }
)


def shown_name(name: str) -> str:
    """Return at most 80 characters of a name, what a terminal or a page may obey as `\\x1b`."""
    escaped = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in name[: 2 * _LONGEST_SHOWN]
    )
    return escaped if len(escaped) <= _LONGEST_SHOWN else escaped[: _LONGEST_SHOWN - 1] + "…"


def class_name(folder: str) -> str:
    """Return the name of a folder's class, which is a valid name of a folder on every system.

    Every character that can be printed stays, in any script, unless some system forbids it in
    names: then it becomes an underscore. A name of more than 40 characters loses its middle. Two
    folders may get the same name; see `class_names`.
    """
    text = "".join(
        character if character.isprintable() and character not in _FORBIDDEN else "_"
        for character in unicodedata.normalize("NFC", folder[:_LONGEST_READ])
        if unicodedata.category(character) != "Cf"  # invisible, such as what joins emoji
    )
    text = text.strip(" .")  # Windows drops those at the end, Unix hides a dot
    if _SPECIAL_ON_WINDOWS.fullmatch(text) or is_hidden([text]):
        text = f"_{text}"
    if len(text) > _LONGEST_CLASS:
        end = _LONGEST_CLASS // 2
        text = f"{text[: _LONGEST_CLASS - end - 1]}…{text[-end:]}"
    return text or UNNAMED


def class_names(folders: Collection[str]) -> dict[str, str]:
    """Return the name of its class for each name of a folder; different ones stay different.

    Where two would get the same name, or names that a file system may take for the same ("Cats",
    "cats"), a number in brackets is added. Only the same text in different Unicode forms, which
    nobody can tell apart, is one class.
    """
    names: dict[str, str] = {}  # by the text, in one form
    taken: set[str] = set()
    next_number: dict[str, int] = {}
    # First those that need no change: they keep their names.
    for folder in sorted(set(folders), key=lambda name: (class_name(name) != name, name)):
        text, name = unicodedata.normalize("NFC", folder), class_name(folder)
        if text in names:
            continue
        number = next_number.get(name, 1)
        while _folded(_numbered(name, number)) in taken:
            number += 1
        next_number[name] = number + 1
        names[text] = _numbered(name, number)
        taken.add(_folded(names[text]))
    return {folder: names[unicodedata.normalize("NFC", folder)] for folder in folders}


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name[: _LONGEST_CLASS - 8].strip(' .')} ({number})"


def _folded(name: str) -> str:
    """Return what a file system that ignores case and form may compare."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFD", name).casefold())


def path_parts(name: str) -> list[str]:
    """Return the folders and the file of a path written with either slash, without `.` and `..`."""
    return [part for part in re.split(r"[/\\]", name) if part.strip(" .")]


def is_hidden(parts: Sequence[str]) -> bool:
    """Return whether a file is hidden, or one that a system writes for itself.

    Args:
        parts: the names of its folders and its own.
    """
    return any(
        part.startswith((".", "~$"))
        or part.casefold() in _OF_SYSTEMS
        or part.casefold().endswith(":zone.identifier")
        for part in parts
    )
