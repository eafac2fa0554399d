"""What happens when a control of the Draw tab is used: plain functions, no Gradio.

Shape letters: N tokens of a picture, T = N + 1 positions (the class token, then the tokens), V
size of the vocabulary, K candidates, P pixels of a side of a token's patch, L layers, H heads.
"""

import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from genimg.checks import require_whole_number
from genimg.explore import DrawerModel, MaskedDrawerModel
from genimg.explore.attention_maps import AttentionMaps
from genimg.explore.drawing import DEFAULT_GUIDANCE
from genimg.explore.drawn import Drawing
from genimg.models.attention_patterns import Pattern
from genimg.render import data_uri
from genimg.render.colors import color_table
from genimg.ui.messages import dataset_words
from genimg.ui.model_shelf import ModelShelf
from genimg.ui.payload import pack
from genimg.ui.texts import beside, say, sent, span
from genimg.ui.transformer.drawing_view import (
    ANY_CLASS,
    LARGEST_SEED,
    DrawingView,
    class_words,
)
from genimg.ui.transformer.words import no_drawing, no_such_drawing
from genimg.wording import wording_of

CANDIDATES = 12
# Decoding the candidates' patches takes most of the time. This many pixels take about a second.
_MOST_PIXELS_DECODED = 600_000
# Of a drawing of more tokens the attention is sent for one query at a time: of all queries of 784
# tokens it would be 57 megabytes.
_MOST_TOKENS_SENT = 256
_SAMPLING = ("temperature", "top_k", "top_p", "guidance")
_ARGUMENTS = ("seed", "label", *_SAMPLING)


class DrawingHandlers:
    """The functions behind the Draw tab.

    Every method checks every argument and raises ValueError with one sentence.
    """

    def __init__(self, shelf: ModelShelf[DrawerModel]) -> None:
        self.shelf = shelf
        self._drawn = lru_cache(maxsize=8)(self._draw)
        shelf.when_reloaded(self._drawn.cache_clear)

    def first_view(self) -> DrawingView:
        """Return what is on the screen before anyone touched anything."""
        name = self.shelf.names[0]
        with self.shelf.use(name) as model:
            return DrawingView(checkpoint=name, seed=3, label=model.classes[-1])

    def view(
        self,
        checkpoint: str,
        label: Any,
        seed: Any,
        temperature: Any,
        top_k: Any,
        top_p: Any,
        guidance: Any,
    ) -> DrawingView:
        """Return the view of the controls; the label may be ANY_CLASS."""
        with self.shelf.use(checkpoint) as model:
            return DrawingView.checked(
                model,
                checkpoint,
                seed=seed,
                label=None if label == ANY_CLASS else label,
                temperature=temperature,
                top_k=top_k,
                top_p=top_p,
                guidance=guidance,
            )

    def linked_view(self, query: Mapping[str, str]) -> DrawingView:
        """Return the view of a link."""
        name = self.shelf.named(query.get("drawer", ""))
        with self.shelf.use(name) as model:
            return DrawingView.from_query(model, {**query, "drawer": name})

    def linked_sliders(self, query: Mapping[str, str]) -> DrawingView:
        """Return the view of a link whose sliders have moved on since it was drawn."""
        moved = {name: query[f"next_{name}"] for name in _SAMPLING if f"next_{name}" in query}
        return self.linked_view({**query, **moved})

    def view_in(self, checkpoint: str, label: Any, seed: Any) -> DrawingView:
        """Return the first view of a model: the seed and, where it has it, the class stay."""
        self.check_seed(seed)
        with self.shelf.use(checkpoint) as model:
            known = label if label in model.classes else None
        return DrawingView(checkpoint=checkpoint, seed=seed, label=known)

    def controls(self, view: DrawingView) -> dict[str, dict[str, Any]]:
        """Return what each control must show for a view: its value, choices and range."""
        with self.shelf.use(view.checkpoint) as model:
            classes, vocabulary = model.classes, model.tokenizer.vocabulary_size
        return {
            "checkpoint": {"value": view.checkpoint, "choices": self.shelf.choices()},
            "label": {
                "value": ANY_CLASS if view.label is None else view.label,
                "choices": class_choices(classes),
            },
            "seed": {"value": view.seed},
            "temperature": {"value": view.temperature},
            "top_k": {"value": view.top_k, "maximum": vocabulary},
            "top_p": {"value": view.top_p},
            "guidance": {"value": view.guidance},
            "facts": {"value": span(self.facts(view.checkpoint))},
        }

    def check_seed(self, seed: Any) -> None:
        """Raise ValueError, one sentence, unless this is a seed."""
        require_whole_number("the seed", seed, 0, LARGEST_SEED)

    def payload(self, view: DrawingView) -> dict[str, Any]:
        """Return the whole drawing for the browser, packed by `payload.pack`.

        Its arrays: `frames` uint8 (N, H, W, C), the picture after each token, or (1, H, W, C) where
        no token changes how another looks; `tokens` int32 (N,); `attention` float32 (L, H, N, T)
        and `rollout` (N, T) of the position that predicted each token, unless there are so many
        that `looks` gives them; `value_lengths` (L, H, T), which times the attention is what each
        position adds; `logits` (N, V) that each token was drawn from, after guidance and before
        temperature, top-k and top-p; `candidates` int32 (N, K), the likeliest tokens; `patches`
        uint8 (N, K, P, P, C), what each would have looked like there; `colors` uint8 (257, 3);
        and of `Drawing.lens` `lens` uint8 (L + 1, H, W, C), its pictures, `lens_probabilities` and
        `stream` float32 (L + 1, N), `added_attention` and `added_feed_forward` (L, N), and
        `decided` int32 (N,).
        """
        return self._drawn(view)[1]

    def looks(self, request: Any) -> dict[str, Any]:
        """Return where one position of a drawing looks, or one sentence that says why not.

        Args:
            request: see `asked`.

        Returns:
            {"error"}, or packed by `payload.pack` `attention` float32 (L, H, T) of all heads and
            `rollout` (T,); and "query".
        """
        try:
            view, _, _, query = self._place(request)
            drawing, _, rollouts = self._drawn(view)
        except ValueError as error:
            return {"error": sent(wording_of(error))}
        attention = drawing.maps.all_heads(query)
        return pack({"attention": attention, "rollout": rollouts[query]}, query=query)

    def asked(self, request: Any) -> tuple[AttentionMaps, int, int, int]:
        """Return the attention, and the layer, head and query in it, that a browser asks for.

        Args:
            request: {"drawing", "layer", "head", "query"}, as it came from the browser.
        """
        view, layer, head, query = self._place(request)
        return self._drawn(view)[0].maps, layer, head, query

    def drawing(self, request: Any) -> tuple[DrawingView, Drawing]:
        """Return the drawing that a browser looks at; `request` as for `asked`."""
        view, *_ = self._place(request)
        return view, self._drawn(view)[0]

    def snippet(self, request: Any) -> str:
        """Return Python for what a browser shows; `request` as for `asked`."""
        view, layer, head, query = self._place(request)
        return view.snippet(layer, head, query, self.shelf.source(view.checkpoint))

    def draw(
        self,
        checkpoint: str,
        label: str = "",
        seed: int = 0,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        guidance: float = DEFAULT_GUIDANCE,
    ) -> dict:
        """A picture drawn token by token by an image GPT, and the tokens.

        Args:
            checkpoint: a name that the page offers.
            label: a class name; empty for any class.
            seed: which picture, 0 to 4294967295.
            temperature: 0 (always the likeliest token) to 2 (varied).
            top_k: choose among the likeliest k tokens; 0 among all.
            top_p: choose among the likeliest tokens that together have this probability.
            guidance: 0 to 5; above 1 exaggerates what is special to the class.

        Returns:
            {"picture": a PNG as a data address, "tokens": whole numbers in raster order}.
        """
        chosen = ANY_CLASS if label == "" else label
        view = self.view(checkpoint, chosen, seed, temperature, top_k, top_p, guidance)
        with self.shelf.use(checkpoint) as model:
            drawing = model.generate(**view.arguments())
        return {"picture": data_uri(drawing.image, "png"), "tokens": drawing.tokens.tolist()}

    def facts(self, name: str) -> str:
        """Return one line about the model."""
        with self.shelf.use(name) as model:
            return facts_of(model)

    def _place(self, request: Any) -> tuple[DrawingView, int, int, int]:
        if not isinstance(request, dict) or not isinstance(request.get("drawing"), dict):
            raise no_drawing()
        wanted = dict(request["drawing"])
        name = wanted.pop("checkpoint", "")
        if set(wanted) != set(_ARGUMENTS):
            raise no_such_drawing()
        with self.shelf.use(name) as model:
            view = DrawingView.checked(model, name, **wanted)
            config, tokens = model.config, model.prior.num_tokens
        place: list[Any] = [request.get(name) for name in ("layer", "head", "query")]
        layer, head, query = place
        require_whole_number("layer", layer, 0, config.layers - 1)
        require_whole_number("head", head, 0, config.heads - 1)
        require_whole_number("query", query, 0, tokens - 1)
        return view, layer, head, query

    def _draw(self, view: DrawingView) -> tuple[Drawing, dict[str, Any], np.ndarray]:
        """Draw, and pack all that can be seen of it; return all rollouts (N, T), too."""
        with self.shelf.use(view.checkpoint) as model:
            started = time.perf_counter()
            drawing = model.generate(**view.arguments())
            seconds = time.perf_counter() - started
            logits = _guided_logits(drawing, view.guidance)
            candidates, frames, patches = _alternatives(model, drawing.tokens, logits)
            frames[-1] = drawing.image  # a batch adds in another order, so this may differ by 1
            maps, rollouts = drawing.maps, drawing.maps.all_rollouts()
            all_sent = len(drawing.tokens) <= _MOST_TOKENS_SENT
            looks = {"attention": maps.all_queries(), "rollout": rollouts} if all_sent else {}
            lengths, lens = maps.value_lengths(), drawing.lens()
            rows, columns = model.grid
            machine, measured = _machine(model), measured_heads(model)
        packed = pack(
            {
                "frames": frames,
                "tokens": drawing.tokens.astype(np.int32),
                **looks,
                "value_lengths": lengths,
                "logits": logits,
                "candidates": candidates.astype(np.int32),
                "patches": patches,
                "colors": color_table("sequential"),
                "lens": lens.images,
                "lens_probabilities": lens.probabilities,
                "stream": lens.stream,
                "added_attention": lens.attention,
                "added_feed_forward": lens.feed_forward,
                "decided": lens.decided.astype(np.int32),
            },
            drawing=_names(view),
            layers=maps.layers,
            heads=maps.heads,
            layout={"rows": rows, "columns": columns, "special": [sent(say("transformer.class"))]},
            machine=machine,
            measured=measured,
            selected=_first_place(drawing, (rows, columns)),
            className=sent(class_words(view.label)),
            caption=sent(view.caption()),
            query=view.query(),
            seconds=round(seconds, 2),
        )
        return drawing, packed, rollouts


def measured_heads(model: DrawerModel) -> dict[str, Any] | None:
    """Return what the card says of every head, "table" and "drawings"; None where it says nothing.

    A card that speaks of other heads than the model has is another model's.
    """
    heads = model.info.get("heads")
    own = set(np.ndindex(model.config.layers, model.config.heads))
    if heads is None or {(row["layer"], row["head"]) for row in heads["table"]} != own:
        return None
    return {"table": heads["table"], "drawings": heads["drawings"]}


def facts_of(model: DrawerModel | MaskedDrawerModel) -> str:
    """Return one line about a model that draws with tokens."""
    card, config = model.info, model.config
    rows, columns = model.grid
    parameters = card.get("parameters", {}).get("prior")
    parts = [
        dataset_words(card.get("dataset", "")),
        say("transformer.facts.parameters", number=f"{parameters:,}") if parameters else None,
        say("transformer.facts.heads", layers=config.layers, heads=config.heads),
        say("transformer.facts.tokens", rows=rows, columns=columns),
        _seen_words(model.prior.pattern) if isinstance(model, DrawerModel) else None,
        say("transformer.facts.seen", number=f"{card['images_seen']:,}")
        if "images_seen" in card
        else None,
    ]
    return beside([part for part in parts if part])


def _seen_words(pattern: Pattern) -> str | None:
    """Return what a token sees, of a model where that is not everything before it."""
    if pattern.sliding:
        return say("transformer.facts.window", tokens=pattern.memory)
    if pattern.recurrent:
        return say("transformer.facts.segments", tokens=pattern.chunk, memory=pattern.memory)
    return None


def class_choices(classes: Sequence[str]) -> list[tuple[str, str | int]]:
    """Return (what to show, value) of each class to choose from, the first for any class."""
    return [(class_words(None), ANY_CLASS), *((class_words(name), name) for name in classes)]


def sampling(view: DrawingView) -> dict[str, Any]:
    """Return what the sliders say for a view, as the browser names it."""
    return {name: getattr(view, name) for name in _SAMPLING}


def _names(view: DrawingView) -> dict[str, Any]:
    """Return a view as the browser names it."""
    return {name: getattr(view, name) for name in ("checkpoint", *_ARGUMENTS)}


def _first_place(drawing: Drawing, grid: tuple[int, int]) -> dict[str, int]:
    """Return the layer, head and query to look at first, as a drawing itself suggests them.

    The query is the likeliest of those tokens whose patch is lighter and shows more than half of
    the others do (dark flat ground is always likely); the head is the one that looks most at one
    place that is not the token just drawn.

    Args:
        grid: rows and columns of the tokens.
    """
    size, (rows, columns) = drawing.image.shape[0], grid
    patches = drawing.image.reshape(rows, size // rows, columns, size // columns, -1)
    contrast = patches.astype(np.float32).std(axis=(1, 3, 4)).ravel()  # (N,)
    light = patches.mean(axis=(1, 3, 4)).ravel()  # (N,)
    steps = np.arange(len(drawing.tokens))
    likely = drawing.probabilities[steps, drawing.tokens]  # (N,)
    later = steps > columns  # from the second row on there is something to look at
    telling = later & (contrast >= np.median(contrast)) & (light >= np.median(light))
    telling = telling if telling.any() else later
    query = int(np.argmax(np.where(telling, likely, -1)))
    # Without class and last token: (L, H, query - 1).
    seen = drawing.maps.all_heads(query)[..., 1:query]
    if not seen.size:
        return {"layer": 0, "head": 0, "query": query}
    layer, head = np.unravel_index(seen.max(axis=-1).argmax(), seen.shape[:2])
    return {"layer": int(layer), "head": int(head), "query": query}


def _machine(model: DrawerModel) -> dict[str, Any]:
    """Return the sizes of a model's parts, and how it knows where a token is."""
    config = model.config
    first: Any = model.prior.transformer.blocks[0]
    position = "in_the_heads" if config.position == "rope" else config.position
    return {
        "width": config.width,
        "feedForward": first.feed_forward.output.in_features,
        "vocabulary": model.tokenizer.vocabulary_size,
        "position": sent(say(f"transformer.position.{position}")),
        "residual": config.residual,
    }


def _guided_logits(drawing: Drawing, guidance: float) -> np.ndarray:
    """Return the logits that each token was drawn from, before the controls, float32 (N, V)."""
    if guidance == 1:
        return drawing.logits
    unconditional = drawing.unconditional_logits
    return unconditional + np.float32(guidance) * (drawing.logits - unconditional)


def _alternatives(
    model: DrawerModel, tokens: np.ndarray, logits: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what could have been drawn at each step instead.

    Args:
        tokens: the drawing's, int64 (N,).
        logits: float32 (N, V).

    Returns:
        The likeliest tokens, int64 (N, K); the picture after each step, uint8 (N, H, W, C); the
        patches of the likeliest tokens in the picture so far, uint8 (N, K, P, P, C). Where no token
        changes how another looks there is one picture, the whole.
    """
    if model.tokenizer.local:
        return _local_alternatives(model, tokens, logits)
    (rows, columns), side = model.grid, model.config.size
    affordable = _MOST_PIXELS_DECODED // (len(tokens) * side * side)
    count = min(max(1, affordable), CANDIDATES, logits.shape[1])
    likeliest = np.argsort(-logits, axis=1, kind="stable")[:, :count]  # (N, K)
    frames, patches = [], []
    for step, candidates in enumerate(likeliest):
        so_far = np.full((count + 1, len(tokens)), -1)  # (K + 1, N)
        so_far[:, :step] = tokens[:step]
        so_far[:, step] = [tokens[step], *candidates]
        pictures = model.unfinished(so_far)  # (K + 1, H, W, C)
        row, column = divmod(step, columns)
        high, wide = side // rows, side // columns
        patch = np.s_[1:, row * high : (row + 1) * high, column * wide : (column + 1) * wide]
        frames.append(pictures[0])
        patches.append(pictures[patch])  # (K, P, P, C)
    return likeliest, np.stack(frames), np.stack(patches)


def _local_alternatives(
    model: DrawerModel, tokens: np.ndarray, logits: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the same where a token looks the same everywhere, so that little need be decoded."""
    kinds, patch = logits.shape[1], model.tokenizer.config.patch_size
    everywhere = np.arange(kinds)[:, None].repeat(len(tokens), axis=1)  # (V, N)
    looks = model.unfinished(everywhere)[:, :patch, :patch]  # (V, P, P, C)
    likeliest = np.argsort(-logits, axis=1, kind="stable")[:, :CANDIDATES]  # (N, K)
    return likeliest, model.unfinished(tokens)[None], looks[likeliest]
