"""A race on the page: plain functions, no Gradio.

Several runs that differ in one setting are queued like any others; here they lie side by side.
"""

import functools
import json
from pathlib import Path
from typing import Any

from genimg.jobs.races import RESULTS, Race, races
from genimg.training.presets import PRESETS
from genimg.training.spec import RunConfig
from genimg.training.variants import MOST, variables
from genimg.ui.texts import named, say
from genimg.ui.training import form
from genimg.ui.training.handlers import TrainHandlers, refusals, sentence
from genimg.ui.training.run_handlers import RunHandlers
from genimg.ui.training.run_history import metric_words

FIRST_PRESET = "fashion-mlp"
"""The one that shows most in a few minutes."""
FIRST_MINUTES = 2
_LONGEST = 40  # characters of a value
_MEASURED = ("objectives", "optimizers")
# Each has a chart of its own, with one line a run.
_CHARTS = (
    *("frechet_distance_500", "random_distance", "diversity", "accuracy", "validation_loss"),
    *("loss", "generator_loss", "discriminator_loss", "images_per_second"),
)


class RaceHandlers:
    """The functions behind the race.

    Args:
        form: checks what is asked for, and tells who asks.
        runs: reads the runs.
    """

    def __init__(self, form: TrainHandlers, runs: RunHandlers) -> None:
        self.form, self.runs = form, runs

    def first(self) -> dict[str, Any]:
        """Return what the panel shows before it asked for anything."""
        return {
            "presets": [{"name": name, "title": title} for title, name in self.form.presets()],
            "choice": self.choice({"preset": FIRST_PRESET}),
            "minutes": FIRST_MINUTES,
            "devices": ["auto", *(device.name for device in self.form.engines())],
            "most": MOST,
            "charts": [_described(name) for name in _CHARTS],
            "results": [_described(name) for name in RESULTS],
            "measured": [_measured(name) for name in _MEASURED],
            "answer": self.poll({}),
        }

    def choice(self, request: Any) -> dict[str, Any]:
        """Return {"preset", "variables": of each "name", "label", "names", "usual"}, or {"error"}.

        Args:
            request: {"preset"}, as it came from the browser.
        """
        preset = request.get("preset") if isinstance(request, dict) else None
        try:
            known = variables(form.checked_preset(preset))
        except ValueError as error:
            return {"error": sentence(error)}
        return {
            "preset": preset,
            "variables": [
                {
                    "name": variable.name,
                    "label": form.label_of(variable.name),
                    "names": list(variable.names),
                    "usual": variable.usual,
                }
                for variable in known.values()
            ],
        }

    def start(self, request: Any, account: str = "") -> dict[str, str]:
        """Queue the runs of a race, all or none; return {"race"}, its id, or {"error"}.

        Args:
            account: see `Identity.of`.
            request: {"who", "preset", "setting", "values", "length", "amount", "seed", "device",
                "intent"}; the same intent is one race.
        """
        request = request if isinstance(request, dict) else {}
        preset, intent = request.get("preset"), request.get("intent")
        setting, values = request.get("setting"), request.get("values")
        device = request.get("device", "auto")
        try:
            with refusals():
                if not isinstance(setting, str) or not isinstance(values, list):
                    raise ValueError(say("training.race.choose"))
                if len(values) > 2 * MOST or not all(isinstance(value, str) for value in values):
                    raise ValueError(say("training.race.count", most=MOST))
                settings = self.form.settings(
                    preset,
                    self.form.dataset_for(preset, RunConfig().dataset),
                    request.get("length"),
                    request.get("amount"),
                    {"changes": {"seed": request.get("seed"), "device": device}},
                )
                race = self.form.manager.race(
                    str(preset),
                    setting[:_LONGEST],
                    [value[:_LONGEST] for value in values] or [""],
                    visitor=self.form.visitor(request.get("who"), account),
                    token=intent[:80] if isinstance(intent, str) and intent else None,
                    **settings,
                )
        except ValueError as error:
            return {"error": sentence(error)}
        return {"race": race}

    def poll(self, request: Any, account: str = "") -> dict[str, Any]:
        """Answer the question of a browser, which comes about once a second.

        Args:
            account: see `Identity.of`.
            request: {"who"; "race", an id or missing; "cursors", by job's id}.

        Returns:
            "races", of each "id" and "title", the newest first; "race", the one that is asked for
            or None; and what `RunHandlers.side_by_side` tells of it.
        """
        request = request if isinstance(request, dict) else {}
        known = races(seen.job for seen in self.runs.manager.snapshot())
        found = next((race for race in known if race.id == request.get("race")), None)
        answer: dict[str, Any] = {
            "races": [{"id": race.id, "title": _title(race)} for race in known],
            "race": found.id if found else None,
        }
        if found is None:
            return answer | {"runs": [], "curves": {}, "busy": False}
        visitor = self.form.identity.of(request.get("who"), account)
        return answer | self.runs.side_by_side(found, visitor, request.get("cursors"))


def _title(race: Race) -> str:
    """Return what a race is called in the list."""
    first = race.jobs[0]
    preset = PRESETS[first.preset].title if first.preset in PRESETS else first.preset
    return say(
        "training.race.title",
        setting=form.label_of(race.setting), model=preset.partition(":")[0],
        count=len(race.jobs), owner=first.owner,
    )  # fmt: skip


def _described(name: str) -> dict[str, str]:
    return {"name": name, **metric_words(name)}


@functools.cache
def _measured(name: str) -> dict[str, Any]:
    """Return the tables that `benchmarks/NAME.py` wrote."""
    path = Path(__file__).parent / "static" / f"{name}.json"
    found = json.loads(path.read_text(encoding="utf-8"))
    tables = [
        {
            "title": named("measured", table["title"]),
            "note": named("measured", table["note"]),
            "head": [named("measured", cell) for cell in table["head"]],
            "rows": [[_cell(cell) for cell in row] for row in table["rows"]],
        }
        for table in found["tables"]
    ]
    machine, _, details = found["machine"].partition(" (")
    kind, _, torch = details.partition("), ")
    return found | {
        "title": named("measured", found["title"]),
        "machine": say(
            "training.race.machine", machine=named("measured", machine), kind=kind, torch=torch
        ),
        "tables": tables,
    }


def _cell(text: str) -> str:
    number, is_share, _ = text.partition(" %")
    return say("number.percent", number=number) if is_share else named("measured", text)
