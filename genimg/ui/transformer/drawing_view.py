"""What the Draw tab shows, as values: checked, put into an address, and written as Python.

A view comes from three places (the controls, a link, a call of the API), and none of them can be
trusted: a private endpoint can be called by anyone, with anything.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlencode

from genimg.checks import require_number, require_whole_number
from genimg.explore import DrawerModel
from genimg.explore.drawing import DEFAULT_GUIDANCE
from genimg.ui import texts
from genimg.ui.texts import beside, say
from genimg.ui.transformer.words import damaged_number, no_such_class

LARGEST_SEED = 2**32 - 1
TEMPERATURE = (0.0, 2.0)
TOP_P = (0.05, 1.0)
GUIDANCE = (0.0, 5.0)
ANY_CLASS = -1
"""The value of a control for any class: None is "nothing chosen", and a text may be a class."""


def class_words(label: str | None) -> str:
    """Return what the page calls a class, whose name may be empty, or any class, which is None."""
    if label is None:
        return texts.say("frame.any_class")
    return texts.class_name(label) if label else texts.say("frame.no_name")


@dataclass(frozen=True, kw_only=True, slots=True)
class DrawingView:
    """One drawing of an image GPT: the arguments of `DrawerModel.generate`.

    Numbers are rounded to 1/100, so that the page, the link and the Python agree to the last bit.
    """

    checkpoint: str
    seed: int = 0
    label: str | None = None
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    guidance: float = DEFAULT_GUIDANCE

    @classmethod
    def checked(
        cls,
        model: DrawerModel,
        checkpoint: str,
        *,
        seed: Any,
        label: Any,
        temperature: Any,
        top_k: Any,
        top_p: Any,
        guidance: Any,
    ) -> Self:
        """Return a drawing that `model` can make; the label None is any class.

        Raises:
            ValueError: a value is of another type or out of range; one sentence.
        """
        require_whole_number("the seed", seed, 0, LARGEST_SEED)
        if label is not None and label not in model.classes:
            raise no_such_class(label, model.classes)
        require_number("the temperature", temperature, *TEMPERATURE)
        require_whole_number("top-k", top_k, 0, model.tokenizer.vocabulary_size)
        require_number("top-p", top_p, *TOP_P)
        require_number("guidance", guidance, *GUIDANCE)
        return cls(
            checkpoint=checkpoint,
            seed=int(seed),
            label=label,
            temperature=round(float(temperature), 2),
            top_k=int(top_k),
            top_p=round(float(top_p), 2),
            guidance=round(float(guidance), 2),
        )

    @classmethod
    def from_query(cls, model: DrawerModel, query: Mapping[str, str]) -> Self:
        """Return the view of a link, the inverse of `query`; what is missing has its default.

        Raises:
            ValueError: the link says something that is not possible; one sentence.
        """
        try:
            seed, top_k = int(query.get("drawing", "0")), int(query.get("top_k", "0"))
            temperature, top_p = (float(query.get(name, "1")) for name in ("temperature", "top_p"))
            guidance = float(query.get("guidance", DEFAULT_GUIDANCE))
        except ValueError:
            raise damaged_number() from None
        return cls.checked(
            model,
            query.get("drawer", ""),
            seed=seed,
            label=query.get("class"),
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            guidance=guidance,
        )

    def query(self) -> str:
        """Return the view as the query of an address, without the question mark.

        No name is also one of the GAN's, so that one address can hold a picture of each.
        """
        entries: dict[str, Any] = {"drawer": self.checkpoint, "drawing": self.seed}
        if self.label is not None:
            entries["class"] = self.label
        return urlencode(entries | {name: f"{value:g}" for name, value in self._controls().items()})

    def arguments(self) -> dict[str, Any]:
        """Return the keyword arguments of `DrawerModel.generate`, without defaults."""
        return {"label": self.label, "seed": self.seed, **self._controls()}

    def caption(self) -> str:
        """Return what the drawing is, in a few words."""
        parts = [class_words(self.label), say("transformer.caption.seed", value=str(self.seed))]
        parts += [
            say(f"transformer.caption.{name}", value=f"{value:g}")
            for name, value in self._controls().items()
        ]
        return beside(parts)

    def snippet(self, layer: int, head: int, query: int, source: str = "") -> str:
        """Return Python that makes this drawing and the numbers seen for one of its tokens.

        Args:
            source: what is loaded instead of the checkpoint.
        """
        arguments = self.arguments()
        if self.label is not None:  # without a class it would change nothing
            arguments["guidance"] = self.guidance  # also at its default, which is not obvious
        lines = "".join(f"    {name}={_python(value)},\n" for name, value in arguments.items())
        return (
            "import genimg\n"
            "from genimg.render import enlarge\n\n"
            f"model = genimg.load({_python(source or self.checkpoint)})\n"
            f"drawing = model.generate(\n{lines})\n"
            'enlarge(drawing.image, 512).save("drawing.png")\n\n'
            f"drawing.attention(layer={layer}, head={head}, query={query})"
            "  # float32 (class and tokens,), sums to 1\n"
            f"drawing.contribution(layer={layer}, head={head}, query={query})  # what each adds\n"
            f"drawing.rollout(query={query})\n"
            f"drawing.reasons(query={query})  # why this token\n"
            f"drawing.probabilities[{query}]  # of each token of the vocabulary\n"
        )

    def _controls(self) -> dict[str, Any]:
        """Return the controls that are not at their defaults."""
        defaults = {
            "temperature": 1.0,
            "top_k": 0,
            "top_p": 1.0,
            "guidance": DEFAULT_GUIDANCE,
        }
        return {
            name: getattr(self, name)
            for name, default in defaults.items()
            if getattr(self, name) != default
        }


def _python(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
