"""The components of the Compare tab."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from genimg.ui.components import component

STATIC = Path(__file__).parent / "static"


def quiz(value: dict[str, Any], *, name: str, ask: Callable, answer: Callable) -> gr.HTML:
    """Return the blind question.

    Args:
        value: {"gan", "drawer", "label", "query"}: what it asks about, and the address of the view.
        ask, answer: those of a `Quiz`.
    """

    def ask_next(request: Any) -> dict[str, Any]:
        return ask(request)

    def answer_it(request: Any) -> dict[str, Any]:
        return answer(request)

    functions = [ask_next, answer_it]
    return component(
        STATIC, "quiz", ["helpers.js", "quiz.js"], value, name=name, server_functions=functions
    )
