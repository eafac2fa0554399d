"""How events are bound: what all those have in common that no visitor waits for."""

from typing import Any

QUIET: dict[str, Any] = {
    "show_progress": "hidden",
    # Told on no component at all. Gradio 6.31 has the browser read every component that an event
    # has ever put out, and all that are inside it, at each step of any event: with the sliders and
    # the tabs among them it clones 51 000 values for one step of a slider instead of 9 600.
    "show_progress_on": [],
    "api_visibility": "private",
}
"""An event that shows no progress, of which the API's page says nothing."""

IN_ORDER: dict[str, Any] = QUIET | {
    "preprocess": False,
    "queue": True,
    # Gradio 6.31 calls an event that has waited for its forerunner ("always_last") with the data
    # of the forerunner, so two quick Undos were one.
    "trigger_mode": "multiple",
}
"""An event that carries data: each is answered, one after the other."""
