"""Names that strangers gave to files, made safe to show and to use as names of classes."""

import re
import unicodedata

UNNAMED = "pictures"
"""The class of a picture that lies in no folder."""
_LONGEST_SHOWN = 80
_LONGEST_CLASS = 40
_SPECIAL_ON_WINDOWS = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def shown_name(name: str) -> str:
    """Return a name of at most 80 characters, with `\\x1b` for what a terminal or page may obey."""
    escaped = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in name[: 2 * _LONGEST_SHOWN]
    )
    return escaped if len(escaped) <= _LONGEST_SHOWN else escaped[: _LONGEST_SHOWN - 1] + "…"


def class_name(folder: str) -> str:
    """Return a folder's name as the name of a class, which is also a folder's name everywhere.

    Letters, digits and marks of every script stay, and so do spaces and `-_.,+&()'`; everything
    else becomes an underscore. At most 40 characters remain.
    """
    text = "".join(
        character if _is_plain(character) else "_"
        for character in unicodedata.normalize("NFC", folder[: 4 * _LONGEST_CLASS])
    )
    text = text[:_LONGEST_CLASS].strip(" .")  # Windows drops those at the end, Unix hides a dot
    return f"_{text}" if _SPECIAL_ON_WINDOWS.fullmatch(text) else text or UNNAMED


def path_parts(name: str) -> list[str]:
    """Return the folders and the file of a path written with either slash, without `.` and `..`."""
    return [part for part in re.split(r"[/\\]", name) if part.strip(" .")]


def is_hidden(parts: list[str]) -> bool:
    """Return whether a file is the system's own and no picture of anybody's."""
    return any(part.startswith(".") or part == "__MACOSX" for part in parts)


def _is_plain(character: str) -> bool:
    return character in " -_.,+&()'" or unicodedata.category(character)[0] in "LMN"
