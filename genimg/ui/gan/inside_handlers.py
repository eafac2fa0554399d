"""What happens inside a generator on the GAN tab: plain functions, no Gradio.

Shapes: U units of a layer, h x w its pixels, S scores of attributes.
"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from typing import Any
from urllib.parse import parse_qsl

import numpy as np

from genimg.checks import is_whole, require_number, require_whole_number
from genimg.explore import GanModel
from genimg.explore.inside import (
    Effects,
    alter,
    attribute_net,
    feature_maps,
    layers_of,
    measure_effects,
    peaks,
    served,
)
from genimg.metrics.attributes import Reading, read_outputs
from genimg.models.units import Place
from genimg.render.colors import color_table
from genimg.ui.gan.handlers import GanHandlers
from genimg.ui.gan.view import GanView
from genimg.ui.gan.words import score_words
from genimg.ui.messages import sentence
from genimg.ui.payload import pack
from genimg.ui.pixels import mask_of
from genimg.ui.texts import named, say, sent

STRONGEST = 4.0
"""The most that a unit is multiplied by, and that the brush paints of its usual peak."""
_LONGEST_LINK = 8192
_MOST_CHANGES = 64  # more than any generator has layers
_BRIGHT = 99.5  # percentile that has the last colour
_VISIBLE = 8  # grey levels of 255
_MOST_TOLD = 4  # attributes that are named
_REMEMBERED = 64  # layers whose effects are kept, each some 20 kB


@dataclass(frozen=True, slots=True)
class Change:
    """What is done to some units of a layer.

    Attributes:
        layer, units: their numbers, from 0.
        factor: what they are multiplied by.
        level: how much of its usual peak each has where it is painted in.
        mask: where, bool (h, w); None where nothing is painted.
    """

    layer: int
    units: tuple[int, ...]
    factor: float
    level: float
    mask: np.ndarray | None


class InsideHandlers:
    """The functions behind the part "Inside".

    Args:
        gan: the tab's, which knows what a link shows.
    """

    def __init__(self, gan: GanHandlers) -> None:
        self._gan, self._shelf = gan, gan.shelf
        self._effects: dict[tuple[str, int | None, int], Effects] = {}
        self._peaks = lru_cache(maxsize=_REMEMBERED)(self._measure_peaks)
        self._reloads = 0
        self._shelf.when_reloaded(self._forget)
        self._shelf.when_reloaded(self._peaks.cache_clear)

    def _forget(self) -> None:
        self._effects.clear()
        self._reloads += 1

    def look(self, request: Any) -> dict[str, Any]:
        """Return what is inside for a picture, and the picture with units changed.

        Args:
            request: {"query", of the picture's link; "layer" to look at; "changes", a list of
                {"layer", "units", "factor", "level", "painted"}, where the last is a "1" for each
                pixel of the layer that is painted and a "0" for each other, or ""; "maps", whether
                the maps are wanted}, as it came from the browser.

        Returns:
            {"error"}; or packed the arrays `before` and `after` uint8 (H, W, C), `colors` uint8
            (257, 3), and where they are wanted `maps` uint8 (U, h, w), 0 for nothing to 255 for
            `high`; with "layers" [[units, size]], "layer", "high", "words" about the change,
            "code", Python for it, and "measured", what is known of the layer's units, or None.
        """
        try:
            view, layer = self._asked(request)
            with self._shelf.use(view.checkpoint) as shelved:
                model = view.model_in(shelved)
                layers = layers_of(model)
                require_whole_number("the layer", layer, 0, len(layers) - 1)
                changes = [_change(each, layers) for each in _listed(request.get("changes"))]
                factors, added = self._amounts(view, changes)
                arrays = {
                    "before": alter(model, **view.arguments()),
                    "after": alter(model, factors=factors, added=added, **view.arguments()),
                    "colors": color_table("sequential"),
                }
                maps, high = None, 0.0
                if request.get("maps"):
                    maps = feature_maps(model, layer, **view.arguments())
                    high = max(float(np.percentile(maps, _BRIGHT)), 1e-6)
                    arrays["maps"] = np.rint(255 * (maps / high).clip(0, 1)).astype(np.uint8)
                words = _words(model, arrays["before"], arrays["after"]) if changes else ""
                named = tuple(model.named_directions)
                attributed = attribute_net(model) is not None
            known = self._effects.get((view.checkpoint, view.moment, layer))
        except ValueError as error:
            return {"error": sent(sentence(error))}
        return pack(
            arrays,
            layers=[[each.units, each.size] for each in layers],
            layer=layer,
            high=high,
            words=sent(words),
            code=_code(view.snippet(self._shelf.source(view.checkpoint), named), changes),
            attributed=attributed,
            measured=_measured(known),
        )

    def measure(self, request: Any) -> Iterator[dict[str, Any]]:
        """Measure which attributes the units of a layer serve; what is known is kept.

        Args:
            request: {"query", "layer"}, as for `look`.

        Yields:
            {"done", "of"} time and again, and last {"measured", "query", "layer"}; or {"error"}.
        """
        try:
            view, layer = self._asked(request)
            key = (view.checkpoint, view.moment, layer)
            found = self._effects.get(key)
            if found is None:
                reloads = self._reloads
                found = yield from self._measure_effects(view, layer)
                if reloads == self._reloads:  # else they may be of the run's last checkpoint
                    self._effects[key] = found
                while len(self._effects) > _REMEMBERED:
                    self._effects.pop(next(iter(self._effects)))
            yield {"measured": _measured(found), "query": request["query"], "layer": layer}
        except ValueError as error:
            yield {"error": sent(sentence(error))}

    def _measure_effects(
        self, view: GanView, layer: int
    ) -> Generator[dict[str, Any], None, Effects]:
        with self._shelf.use(view.checkpoint) as shelved:
            model = view.model_in(shelved)
            steps, units = measure_effects(model, layer), layers_of(model)
        # Between two steps others use the model: a layer takes seconds.
        while True:
            with self._shelf.use(view.checkpoint):
                step = next(steps)
            if isinstance(step, Effects):
                return step
            yield {"done": step, "of": units[layer].units}

    def _asked(self, request: Any) -> tuple[GanView, int]:
        query = request.get("query") if isinstance(request, dict) else None
        if not isinstance(query, str) or not is_whole(request.get("layer")):
            raise ValueError(say("gan.inside.no_picture"))
        return self._gan.linked_view(dict(parse_qsl(query[:_LONGEST_LINK]))), request["layer"]

    def _amounts(
        self, view: GanView, changes: list[Change]
    ) -> tuple[dict[Place, Any], dict[Place, Any]]:
        """Return `factors` and `added` of `alter`."""
        factors: dict[Place, Any] = {}
        added: dict[Place, Any] = {}
        for change in changes:
            elsewhere = change.factor if change.mask is None else change.factor * ~change.mask
            factors |= {(change.layer, unit): elsewhere for unit in change.units}
            if change.mask is not None:
                high = change.level * self._peaks(view.checkpoint, view.moment, change.layer)
                added |= {(change.layer, u): float(high[u]) * change.mask for u in change.units}
        return factors, added

    def _measure_peaks(self, checkpoint: str, moment: int | None, layer: int) -> np.ndarray:
        with self._shelf.use(checkpoint) as model:
            return peaks(model if moment is None else model.at(moment), layer)


def _listed(changes: Any) -> list[Any]:
    if not isinstance(changes, list) or len(changes) > _MOST_CHANGES:
        raise ValueError(say("gan.inside.no_changes"))
    return changes


def _change(change: Any, layers: list[Any]) -> Change:
    """Return a change that a browser sent; ValueError unless it fits the layers."""
    if not isinstance(change, dict):
        raise ValueError(say("gan.inside.no_change"))
    layer: Any = change.get("layer")
    units = change.get("units")
    require_whole_number("the layer", layer, 0, len(layers) - 1)
    if not isinstance(units, list) or not 0 < len(units) <= layers[layer].units:
        raise ValueError(say("gan.inside.no_units"))
    for unit in units:
        require_whole_number("a unit", unit, 0, layers[layer].units - 1)
    for name in ("factor", "level"):
        require_number(f"the {name}", change.get(name), 0, STRONGEST)
    painted, size = change.get("painted", ""), layers[layer].size
    mask = mask_of(painted, (size, size)) if painted and size else None
    return Change(
        layer, tuple(map(int, units)), float(change["factor"]), float(change["level"]), mask
    )


def _measured(effects: Effects | None) -> dict[str, Any] | None:
    """Return effects for the browser, rounded: names, values (U, S), and what each unit serves."""
    if effects is None:
        return None
    return {
        "names": effects.names,
        "words": [sent(score_words(name)) for name in effects.names],
        "values": np.round(effects.values.astype(float), 2).tolist(),
        "served": served(effects),
    }


def _words(model: GanModel, before: np.ndarray, after: np.ndarray) -> str:
    """Return what has changed in a picture, in a sentence or two."""
    if np.array_equal(before, after):
        return say("gan.inside.unchanged")
    moved = abs(before.astype(int) - after).max(axis=2) > _VISIBLE
    share = 100 * moved.mean()
    percent = say("number.percent", number=f"{share:.0f}")
    little = share < 1
    said = say("gan.inside.changed_little") if little else say("gan.inside.changed", share=percent)
    net = attribute_net(model)
    if net is None:
        return said
    readings = read_outputs(net(np.stack([before, after]))[1], net.heads)
    others = [
        say(
            "gan.inside.attribute",
            name=named("attribute", head.name),
            now=_value(readings[head.name], head.values, 1),
            before=_value(readings[head.name], head.values, 0),
        )
        for head in net.heads
        if head.values and len(set(readings[head.name].values.tolist())) > 1
    ]
    return say("frame.both", first=said, second=_read_words(others))


def _read_words(others: Sequence[str]) -> str:
    """Return what the network that names attributes now reads; `others` is what has changed."""
    if not others:
        return say("gan.inside.same_attributes")
    told = reduce(
        lambda first, second: say("gan.inside.attributes", first=first, second=second),
        others[:_MOST_TOLD],
    )
    if len(others) <= _MOST_TOLD:
        return say("gan.inside.reads", attributes=told)
    return say("gan.inside.reads_more", attributes=told, number=len(others) - _MOST_TOLD)


def _value(reading: Reading, values: tuple[str, ...], row: int) -> str:
    return named("value", values[int(reading.values[row])])


def _code(picture: str, changes: list[Change]) -> str:
    """Return Python that makes the changed picture.

    Args:
        picture: Python that makes it unchanged, `GanView.snippet`.
    """
    if not changes:
        return picture
    lines, factors, added = [], [], []
    for change in changes:
        layer, units = change.layer, list(change.units)
        unit = f"({layer}, unit)"
        if change.mask is None:
            factors.append(f"{{{unit}: {change.factor:g} for unit in {units}}}")
            continue
        bits = np.packbits(change.mask).tobytes().hex()
        lines += [
            f'bits = np.frombuffer(bytes.fromhex("{bits}"), np.uint8)',
            f"mask_{layer} = np.unpackbits(bits).reshape({change.mask.shape})  # 1 where painted",
            f"paint_{layer} = {change.level:g} * peaks(model, {layer})  # of each unit",
        ]
        elsewhere = f"{change.factor:g} * (1 - mask_{layer})"
        factors.append(f"{{{unit}: {elsewhere} for unit in {units}}}")
        added.append(f"{{{unit}: paint_{layer}[unit] * mask_{layer} for unit in {units}}}")
    imports = "import numpy as np\n\n" if added else ""
    wanted = "alter, peaks" if added else "alter"
    head, _, call = picture.partition("picture = model.picture(\n")
    head = head.replace(
        "import genimg\n", f"{imports}import genimg\nfrom genimg.explore.inside import {wanted}\n"
    )
    made = "".join(f"{line}\n" for line in lines)
    made += f"picture = alter(\n    model,\n    factors={' | '.join(factors)},\n"
    made += f"    added={' | '.join(added)},\n" if added else ""
    return f"{head}{made}{call}"
