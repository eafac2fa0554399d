"""English text that knows what it is made of, so that the page can say it in another language.

A sentence of the library is text like any other: it goes into an exception, a report or a
terminal. Where somebody reads it on the page, `genimg.ui.texts` finds its key and its arguments,
and the browser words them anew.
"""

from collections.abc import Mapping
from typing import Any, Self


class Wording(str):
    """A text with the key and the arguments of its words.

    Attributes:
        key: of its words in the catalogs of the page.
        arguments: of its placeholders, by name: texts, numbers, other wordings, lists of these, or
            {"compact": a large number}, of which the page says about how many millions it is.
    """

    key: str
    arguments: Mapping[str, Any]

    def __new__(cls, key: str, template: str, /, **arguments: Any) -> Self:
        """Return a template, which has a `{name}` for each argument, with the arguments in it."""
        filled = template.format_map({name: _english(each) for name, each in arguments.items()})
        return cls._made(filled, key, arguments)

    @classmethod
    def _made(cls, english: str, key: str, arguments: Mapping[str, Any]) -> Self:
        made = super().__new__(cls, english)
        made.key, made.arguments = key, arguments
        return made

    def reading(self, english: str) -> Self:
        """Return the same words that read otherwise in English, such as with a capital."""
        return self._made(english, self.key, self.arguments)

    def __reduce__(self) -> tuple[Any, ...]:
        # An exception carries it from one process to another.
        return self._made, (str(self), self.key, self.arguments)


def wording_of(error: object) -> str:
    """Return what an exception says, a `Wording` where it was raised with one; else its text."""
    if isinstance(error, BaseException) and len(error.args) == 1:
        error = error.args[0]
    return error if isinstance(error, str) else str(error)


def _english(argument: Any) -> str:
    if isinstance(argument, (list, tuple)):
        return ", ".join(map(_english, argument))
    if isinstance(argument, Mapping):
        return f"{argument['compact'] / 1e6:.1f} million"
    return str(argument)
