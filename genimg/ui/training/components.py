"""The components of the Training tab."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from genimg.ui.components import component
from genimg.ui.signing_in import SigningIn
from genimg.ui.texts import sent
from genimg.ui.training.race_handlers import RaceHandlers
from genimg.ui.training.run_handlers import RunHandlers

STATIC = Path(__file__).parent / "static"


def told(value: Any) -> Any:
    """Return a value as scripts take it, with all words in it as `genimg.ui.texts.sent` does."""
    if isinstance(value, dict):
        return {name: told(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        numbers = bool(value) and isinstance(value[0], (int, float))  # long curves have no words
        return value if numbers else [told(each) for each in value]
    return sent(value) if isinstance(value, str) else value


def telling(handler: Callable[..., Any]) -> Callable[..., Any]:
    """Return a handler whose result is as scripts take it."""

    @functools.wraps(handler)
    def wrapped(*values: Any) -> Any:
        return told(handler(*values))

    return wrapped


def who(value: dict[str, Any]) -> gr.HTML:
    """Return the fields for a nickname and the teacher's token; see `Identity.of`."""
    return component(STATIC, "who", ["who.js"], value, name="who")


def settings(value: dict[str, Any]) -> gr.HTML:
    """Return the generated form; its event `changed` follows every change.

    Args:
        value: of `TrainHandlers.advanced`.
    """
    return component(STATIC, "settings", ["settings.js"], told(value), name="settings")


def estimate(value: dict[str, Any]) -> gr.HTML:
    """Return the line that says what a run will need.

    Its event `mend` carries {"tokenizer"} of the value's remedy; see `Tokenizers.way_out`.
    """
    return component(STATIC, "estimate", ["estimate.js"], told(value), name="estimate")


def upload_report() -> gr.HTML:
    """Return what becomes of uploaded pictures; nothing at first.

    Its event `forget` carries {"own"}, the choice whose pictures are to be deleted.
    """
    return component(STATIC, "upload_report", ["upload_report.js"], None, name="upload-report")


def runs(value: dict[str, Any], handlers: RunHandlers, signing_in: SigningIn) -> gr.HTML:
    """Return all runs with the selected one.

    Its events `copy` and `open_model` carry {"run"}, a job's id, and the latter {"use"} of `SHOWN`.

    Args:
        value: of `RunHandlers.first`.
        signing_in: knows who asks.
    """

    def poll(account: str, request: Any) -> dict[str, Any]:
        return told(handlers.poll(request, account))

    def act(account: str, request: Any) -> dict[str, Any]:
        return told(handlers.act(request, account))

    def sheet(request: Any) -> dict[str, Any]:
        return told(handlers.sheet(request))

    def film(request: Any) -> dict[str, Any]:
        return told(handlers.film(request))

    scripts = ["helpers.js", "curves.js", "sheets.js", "runs.js"]
    functions = [signing_in.told(poll), signing_in.told(act), sheet, film]
    return component(STATIC, "runs", scripts, told(value), name="runs", server_functions=functions)


def race(value: dict[str, Any], handlers: RaceHandlers, signing_in: SigningIn) -> gr.HTML:
    """Return the form of a race, and its runs side by side.

    Args:
        value: of `RaceHandlers.first`.
        signing_in: knows who asks.
    """

    def choice(request: Any) -> dict[str, Any]:
        return told(handlers.choice(request))

    def start(account: str, request: Any) -> dict[str, Any]:
        return told(handlers.start(request, account))

    def poll(account: str, request: Any) -> dict[str, Any]:
        return told(handlers.poll(request, account))

    def sheet(request: Any) -> dict[str, Any]:
        return told(handlers.runs.sheet(request))

    scripts = ["helpers.js", "curves.js", "race.js"]
    functions = [choice, signing_in.told(start), signing_in.told(poll), sheet]
    return component(STATIC, "race", scripts, told(value), name="race", server_functions=functions)
