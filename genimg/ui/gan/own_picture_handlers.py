"""Find my picture: how a picture is searched for in a generator's space. No Gradio."""

import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from genimg.explore import GanModel
from genimg.explore.codes import text_of
from genimg.explore.inversion import STEPS, Search
from genimg.explore.local_data import pictures_here
from genimg.render import data_uri
from genimg.ui import pad
from genimg.ui.gan.view import GanView
from genimg.ui.model_shelf import ModelShelf
from genimg.ui.pad import PadPicture
from genimg.ui.texts import say, sent

SECONDS = {32: 10.0, 64: 30.0}
"""The longest that a search takes, for pictures up to so many pixels a side."""
_TOLD_EVERY = 0.25  # seconds
_ASIDE = 0.001  # seconds between two steps, in which others get the model
_COMPARED = ("generated", "training", "noise")  # the ends of the keys of their words
_COMPARING_SECONDS = 60.0


class OwnPictureHandlers:
    """The functions behind "Your picture".

    Every method checks every argument and raises ValueError with one sentence.
    """

    def __init__(self, shelf: ModelShelf[GanModel]) -> None:
        self.shelf = shelf
        self._usual: dict[str, dict[str, float]] = {}
        shelf.when_reloaded(self._usual.clear)

    def first_pad(self, checkpoint: str) -> dict[str, Any]:
        """Return what the pad shows for a model before anyone touched it."""
        with self.shelf.use(checkpoint) as model:
            return pad.first_value(model, checkpoint)

    def pad_for(self, checkpoint: str, value: Any) -> dict[str, Any]:
        """Return what the pad shows for another model: the same picture, where it fits."""
        new = self.first_pad(checkpoint)
        with self.shelf.use(checkpoint) as model:
            try:
                same = PadPicture.checked(model, value)
            except ValueError:
                return new
        return (
            new
            | {name: value.get(name) for name in ("pixels", "caption")}
            | {"number": same.number}
        )

    def pick(self, request: Any) -> dict[str, Any]:
        """Answer the pad's question for a test picture; see `genimg.ui.pad.pick`."""
        return pad.pick(self.shelf, request)

    def find(self, checkpoint: Any, seed: Any, pad_value: Any) -> Iterator[dict[str, Any]]:
        """Search for a picture; tell four times a second what has been found so far.

        Whoever asks for no more has stopped it. Between two steps others get the model.

        Yields:
            {"state": "searching" or "found", "step", "steps"}; after the first "src" and "error",
            too; and in the last "complete", and what `view` takes: "checkpoint", "seed", "label",
            "code".
        """
        begun = time.monotonic()
        with self.shelf.use(checkpoint) as model:
            GanView.checked(model, checkpoint, seed=seed, label=first_class(model), truncation=1)
            picture = PadPicture.checked(model, pad_value).pixels
        yield {"state": "searching", "step": 0, "steps": STEPS}
        with self.shelf.use(checkpoint) as model:
            search = model.search(picture[None], seed=int(seed))
            classes = model.classes
            seconds = next(
                (limit for side, limit in SECONDS.items() if model.config.size <= side),
                SECONDS[max(SECONDS)],
            )
        for _ in self._steps(checkpoint, search, begun + seconds):
            so_far = search.progress()
            yield {
                "state": "searching",
                "src": data_uri(so_far.picture, "png"),
                "step": so_far.step,
                "steps": so_far.steps,
                "error": so_far.error,
            }
        with self.shelf.use(checkpoint):
            found = search.found(0, classes, int(seed))
        yield {
            "state": "found",
            "src": data_uri(found.picture, "png"),
            "step": found.steps,
            "steps": search.steps,
            "error": found.error,
            "complete": found.complete,
            "checkpoint": checkpoint,
            "seed": found.seed,
            "label": found.label,
            "code": text_of(found.code),
        }

    def view(self, found: Any) -> GanView | None:
        """Return the view of what has been found; None as long as nothing has.

        Args:
            found: what `find` told last, as it came back from the browser.
        """
        if not isinstance(found, dict) or found.get("state") != "found":
            return None
        name = found.get("checkpoint", "")
        with self.shelf.use(name) as model:
            return GanView.checked(
                model,
                name,
                seed=found.get("seed"),
                label=found.get("label"),
                truncation=1.0,
                code=found.get("code"),
            )

    def compare(self, found: Any) -> Iterator[dict[str, Any]]:
        """Measure how near the same search comes to other pictures, once for each model.

        Yields:
            `found`, and "compared": words, and the error in grey levels; or, while they are
            measured, "comparing": the share done.
        """
        view = self.view(found)
        if view is None:
            return
        name = view.checkpoint
        if name not in self._usual:
            begun = time.monotonic()
            with self.shelf.use(name) as model:
                targets = _others(model)
                search = model.search(np.stack(list(targets.values())))
                classes = model.classes
            for done in self._steps(name, search, begun + _COMPARING_SECONDS):
                yield found | {"comparing": done}
            with self.shelf.use(name):
                errors = {what: search.found(i, classes, 0).error for i, what in enumerate(targets)}
            if search.done:
                self._usual[name] = errors
        else:
            errors = self._usual[name]
        named = [[sent(say(f"gan.own.other.{what}")), error] for what, error in errors.items()]
        yield found | {"compared": named}

    def _steps(self, checkpoint: str, search: Search, end: float) -> Iterator[float]:
        """Do the steps of a search until `end`, a time; yield now and then the share done."""
        told = 0.0
        while not search.done and time.monotonic() < end:
            with self.shelf.use(checkpoint):
                search.step()
            time.sleep(_ASIDE)
            if time.monotonic() - told >= _TOLD_EVERY:
                told = time.monotonic()
                yield search.step_number / search.steps


def first_class(model: GanModel) -> str | None:
    """Return the name of a model's first class; None without classes."""
    return model.classes[0] if model.classes else None


def _others(model: GanModel) -> dict[str, np.ndarray]:
    """Return pictures uint8 (H, W, C) to compare with, by what they are."""
    config = model.config
    noise = np.random.default_rng(0).integers(
        0, 256, (config.size, config.size, config.channels), np.uint8
    )
    pictures = [model.picture(seed=1, label=first_class(model)), None, noise]
    try:
        real = pictures_here(model.info.get("dataset"), config.size, "train").pictures()[0]
        pictures[1] = real if real.shape == noise.shape else None
    except ValueError:
        pass  # then there is nothing to say of them
    return {
        what: picture
        for what, picture in zip(_COMPARED, pictures, strict=True)
        if picture is not None
    }
