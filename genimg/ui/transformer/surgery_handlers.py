"""What happens when a part of an image GPT is changed on the Draw tab: plain functions, no Gradio.

Shape letters: N tokens of a picture.
"""

from typing import Any

import numpy as np

from genimg.explore.ablation import Ablation, Treatment
from genimg.models.surgery import Place
from genimg.render.colors import color_table
from genimg.ui.payload import pack
from genimg.ui.texts import say, sent
from genimg.ui.transformer.drawing_handlers import DrawingHandlers
from genimg.wording import wording_of

_MOST_CHANGES = 200


class SurgeryHandlers:
    """The functions behind the panel in which a model is taken apart.

    Args:
        drawings: the Draw tab's, which makes the drawings.
    """

    def __init__(self, drawings: DrawingHandlers) -> None:
        self._drawings = drawings

    def operate(self, request: Any) -> dict[str, Any]:
        """Return a drawing made again, or one sentence that says why not.

        Args:
            request: see `DrawingHandlers.asked`; and "changes", a list of {"layer", "head",
                "treatment"}, without head and treatment for a feed-forward network.

        Returns:
            {"error"}, or packed by `payload.pack` the arrays `before` and `after` uint8 (H, W, C),
            `change` float32 (N,), by how many nats each token of the first drawing has become less
            likely, and `colors` uint8 (257, 3); "words" that sum it up; "code", Python for it; and
            "layout".
        """
        try:
            heads, feed_forwards = _changes(request)
            view, drawing = self._drawings.drawing(request)
            with self._drawings.shelf.use(view.checkpoint) as model:
                changed = model.ablate(drawing, heads=heads, feed_forwards=feed_forwards)
                rows, columns = model.grid
        except ValueError as error:
            return {"error": sent(wording_of(error))}
        return pack(
            {
                "before": drawing.image,
                "after": changed.image,
                "change": changed.losses - changed.whole,
                "colors": color_table("diverging"),
            },
            layout={"rows": rows, "columns": columns},
            words=sent(_words(changed, drawing.tokens)),
            code=f"model.ablate(drawing, heads={heads!r}, feed_forwards={feed_forwards!r})",
        )


def _changes(request: Any) -> tuple[dict[Place, Treatment], list[int]]:
    """Return heads and feed-forward networks to change; `DrawerModel.ablate` checks the numbers."""
    changes = request.get("changes") if isinstance(request, dict) else None
    if not isinstance(changes, list) or len(changes) > _MOST_CHANGES:
        raise ValueError(say("transformer.surgery.no_such_change"))
    heads: dict[Place, Treatment] = {}
    feed_forwards: list[int] = []
    for change in changes:
        if not isinstance(change, dict) or not isinstance(change.get("layer"), int):
            raise ValueError(say("transformer.surgery.no_such_change"))
        if "head" not in change:
            feed_forwards.append(change["layer"])
        elif isinstance(change["head"], int):
            heads[change["layer"], change["head"]] = change.get("treatment", "off")
        else:
            raise ValueError(say("transformer.surgery.no_such_head"))
    return heads, feed_forwards


def _words(changed: Ablation, tokens: np.ndarray) -> str:
    """Return what has changed, in a sentence or two."""
    other = int((changed.tokens != tokens).sum())
    drawn = (
        say("transformer.surgery.drawn_otherwise", other=str(other), all=str(len(tokens)))
        if other
        else say("transformer.surgery.drawn_alike")
    )
    nats = f"{abs(changed.change):.2f}"
    if abs(changed.change) < 0.005:
        likely = say("transformer.surgery.as_likely")
    elif changed.change > 0:
        likely = say("transformer.surgery.less_likely_by", nats=nats)
    else:
        likely = say("transformer.surgery.more_likely_by", nats=nats)
    return say("frame.both", first=drawn, second=likely)
