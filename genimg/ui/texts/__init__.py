"""The words of the page, in both languages: one home for every sentence that somebody reads.

They are in `en/*.json` and `zh/*.json`, by keys that say what they mean; Python and the browser
read the same files. The server knows no visitor's language. It sends keys and arguments, and the
browser words them (`static/words.js`), so that a switch of language needs no new answer. English
goes along, for whoever reads without the page.

Words and what they are about travel as a `Wording`, a text that reads in English:

- `say` makes one, and `named` one of a class, an attribute, a model or a data set;
- `sent` turns it into JSON for a script, `span`, `attribute` and `toast` into HTML;
- `label` is for what Gradio writes itself.
"""

import html
import json
from collections.abc import Iterable, Mapping
from functools import cache, reduce
from numbers import Integral
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.i18n import I18nData

from genimg.wording import Wording

LANGUAGES = {"en": "en", "zh": "zh-CN"}
"""The folders of the catalogs, and what Gradio calls these languages: not "zh", which would leave
its own words English."""

Words = str | Mapping[str, str]
"""A text, or of a text that counts something {"one": ..., "other": ...}."""


@cache
def catalog(language: str) -> dict[str, Words]:
    """Return all words of a language, "en" or "zh", by key."""
    words: dict[str, Words] = {}
    for path in sorted((Path(__file__).parent / language).glob("*.json")):
        words |= json.loads(path.read_text(encoding="utf-8"))
    return words


def translations() -> gr.I18n:
    """Return both catalogs for `launch`, which sends them to the browser."""
    words: dict[str, Any] = {name: catalog(language) for language, name in LANGUAGES.items()}
    return gr.I18n(**words)


def say(key: str, /, **arguments: Any) -> Wording:
    """Return words of the page.

    Args:
        key: of the catalogs.
        arguments: of the placeholders: a number, which is written as the language writes numbers;
            a text, which stays as it is; or another of those of a `Wording`. `count` chooses
            between one and several.

    Raises:
        KeyError: there are no such words, or an argument is missing.
    """
    words = catalog("en")[key]
    if isinstance(words, Mapping):
        words = words["one" if arguments["count"] == 1 else "other"]
    return Wording(key, words, **arguments)


def beside(parts: Iterable[str]) -> str:
    """Return words side by side, with points between them; '' of none."""
    return reduce(lambda one, other: say("frame.beside", one=one, other=other), list(parts) or [""])


def named(kind: str, name: str, english: str = "") -> str:
    """Return what the page calls something that the library or a model names.

    Only its Chinese is in the catalogs: English is what the library says.

    Args:
        kind: "class", "attribute", "value", "model", "dataset" or "metric".
        name: as the library has it.
        english: what it is called in English, where that is not its name.

    Returns:
        A `Wording`, or plain English for a name that the catalogs do not know.
    """
    key = f"{kind}.{name}"
    return Wording(key, "{name}", name=english or name) if key in catalog("zh") else english or name


def class_name(name: str) -> str:
    """Return what the page calls a class, which may be a value of an attribute."""
    return named("class" if f"class.{name}" in catalog("zh") else "value", name)


def sent(words: str) -> str | dict[str, Any]:
    """Return words as a script takes them: {"say": key, ...} for its `put`, or plain text."""
    if not isinstance(words, Wording):
        return words
    said = {"say": words.key, **{name: _sent(each) for name, each in words.arguments.items()}}
    # Of what the library says the page has no English words, nor of what got a capital.
    known = words.key in catalog("en") and words == say(words.key, **words.arguments)
    return said if known else said | {"english": str(words)}


def choices(entries: Iterable[tuple[str, Any]]) -> list[tuple[Any, Any]]:
    """Return (what to show, value) of each entry of a list to choose from, as a script takes it."""
    return [(sent(words), value) for words, value in entries]


def label(key: str) -> I18nData:
    """Return words without arguments for Gradio's own components; KeyError if there are none."""
    if not isinstance(catalog("en")[key], str):
        raise KeyError(key)
    return I18nData(key)


def span(words: str) -> str:
    """Return HTML: the words, which the browser says in its language."""
    said = _mark(words)
    return f'<span data-say="{said}">{html.escape(words)}</span>' if said else html.escape(words)


def attribute(name: str, words: str) -> str:
    """Return HTML: an attribute of an element, such as "alt", likewise."""
    said, plain = _mark(words), f'{name}="{html.escape(words)}"'
    return f'{plain} data-say-{name}="{said}"' if said else plain


def toast(words: str) -> str:
    """Return HTML, likewise, for Gradio's messages, which lose `data-` attributes."""
    return span(words).replace("<span data-say=", '<span class="said" label=', 1)


def _mark(words: str) -> str:
    said = sent(words)
    return "" if isinstance(said, str) else html.escape(json.dumps(said, ensure_ascii=False))


def _sent(argument: Any) -> Any:
    if isinstance(argument, (list, tuple)):
        return [_sent(each) for each in argument]
    if isinstance(argument, Integral):  # NumPy's are no JSON
        return int(argument)
    return sent(argument) if isinstance(argument, str) else argument
