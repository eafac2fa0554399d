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

# What the panel asks a viewer with the detail of its event `select`: maps, layer, head, query.
Asked = Callable[[Any], tuple[AttentionMaps, int, int, int]]

# Each step of the computation with the arrays of `AttentionMaps.stages` that belong to it; of each
# array what it is and its axes: "tokens" has a place in the picture, the others are only counted.
# The last word says which colours: "signed" are centred on 0, "amount" begin at 0.
_STEPS = (
    (
        "Query and keys",
        "q, and kⱼ of each token j",
        "What this token asks for, and what each token offers: exactly the numbers that the layer"
        " used, after its normalisation and rotation, if it has them.",
        {
            "query": ("q", ["number"], "signed"),
            "keys": ("K, a row for each token", ["tokens", "number"], "signed"),
        },
    ),
    (
        "Dot products",
        "dⱼ = q · kⱼ",
        "How well each key fits the query.",
        {"dot_products": ("d", ["tokens"], "signed")},
    ),
    (
        "Scaled",
        "sⱼ = dⱼ × {scale}",
        "This layer's own scale. Without it long vectors would give large dot products, and the"
        " softmax nothing but zeros and ones.",
        {"scale": ("scale", [], "signed"), "scaled": ("s", ["tokens"], "signed")},
    ),
    (
        "Masked",
        "mⱼ = sⱼ where the mask is 1, −∞ where it is 0",
        "{masked}",
        {
            "mask": ("mask, 1 = may look at", ["tokens"], "amount"),
            "masked": ("m", ["tokens"], "signed"),
        },
    ),
    (
        "Softmax",
        "wⱼ = exp(mⱼ) / Σᵢ exp(mᵢ)",
        "The attention weights: none is negative, and they sum to 1.",
        {"weights": ("w", ["tokens"], "amount")},
    ),
    (
        "Times V",
        "o = Σⱼ wⱼ vⱼ",
        "The values of all tokens, mixed by these weights: what the head has found.",
        {
            "values": ("V, a row for each token", ["tokens", "number"], "signed"),
            "output": ("o", ["number"], "signed"),
        },
    ),
    (
        "Output projection",
        "y = W o",
        "What this head adds to the token. The sum over all heads is what the layer's attention"
        " returns.",
        {
            "projection": (
                "W, this head's columns of the output projection",
                ["model number", "number"],
                "signed",
            ),
            "projected": ("y", ["model number"], "signed"),
        },
    ),
)


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
        texts = {"scale": _scale_text(stages), "masked": _mask_text(stages["mask"])}
        positions = position_names(maps.layout)
        return pack(
            {
                **stages,
                "amount": color_table("sequential"),
                "signed": color_table("diverging"),
            },
            title=f"Layer {layer}, head {head}; the query is position {query}: {positions[query]}",
            file=f"layer{layer}-head{head}-query{query}",
            request=request,
            positions=positions,
            special=maps.layout.first_patch,
            columns=maps.layout.columns,
            steps=[
                {
                    "title": title,
                    "formula": formula.format(**texts),
                    "text": text.format(**texts),
                    "arrays": [
                        {"name": name, "symbol": symbol, "axes": axes, "colors": colors}
                        for name, (symbol, axes, colors) in arrays.items()
                    ],
                }
                for title, formula, text, arrays in _STEPS
            ],
        )

    def file(self, request: Any) -> dict[str, str]:
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
            return {"error": str(error)}
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
    places = [(row, column) for row in range(layout.rows) for column in range(layout.columns)]
    tokens = [
        f"token {number} (row {row}, column {column})"
        for number, (row, column) in enumerate(places)
    ]
    return layout.special_names() + tokens


def _scale_text(stages: dict[str, np.ndarray]) -> str:
    """Return the layer's own scale, and what it is if it is the usual one."""
    scale, width = float(stages["scale"]), len(stages["query"])
    usual = math.isclose(scale, width**-0.5, rel_tol=1e-6)
    return f"{scale:.9g}" + (
        f" = dⱼ ÷ √{width}" if usual else ", not 1 ÷ √D: this layer is unusual"
    )


def _mask_text(mask: np.ndarray) -> str:
    hidden = int((mask == 0).sum())
    if not hidden:
        return f"Nothing is hidden here: this token may look at all {len(mask)} tokens."
    return (
        f"This token may look at {len(mask) - hidden} of {len(mask)} tokens; the other {hidden} are"
        " hidden from it."
    )
