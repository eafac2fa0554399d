"""What is asked about a token on the Draw tab, why was it drawn: plain functions, no Gradio.

Shape letters: T positions: the class token, then the tokens of a picture.
"""

import math
from typing import Any

from genimg.explore.reasons import Reasons
from genimg.render.colors import color_table
from genimg.ui.payload import pack
from genimg.ui.transformer.drawing_handlers import DrawingHandlers

MOST_TOKENS = 256  # of a drawing: there is a pass for each token before the one in question


class ReasonsHandlers:
    """The functions behind the panel that tells why a token was drawn.

    Args:
        drawings: the Draw tab's, which makes the drawings.
    """

    def __init__(self, drawings: DrawingHandlers) -> None:
        self._drawings = drawings

    def explain(self, request: Any) -> dict[str, Any]:
        """Return why a token was drawn, or one sentence that says why that cannot be told.

        Args:
            request: see `DrawingHandlers.asked`; its query is the token.

        Returns:
            {"error"}, or packed by `payload.pack` the arrays `gradient` and `ablation` float32
            (T,), in nats, and `colors` uint8 (257, 3); "words" on how far they agree; "code",
            Python for them.
        """
        try:
            view, drawing = self._drawings.drawing(request)
            query = int(request["query"])
            if len(drawing.tokens) > MOST_TOKENS:
                raise ValueError(
                    f"a drawing of {len(drawing.tokens)} tokens takes too long to explain for this"
                    f" page; in Python drawing.reasons(query={query}) does it"
                )
            with self._drawings.shelf.use(view.checkpoint):
                found = drawing.reasons(query)
        except ValueError as error:
            return {"error": str(error)}
        return pack(
            {
                "gradient": found.gradient,
                "ablation": found.ablation,
                "colors": color_table("diverging"),
            },
            words=agreement_words(found),
            code=f"drawing.reasons(query={query})",
        )


def agreement_words(found: Reasons) -> str:
    """Return how far the gradient and the ablation agree, in a sentence or two."""
    if math.isnan(found.agreement):
        return "So early there is too little to compare."
    # What comes later is 0 in both, and must not win where all that was seen speaks against it.
    first_of = (each[: found.seen].argmax() for each in (found.gradient, found.ablation))
    same = len(set(map(int, first_of))) == 1
    first = "Both name the same place first." if same else "They name different places first."
    return (
        f"How far the two agree: rank correlation {found.agreement:.3f} over {found.seen}"
        f" positions (1: the same order, 0: none in common). {first}"
    )
