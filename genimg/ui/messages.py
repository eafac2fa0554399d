"""How a ValueError of a handler reaches the visitor: as one sentence, never as a stack trace."""

import functools
from collections.abc import Callable
from typing import Any

import gradio as gr

from genimg.data import FOLDER_PREFIX, MEMORY_PREFIX
from genimg.ui import texts
from genimg.wording import Wording, wording_of


def sentence(error: object) -> str:
    """Return a message with a capital and a full stop, as the page says it.

    It is a `Wording` if the message is one, and plain English else.
    """
    words = wording_of(error)
    text = words[:1].upper() + words[1:] + ("" if words.endswith((".", "?", "!")) else ".")
    return words.reading(text) if isinstance(words, Wording) else text


def dataset_words(name: str) -> str:
    """Return what a data set is called on the page: never by its path on this machine."""
    own = name.startswith((FOLDER_PREFIX, MEMORY_PREFIX))
    return texts.say("frame.own_pictures") if own else texts.named("dataset", name)


def warn(error: ValueError) -> None:
    """Show its sentence as a warning; for events in the queue."""
    gr.Warning(texts.toast(sentence(error)))


def as_warning(handler: Callable) -> Callable:
    """Show the sentence as a warning and leave the page as it is; for events in the queue."""

    @functools.wraps(handler)
    def wrapped(*values: Any) -> Any:
        try:
            return handler(*values)
        except ValueError as error:
            warn(error)
            return gr.skip()

    return wrapped


def silently(handler: Callable) -> Callable:
    """Leave the page as it is; for events outside the queue, which cannot show a warning.

    Their controls are bounded, and the page lets no other number out of a field.
    """

    @functools.wraps(handler)
    def wrapped(*values: Any) -> Any:
        try:
            return handler(*values)
        except ValueError:
            return gr.skip()

    return wrapped


def as_error(handler: Callable) -> Callable:
    """Answer a call of the API with the sentence."""

    @functools.wraps(handler)
    def wrapped(*values: Any, **named: Any) -> Any:
        try:
            return handler(*values, **named)
        except ValueError as error:
            raise gr.Error(str(error), print_exception=False) from None

    return wrapped
