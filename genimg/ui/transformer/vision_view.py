"""What "Look at a picture" shows, as values: checked, and written as Python."""

import json
from dataclasses import dataclass
from typing import Any, Self

from genimg.checks import require_whole_number
from genimg.explore import VisionTransformerModel
from genimg.ui.pad import PadPicture


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class VisionView:
    """One row of attention of a vision Transformer that looks at a picture.

    Attributes:
        layer, head: which attention; the first is 0.
        query: position of the token that looks; 0 is the class token.
    """

    checkpoint: str
    picture: PadPicture
    layer: int = 0
    head: int = 0
    query: int = 0

    @classmethod
    def checked(
        cls,
        model: VisionTransformerModel,
        checkpoint: str,
        picture: PadPicture,
        *,
        layer: Any,
        head: Any,
        query: Any,
    ) -> Self:
        """Return a view that `model` can show.

        Raises:
            ValueError: there is no such layer, head or query; one sentence.
        """
        require_whole_number("the layer", layer, 0, model.config.layers - 1)
        require_whole_number("the head", head, 0, model.config.heads - 1)
        require_whole_number("the query", query, 0, model.layout.length - 1)
        return cls(
            checkpoint=checkpoint,
            picture=picture,
            layer=int(layer),
            head=int(head),
            query=int(query),
        )

    def snippet(self, model: VisionTransformerModel, source: str = "") -> str:
        """Return Python that computes the numbers; `source` is loaded instead of the checkpoint."""
        return (
            f"{self.picture.imports()}\n"
            f"model = genimg.load({json.dumps(source or self.checkpoint, ensure_ascii=False)})\n"
            f"{self.picture.snippet(model)}"
            "probabilities = model.classify(image[None])[0]  # float32 (classes,)\n\n"
            "maps = model.look(image)\n"
            f"weights = maps.attention(layer={self.layer}, head={self.head}, query={self.query})"
            "  # sums to 1\n"
            f"added = maps.contribution(layer={self.layer}, head={self.head}, query={self.query})\n"
            f"rollout = maps.rollout(query={self.query})\n"
            "relevance = model.relevance(image, model.classes[probabilities.argmax()])\n"
        )
