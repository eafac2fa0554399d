"""What happens when a control of "Draw in parallel" is used: plain functions, no Gradio.

Shape letters: N tokens of a picture, S steps.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from genimg.checks import require_whole_number
from genimg.explore import MaskedDrawerModel
from genimg.explore.parallel import DEFAULTS
from genimg.render import data_uri
from genimg.render.colors import color_table
from genimg.ui.model_shelf import ModelShelf
from genimg.ui.payload import pack
from genimg.ui.texts import sent, span
from genimg.ui.transformer.drawing_handlers import class_choices, facts_of
from genimg.ui.transformer.drawing_view import ANY_CLASS, LARGEST_SEED
from genimg.ui.transformer.parallel_view import ParallelView
from genimg.ui.transformer.words import no_drawing, no_such_drawing

_CONTROLS = ("steps", "order", "guidance", "noise")
_ARGUMENTS = ("seed", "label", *_CONTROLS)


class ParallelHandlers:
    """The functions behind "Draw in parallel".

    Every method checks every argument and raises ValueError with one sentence.
    """

    def __init__(self, shelf: ModelShelf[MaskedDrawerModel]) -> None:
        self.shelf = shelf
        self._drawn = lru_cache(maxsize=8)(self._draw)
        shelf.when_reloaded(self._drawn.cache_clear)

    def first_view(self) -> ParallelView:
        """Return what is on the screen before anyone touched anything."""
        name = self.shelf.names[0]
        with self.shelf.use(name) as model:
            steps = min(DEFAULTS["steps"], model.prior.num_tokens)
            return ParallelView(checkpoint=name, seed=3, label=model.classes[-1], steps=steps)

    def view(
        self,
        checkpoint: str,
        label: Any,
        seed: Any,
        steps: Any,
        order: Any,
        guidance: Any,
        noise: Any,
    ) -> ParallelView:
        """Return the view of the controls; the label may be ANY_CLASS."""
        with self.shelf.use(checkpoint) as model:
            return ParallelView.checked(
                model,
                checkpoint,
                seed=seed,
                label=None if label == ANY_CLASS else label,
                steps=steps,
                order=order,
                guidance=guidance,
                noise=noise,
            )

    def linked_view(self, query: Mapping[str, str]) -> ParallelView:
        """Return the view of a link."""
        name = self.shelf.named(query.get("parallel", ""))
        with self.shelf.use(name) as model:
            return ParallelView.from_query(model, {**query, "parallel": name})

    def linked_controls(self, query: Mapping[str, str]) -> ParallelView:
        """Return the view of a link whose controls have moved on since it was drawn."""
        moved = {
            f"parallel_{name}": query[f"parallel_next_{name}"]
            for name in _CONTROLS
            if f"parallel_next_{name}" in query
        }
        return self.linked_view({**query, **moved})

    def view_in(self, checkpoint: str, label: Any, seed: Any) -> ParallelView:
        """Return the first view of a model: the seed and, where it has it, the class stay."""
        require_whole_number("the seed", seed, 0, LARGEST_SEED)
        with self.shelf.use(checkpoint) as model:
            known = label if label in model.classes else None
            steps = min(DEFAULTS["steps"], model.prior.num_tokens)
        return ParallelView(checkpoint=checkpoint, seed=seed, label=known, steps=steps)

    def controls(self, view: ParallelView) -> dict[str, dict[str, Any]]:
        """Return what each control must show for a view: its value, choices and range."""
        with self.shelf.use(view.checkpoint) as model:
            classes, tokens, facts = model.classes, model.prior.num_tokens, facts_of(model)
        return {
            "checkpoint": {"value": view.checkpoint, "choices": self.shelf.choices()},
            "label": {
                "value": ANY_CLASS if view.label is None else view.label,
                "choices": class_choices(classes),
            },
            "seed": {"value": view.seed},
            "steps": {"value": view.steps, "maximum": tokens},
            "order": {"value": view.order},
            "guidance": {"value": view.guidance},
            "noise": {"value": view.noise},
            "facts": {"value": span(facts)},
        }

    def payload(self, view: ParallelView) -> dict[str, Any]:
        """Return the whole drawing for the browser, packed by `payload.pack`.

        Its arrays: `images` and `guesses` uint8 (S, H, W, C), `confidence` float32 (S, N), `masked`
        uint8 (S, N) of `ParallelDrawing`, and `colors` uint8 (257, 3).
        """
        return self._drawn(view)

    def snippet(self, request: Any) -> str:
        """Return Python for what a browser shows.

        Args:
            request: {"drawing", "step"}, as it came from the browser.
        """
        if not isinstance(request, dict) or not isinstance(request.get("drawing"), dict):
            raise no_drawing()
        wanted = dict(request["drawing"])
        name = wanted.pop("checkpoint", "")
        if set(wanted) != set(_ARGUMENTS):
            raise no_such_drawing()
        with self.shelf.use(name) as model:
            view = ParallelView.checked(model, name, **wanted)
        step: Any = request.get("step")
        require_whole_number("step", step, 0, view.steps - 1)
        return view.snippet(step, self.shelf.source(name))

    def draw(
        self,
        checkpoint: str,
        label: str = "",
        seed: int = 0,
        steps: int = DEFAULTS["steps"],
        order: str = DEFAULTS["order"],
        guidance: float = DEFAULTS["guidance"],
        noise: float = DEFAULTS["noise"],
    ) -> str:
        """A picture that a MaskGIT draws in a few steps, as a PNG, a data address.

        Args:
            checkpoint: a name that the page offers.
            label: a class name; empty for any class.
            seed: which picture, 0 to 4294967295.
            steps: 1 to the number of tokens.
            order: confidence, raster, spiral, centre-out or random.
            guidance: 0 to 5; 1 is off, above 1 exaggerates what is special to the class.
            noise: 0 to 5, how much chance has a say in which tokens are kept first.
        """
        chosen = ANY_CLASS if label == "" else label
        view = self.view(checkpoint, chosen, seed, steps, order, guidance, noise)
        with self.shelf.use(checkpoint) as model:
            return data_uri(model.draw(**view.arguments()).image, "png")

    def _draw(self, view: ParallelView) -> dict[str, Any]:
        """Draw, and pack all that can be seen of it."""
        with self.shelf.use(view.checkpoint) as model:
            drawing = model.draw(**view.arguments())
            images, guesses = drawing.images.copy(), drawing.guesses.copy()
            rows, columns = model.grid
        # Decoding several pictures at once adds in another order, so these may differ by 1.
        images[-1] = guesses[-1] = drawing.image
        return pack(
            {
                "images": images,
                "guesses": guesses,
                "confidence": drawing.confidence,
                "masked": drawing.masked.astype(np.uint8),
                "colors": color_table("sequential"),
            },
            drawing={name: getattr(view, name) for name in ("checkpoint", *_ARGUMENTS)},
            layout={"rows": rows, "columns": columns, "special": []},
            caption=sent(view.caption()),
            query=view.query(),
        )


def next_drawing(view: ParallelView) -> dict[str, Any]:
    """Return what the controls of a view say of the next drawing, besides class and seed."""
    return {name: getattr(view, name) for name in _CONTROLS}
