"""What happens when a vision Transformer looks at a picture: plain functions, no Gradio.

Everything about one picture goes to the browser at once, so that another head, query or class
needs no answer from the server.
"""

from functools import lru_cache
from typing import Any

import numpy as np

from genimg.explore import VisionTransformerModel
from genimg.explore.attention_maps import AttentionMaps
from genimg.render.colors import color_table
from genimg.ui import pad
from genimg.ui.model_shelf import ModelShelf
from genimg.ui.pad import PadPicture
from genimg.ui.payload import pack
from genimg.ui.pixels import picture_of, text_of
from genimg.ui.texts import say, sent
from genimg.ui.transformer.drawing_view import class_words
from genimg.ui.transformer.vision_view import VisionView
from genimg.ui.transformer.words import special_words

MOST_CLASSES = 10  # that have a bar, and a relevance of their own


class VisionHandlers:
    """The functions behind "Look at a picture".

    Every method checks every argument and raises ValueError with one sentence.
    """

    def __init__(self, shelf: ModelShelf[VisionTransformerModel]) -> None:
        self.shelf = shelf
        self._maps = lru_cache(maxsize=16)(self._look)
        shelf.when_reloaded(self._maps.cache_clear)

    def first_pad(self, checkpoint: str) -> dict[str, Any]:
        """Return what the pad shows for a model before anyone touched it."""
        with self.shelf.use(checkpoint) as model:
            return pad.first_value(model, checkpoint)

    def pick(self, request: Any) -> dict[str, Any]:
        """Answer the pad's question for a test picture; see `genimg.ui.pad.pick`."""
        return pad.pick(self.shelf, request)

    def looking(self, checkpoint: str, pad_value: Any) -> dict[str, Any]:
        """Return all that the viewer shows of the picture on a pad, see `genimg.ui.payload`.

        Returns:
            Facts: `looking`, what to ask with again; `rows`, `columns` and `special`, what the T
            positions are; `classes`, the names of the M likeliest, the first the likeliest, and
            `called`, what the page calls them; `selected`, what to look at first; `ways`, in which
            positions can be told, P of them.
            Arrays: `picture` uint8 (H, W, C); `probabilities` float32 (M,); `attention` float32
            (layers, heads, T, T), rows are queries and sum to 1; `value_lengths` float32 (layers,
            heads, T), which times the attention is what each token adds; `rollout` float32 (T, T),
            likewise; `relevance` float32 (M, T) of the class token for each class; `positions`
            float32 (P, N, N), how alike two patches are in each way; `colors` and `signed` uint8
            (257, 3), the scales.
        """
        with self.shelf.use(checkpoint) as model:
            picture = PadPicture.checked(model, pad_value).pixels
            content = text_of(picture)
            probabilities = model.classify(picture[None])[0]  # (classes,)
            likeliest = np.argsort(-probabilities, kind="stable")[:MOST_CLASSES]
            relevance = [model.relevance(picture, int(number)) for number in likeliest]
            classes = [model.classes[number] for number in likeliest]
            layout, positions = model.layout, _positions(model)
        maps = self._maps(checkpoint, content)
        arrays = {
            "picture": picture,
            "probabilities": probabilities[likeliest],
            "attention": maps.all_queries(),
            "rollout": maps.all_rollouts(),
            "value_lengths": maps.value_lengths(),
            "relevance": np.stack(relevance),
            "positions": np.stack(list(positions.values())),
            "colors": color_table("sequential"),
            "signed": color_table("diverging"),
        }
        return pack(
            arrays,
            ways=[sent(way) for way in positions],
            looking={"checkpoint": checkpoint, "pixels": content},
            rows=layout.rows,
            columns=layout.columns,
            special=[sent(each) for each in special_words(layout)],
            classes=classes,
            called=[sent(class_words(name)) for name in classes],
            selected=first_choice(maps),
        )

    def asked(self, request: Any) -> tuple[AttentionMaps, int, int, int]:
        """Return the attention that a viewer speaks of, and its layer, head and query.

        Args:
            request: {"looking": the fact of `looking`, "layer", "head", "query"}, as it came from
                the browser.
        """
        if not isinstance(request, dict) or not isinstance(request.get("looking"), dict):
            raise ValueError(say("transformer.look.no_picture"))
        looking = request["looking"]
        checkpoint = looking.get("checkpoint", "")
        with self.shelf.use(checkpoint) as model:
            picture = PadPicture.checked(model, looking)
            view = self._view(model, checkpoint, picture, request)
        return self._maps(checkpoint, text_of(picture.pixels)), view.layer, view.head, view.query

    def snippet(self, checkpoint: str, pad_value: Any, chosen: Any = None) -> str:
        """Return Python that computes the numbers on the screen.

        Args:
            checkpoint: a name on the shelf.
            pad_value: the picture.
            chosen: {"layer", "head", "query"} as the viewer says it; None for what it shows first.
        """
        with self.shelf.use(checkpoint) as model:
            picture = PadPicture.checked(model, pad_value)
        if chosen is None:
            chosen = first_choice(self._maps(checkpoint, text_of(picture.pixels)))
        with self.shelf.use(checkpoint) as model:
            view = self._view(model, checkpoint, picture, chosen)
            return view.snippet(model, self.shelf.source(checkpoint))

    def look(
        self, checkpoint: str, pixels: str, layer: int = 0, head: int = 0, query: int = 0
    ) -> dict:
        """What a vision Transformer takes a picture for, and where it looks.

        Args:
            checkpoint: a name that the page offers.
            pixels: base64 of the raw bytes of the picture, rows from the top, of the model's size.
            layer: of the attention, the first is 0.
            head: of the attention, the first is 0.
            query: position of the token that looks; 0 is the class token, then registers, then
                patches in raster order.

        Returns:
            "probabilities" by class name; "attention" to each position, which sums to 1, and its
            "entropy" in nats; "rollout" to each position.
        """
        with self.shelf.use(checkpoint) as model:
            picture = PadPicture.checked(model, {"pixels": pixels})
            chosen = {"layer": layer, "head": head, "query": query}
            view = self._view(model, checkpoint, picture, chosen)
            probabilities = model.classify(picture.pixels[None])[0].tolist()
            classes = list(model.classes)
        maps = self._maps(checkpoint, pixels)
        return {
            "probabilities": dict(zip(classes, probabilities, strict=True)),
            "attention": maps.attention(view.layer, view.head, view.query).tolist(),
            "entropy": maps.entropy(view.layer, view.head, view.query),
            "rollout": maps.rollout(view.query).tolist(),
        }

    def _view(
        self, model: VisionTransformerModel, checkpoint: str, picture: PadPicture, chosen: Any
    ) -> VisionView:
        if not isinstance(chosen, dict):
            raise ValueError(say("transformer.look.no_place"))
        numbers = {name: chosen.get(name) for name in ("layer", "head", "query")}
        return VisionView.checked(model, checkpoint, picture, **numbers)

    def _look(self, checkpoint: str, pixels: str) -> AttentionMaps:
        with self.shelf.use(checkpoint) as model:
            return model.look(picture_of(pixels, model.config.size, model.config.channels))


def _positions(model: VisionTransformerModel) -> dict[str, np.ndarray]:
    """Return how alike two patches are by each way, whose name says whether it is the model's."""
    own = {"rope": "rotary"}.get(model.config.position, model.config.position)
    found = {}
    for name, similarities in model.position_similarities().items():
        here = say(f"transformer.position.{name}_here") if name == own else ""
        found[here or say(f"transformer.position.{name}")] = similarities
    return found


def first_choice(maps: AttentionMaps) -> dict[str, int]:
    """Return the layer, head and query that a viewer shows first.

    The query is the class token, and the head the one in which it looks most at one patch.
    """
    seen = maps.all_heads(0)[..., maps.layout.first_patch :].max(axis=-1)  # (layers, heads)
    layer, head = np.unravel_index(seen.argmax(), seen.shape)
    return {"layer": int(layer), "head": int(head), "query": 0}
