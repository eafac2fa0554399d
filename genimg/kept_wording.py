"""Wordings on their way through a file, from one process to another or from one day to the next."""

from typing import Any

from genimg.wording import Wording


def kept(words: str) -> str | dict[str, Any]:
    """Return words as JSON: what `read` takes."""
    if not isinstance(words, Wording):
        return words
    arguments = {
        name: kept(each) if isinstance(each, str) else each
        for name, each in words.arguments.items()
    }
    return {"key": words.key, "english": str(words), "arguments": arguments}


def read(value: Any) -> str:
    """Undo `kept`; anything else that a file may hold is read as plain text."""
    if not isinstance(value, dict) or not isinstance(value.get("key"), str):
        return value if isinstance(value, str) else str(value)
    arguments = value.get("arguments")
    inner = {
        str(name): read(each) if isinstance(each, (str, dict)) else each
        for name, each in (arguments.items() if isinstance(arguments, dict) else ())
    }
    return Wording(value["key"], "", **inner).reading(str(value.get("english", "")))
