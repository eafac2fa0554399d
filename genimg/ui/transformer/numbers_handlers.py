"""The numbers behind one head's attention to one query, for the panel: plain functions, no Gradio.

Shape letters: S tokens looked at, D width of one head, C width of the model.
"""

import base64
import io
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from genimg.explore.attention_maps import AttentionMaps
from genimg.models.attention import TokenLayout
from genimg.render.colors import color_table
from genimg.ui.payload import pack
from genimg.ui.texts import say, sent
from genimg.ui.transformer.words import special_words
from genimg.wording import wording_of

# What the panel asks a viewer with the detail of its event `select`: maps, layer, head, query.
Asked = Callable[[Any], tuple[AttentionMaps, int, int, int]]

# Each step of the computation, and the arrays of `AttentionMaps.stages` that belong to it. Of each
# its axes: "tokens" has a place in the picture, the others are only counted. The last word says
# which colours: "signed" are centred on 0, "amount" begin at 0.
_STEPS: dict[str, dict[str, tuple[list[str], str]]] = {
    "query": {"query": (["number"], "signed"), "keys": (["tokens", "number"], "signed")},
    "products": {"dot_products": (["tokens"], "signed")},
    "scaled": {"scale": ([], "signed"), "scaled": (["tokens"], "signed")},
    "masked": {"mask": (["tokens"], "amount"), "masked": (["tokens"], "signed")},
    "softmax": {"weights": (["tokens"], "amount")},
    "values": {"values": (["tokens", "number"], "signed"), "output": (["number"], "signed")},
    "projected": {
        "projection": (["model number", "number"], "signed"),
        "projected": (["model number"], "signed"),
    },
}


class NumbersHandlers:
    """The functions behind the panel of one viewer.

    Args:
        asked: turns the detail of the viewer's event `select` into attention maps, layer, head and
            query, and raises ValueError, one sentence, for anything it did not send itself.
    """

    def __init__(self, asked: Asked) -> None:
        self._asked = asked

    def panel(self, request: Any) -> dict[str, Any]:
        """Return every step with its arrays, float32, packed for the browser.

        Raises:
            ValueError: there is nothing of that kind; one sentence.
        """
        maps, layer, head, query = self._asked(request)
        stages = maps.stages(layer, head, query)
        filled: dict[str, dict[str, str]] = {step: {} for step in _STEPS}
        filled["scaled"]["scale"] = _scale_words(stages)
        filled["masked"]["masked"] = _mask_words(stages["mask"])
        position = _position_words(maps.layout, query)
        return pack(
            {
                **stages,
                "amount": color_table("sequential"),
                "signed": color_table("diverging"),
            },
            title=sent(
                say(
                    "transformer.numbers.title",
                    layer=layer, head=head, query=str(query), position=position,
                )
            ),
            file=f"layer{layer}-head{head}-query{query}",
            request=request,
            special=[sent(each) for each in special_words(maps.layout)],
            columns=maps.layout.columns,
            steps=[
                {
                    "title": sent(say(f"transformer.numbers.step.{step}")),
                    "formula": sent(say(f"transformer.numbers.formula.{step}", **filled[step])),
                    "text": sent(say(f"transformer.numbers.text.{step}", **filled[step])),
                    "arrays": [
                        {
                            "name": name,
                            "symbol": sent(say(f"transformer.numbers.array.{name}")),
                            "axes": axes,
                            "colors": colors,
                        }
                        for name, (axes, colors) in arrays.items()
                    ],
                }
                for step, arrays in _STEPS.items()
            ],
        )  # fmt: skip

    def file(self, request: Any) -> dict[str, Any]:
        """Return all stages as one .npz, or one sentence that says why not.

        It holds the arrays of `AttentionMaps.stages` under their names; `positions`, the name of
        each of the S tokens; and `chosen`, the layer, head and query.

        Returns:
            {"name", "src"} with the file as a data address, or {"error"}.
        """
        try:
            maps, layer, head, query = self._asked(request)
            stages = maps.stages(layer, head, query)
        except ValueError as error:
            return {"error": sent(wording_of(error))}
        buffer = io.BytesIO()
        positions = position_names(maps.layout)[: len(stages["weights"])]
        chosen = np.array([layer, head, query])
        named = {"positions": np.array(positions), "chosen": chosen, **stages}
        # By NumPy's stub one of the names could be its option `allow_pickle`; none is.
        np.savez_compressed(buffer, **named)  # type: ignore[arg-type]
        packed = base64.b64encode(buffer.getvalue()).decode("ascii")
        return {
            "name": f"layer{layer}-head{head}-query{query}.npz",
            "src": f"data:application/octet-stream;base64,{packed}",
        }


def position_names(layout: TokenLayout) -> list[str]:
    """Return what each position is: class token, registers, then tokens; all count from 0."""
    return [str(_position_words(layout, position)) for position in range(layout.length)]


def _position_words(layout: TokenLayout, position: int) -> str:
    if position < layout.first_patch:
        return special_words(layout)[position]
    number = position - layout.first_patch
    row, column = divmod(number, layout.columns)
    return say("transformer.numbers.token", number=str(number), row=row, column=column)


def _scale_words(stages: dict[str, np.ndarray]) -> str:
    """Return the layer's own scale, and what it is if it is the usual one."""
    scale, width = float(stages["scale"]), len(stages["query"])
    usual = math.isclose(scale, width**-0.5, rel_tol=1e-6)
    said = f"{scale:.9g}"
    if usual:
        return say("transformer.numbers.usual_scale", scale=said, width=width)
    return say("transformer.numbers.unusual_scale", scale=said)


def _mask_words(mask: np.ndarray) -> str:
    hidden = int((mask == 0).sum())
    if not hidden:
        return say("transformer.numbers.nothing_hidden", all=str(len(mask)))
    seen = str(len(mask) - hidden)
    return say("transformer.numbers.hidden", seen=seen, all=str(len(mask)), hidden=str(hidden))
