"""How a ValueError of a handler reaches the visitor: as one sentence, never as a stack trace."""

import functools
import html
from collections.abc import Callable
from typing import Any

import gradio as gr


def as_warning(handler: Callable) -> Callable:
    """Show the sentence as a warning and leave the page as it is; for events in the queue."""

    @functools.wraps(handler)
    def wrapped(*values: Any) -> Any:
        try:
            return handler(*values)
        except ValueError as error:
            gr.Warning(html.escape(str(error)))
            return gr.skip()

    return wrapped


def silently(handler: Callable) -> Callable:
    """Leave the page as it is; for events outside the queue, which cannot show a warning.

    Their controls are bounded. The one that a visitor can fill wrongly, the seed, has a check of
    its own that warns.
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
