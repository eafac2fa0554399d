"""What is asked about a token on the Draw tab, why was it drawn: plain functions, no Gradio.

Shape letters: T positions: the class token, then the tokens of a picture.
"""

import math
from typing import Any

from genimg.explore.reasons import Reasons
from genimg.render.colors import color_table
from genimg.ui.payload import pack
from genimg.ui.texts import say, sent
from genimg.ui.transformer.drawing_handlers import DrawingHandlers
from genimg.wording import wording_of

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
                code = f"drawing.reasons(query={query})"
                tokens = str(len(drawing.tokens))
                raise ValueError(say("transformer.reasons.too_long", tokens=tokens, code=code))
            with self._drawings.shelf.use(view.checkpoint):
                found = drawing.reasons(query)
        except ValueError as error:
            return {"error": sent(wording_of(error))}
        return pack(
            {
                "gradient": found.gradient,
                "ablation": found.ablation,
                "colors": color_table("diverging"),
            },
            words=sent(agreement_words(found)),
            code=f"drawing.reasons(query={query})",
        )


def agreement_words(found: Reasons) -> str:
    """Return how far the gradient and the ablation agree, in a sentence or two."""
    if math.isnan(found.agreement):
        return say("transformer.reasons.too_early")
    # What comes later is 0 in both, and must not win where all that was seen speaks against it.
    first_of = (each[: found.seen].argmax() for each in (found.gradient, found.ablation))
    same = len(set(map(int, first_of))) == 1
    return say(
        "transformer.reasons.agree" if same else "transformer.reasons.differ",
        correlation=f"{found.agreement:.3f}",
        positions=str(found.seen),
    )
