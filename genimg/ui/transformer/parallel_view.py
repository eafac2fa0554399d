"""What "Draw in parallel" shows, as values: checked, put into an address, and written as Python."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlencode

from genimg.checks import require_number, require_one_of, require_whole_number
from genimg.explore import MaskedDrawerModel
from genimg.explore.parallel import DEFAULTS, ORDERS
from genimg.ui.texts import beside, say
from genimg.ui.transformer.drawing_view import GUIDANCE, LARGEST_SEED, class_words
from genimg.ui.transformer.words import damaged_number, no_such_class

NOISE = (0.0, 5.0)
_CONTROLS = ("steps", "order", "guidance", "noise")


def order_words(order: str) -> str:
    """Return what the page calls an order of `ORDERS`."""
    return say(f"transformer.order.{order.replace('-', '_')}")


@dataclass(frozen=True, kw_only=True, slots=True)
class ParallelView:
    """One drawing of a MaskGIT: the arguments of `MaskedDrawerModel.draw`.

    Numbers are rounded to 1/100, so that the page, the link and the Python agree to the last bit.
    """

    checkpoint: str
    seed: int = 0
    label: str | None = None
    steps: int = DEFAULTS["steps"]
    order: str = DEFAULTS["order"]
    guidance: float = DEFAULTS["guidance"]
    noise: float = DEFAULTS["noise"]

    @classmethod
    def checked(
        cls,
        model: MaskedDrawerModel,
        checkpoint: str,
        *,
        seed: Any,
        label: Any,
        steps: Any,
        order: Any,
        guidance: Any,
        noise: Any,
    ) -> Self:
        """Return a drawing that `model` can make; the label None is any class.

        Raises:
            ValueError: a value is of another type or out of range; one sentence.
        """
        require_whole_number("the seed", seed, 0, LARGEST_SEED)
        if label is not None and label not in model.classes:
            raise no_such_class(label, model.classes)
        require_whole_number("steps", steps, 1, model.prior.num_tokens)
        require_one_of("the order", order, ORDERS)
        require_number("guidance", guidance, *GUIDANCE)
        require_number("noise", noise, *NOISE)
        return cls(
            checkpoint=checkpoint,
            seed=int(seed),
            label=label,
            steps=int(steps),
            order=order,
            guidance=round(float(guidance), 2),
            noise=round(float(noise), 2),
        )

    @classmethod
    def from_query(cls, model: MaskedDrawerModel, query: Mapping[str, str]) -> Self:
        """Return the view of a link, the inverse of `query`; what is missing has its default.

        Raises:
            ValueError: the link says something that is not possible; one sentence.
        """
        given = {name: query.get(f"parallel_{name}", DEFAULTS[name]) for name in _CONTROLS}
        try:
            seed, steps = int(query.get("parallel_seed", "0")), int(given["steps"])
            guidance, noise = float(given["guidance"]), float(given["noise"])
        except ValueError:
            raise damaged_number() from None
        return cls.checked(
            model,
            query.get("parallel", ""),
            seed=seed,
            label=query.get("parallel_class"),
            steps=steps,
            order=given["order"],
            guidance=guidance,
            noise=noise,
        )

    def query(self) -> str:
        """Return the view as the query of an address, without the question mark."""
        entries: dict[str, Any] = {"parallel": self.checkpoint, "parallel_seed": self.seed}
        if self.label is not None:
            entries["parallel_class"] = self.label
        return urlencode(entries | {f"parallel_{k}": v for k, v in self._controls().items()})

    def arguments(self) -> dict[str, Any]:
        """Return the keyword arguments of `MaskedDrawerModel.draw`, without defaults."""
        return {"label": self.label, "seed": self.seed, **self._controls()}

    def caption(self) -> str:
        """Return what the drawing is, in a few words."""
        seed = say("transformer.caption.seed", value=str(self.seed))
        steps = say("transformer.caption.steps", count=self.steps)
        parts = [class_words(self.label), seed, steps, order_words(self.order)]
        others = {k: v for k, v in self._controls().items() if k in ("guidance", "noise")}
        parts += [
            say(f"transformer.caption.{name}", value=f"{value:g}") for name, value in others.items()
        ]
        return beside(parts)

    def snippet(self, step: int, source: str = "") -> str:
        """Return Python that makes this drawing and the numbers seen of one of its steps.

        Args:
            step: from 0.
            source: what is loaded instead of the checkpoint.
        """
        lines = "".join(f"    {name}={_python(value)},\n" for name, value in self._all().items())
        return (
            "import genimg\n"
            "from genimg.render import enlarge\n\n"
            f"model = genimg.load({_python(source or self.checkpoint)})\n"
            f"drawing = model.draw(\n{lines})\n"
            'enlarge(drawing.image, 512).save("drawing.png")\n\n'
            f"drawing.masked[{step}]  # bool (tokens,): what is still masked after this step\n"
            f"drawing.confidence[{step}]  # float32 (tokens,)\n"
            f"drawing.images[{step}], drawing.guesses[{step}]"
            "  # what is kept, and with all proposals\n"
        )

    def _all(self) -> dict[str, Any]:
        """Return the arguments, with what defines the drawing even where it is the default."""
        return {"label": self.label, "seed": self.seed, "steps": self.steps, **self._controls()}

    def _controls(self) -> dict[str, Any]:
        """Return the controls that are not at their defaults."""
        values = {name: getattr(self, name) for name in _CONTROLS}
        return {name: value for name, value in values.items() if value != DEFAULTS[name]}


def _python(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
