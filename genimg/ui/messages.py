"""How a ValueError of a handler reaches the visitor: as one sentence, never as a stack trace."""

import functools
import html
from collections.abc import Callable
from typing import Any

import gradio as gr

from genimg.data import FOLDER_PREFIX, MEMORY_PREFIX


def sentence(error: object) -> str:
    """Return a message with a capital and a full stop, as the page says it."""
    text = str(error)
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")


def dataset_words(name: str) -> str:
    """Return what a data set is called on the page: never by its path on this machine."""
    own = name.startswith((FOLDER_PREFIX, MEMORY_PREFIX))
    return "your own pictures" if own else name


def warn(error: ValueError) -> None:
    """Show its sentence as a warning; for events in the queue."""
    gr.Warning(html.escape(sentence(error)))


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
