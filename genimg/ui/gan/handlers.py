"""What happens when a control of the GAN tab is moved: plain functions, no Gradio."""

import base64
import random
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

import numpy as np

from genimg.checks import require_number, require_whole_number, shown
from genimg.explore import GanModel
from genimg.render import animate, data_uri, grid, strip
from genimg.ui.gan.cells import sheet_of
from genimg.ui.gan.facts import facts_of
from genimg.ui.gan.sliders import (
    DIRECTIONS,
    FEW,
    MOST_MOMENTS,
    acting,
    count_directions,
    ends_of,
    moment_of,
    moments_of,
    moves,
    moves_sent,
    slider_labels,
)
from genimg.ui.gan.view import (
    FIRST_STEPS_BETWEEN,
    FIRST_TRUNCATION,
    LARGEST_SEED,
    STEPS_BETWEEN,
    TRUNCATION,
    GanView,
    GanWalk,
    seeds_in,
    walk_steps,
)
from genimg.ui.messages import sentence
from genimg.ui.model_shelf import ModelShelf
from genimg.ui.texts import choices, class_name, say, sent, span

LATENTS = 16
LONGEST_LINK = 8192
NEIGHBOURS = 16
_SHEET_COLUMNS = 16
_FRAMES_PER_SECOND = 30
_FILES = {"gif": "image/gif", "webp": "image/webp", "png": "image/png", "mp4": "video/mp4"}


class GanHandlers:
    """The functions behind the GAN tab. Pictures leave as data addresses of small exact PNGs.

    Every method checks every argument and raises ValueError with one sentence.
    """

    def __init__(self, shelf: ModelShelf[GanModel]) -> None:
        self.shelf = shelf
        self._frames = lru_cache(maxsize=16)(self._walk_frames)
        shelf.when_reloaded(self._frames.cache_clear)
        self.acting = lru_cache(maxsize=64)(self._count_acting)
        shelf.when_reloaded(self.acting.cache_clear)

    def first_view(self) -> GanView:
        """Return what is on the screen before anyone touched anything."""
        name = self.shelf.names[0]
        with self.shelf.use(name) as model:
            label = model.classes[min(9, len(model.classes) - 1)] if model.classes else None
            return GanView.checked(model, name, seed=5, label=label, truncation=FIRST_TRUNCATION)

    def view(
        self,
        checkpoint: str,
        label: Any,
        seed: Any,
        truncation: Any,
        amounts: Sequence[Any],
        age: Any = MOST_MOMENTS,
        code: Any = "",
        noise: Any = "own",
    ) -> GanView:
        """Return the view of the controls.

        Args:
            amounts: DIRECTIONS and then LATENTS numbers.
            age: which snapshot of the model, from 0; beyond the last it is the model itself.
            code: of a found picture, as text; '' without one.
            noise: "own", "off" or a seed as text.
        """
        with self.shelf.use(checkpoint) as model:
            return GanView.checked(
                model,
                checkpoint,
                seed=seed,
                # The hidden control of a model without classes still says what it last said.
                label=label if model.classes else None,
                truncation=truncation,
                moment=moment_of(model, age),
                **moves(
                    amounts[:DIRECTIONS][: count_directions(model)], amounts[DIRECTIONS:], model
                ),
                code=code,
                noise=noise,
            )

    def queried_view(self, query: Any) -> GanView:
        """Return the view of a query, as it came back from the browser; see `GanView.query`."""
        return self.linked_view(dict(parse_qsl(str(query)[:LONGEST_LINK])))

    def linked_view(self, query: Mapping[str, str]) -> GanView:
        """Return the view of a link."""
        name = self.shelf.named(query.get("model", ""))
        with self.shelf.use(name) as model:
            return GanView.from_query(model, {**query, "model": name})

    def linked_walk(self, query: Mapping[str, str], view: GanView) -> GanWalk:
        """Return the walk of a link whose picture is `view`, the inverse of `GanWalk.query`."""
        with self.shelf.use(view.checkpoint) as model:
            return GanWalk.from_query(model, query, view)

    def view_in(self, checkpoint: str, label: Any, seed: Any, truncation: Any) -> GanView:
        """Return the first view of a model: the seed and, where it has it, the class stay."""
        with self.shelf.use(checkpoint) as model:
            if label not in model.classes:
                label = model.classes[0] if model.classes else None
            return GanView.checked(model, checkpoint, seed=seed, label=label, truncation=truncation)

    def controls(self, view: GanView) -> dict[str, Any]:
        """Return what each control must show for a view: its value, choices and visibility."""
        with self.shelf.use(view.checkpoint) as model:
            classes = [(class_name(name), name) for name in model.classes]
            mapped = "w" in model.spaces
            latents = model.config.latent_dimensions
            labels = [
                {part: str(words) for part, words in each.items()}
                for each in slider_labels(model, DIRECTIONS)
            ]
            ages = moments_of(model)
        directions = max(self.acting(view.checkpoint), len(view.directions))
        moved = [*view.directions, *[0.0] * (DIRECTIONS - len(view.directions))]
        return {
            "checkpoint": {"value": view.checkpoint, "choices": choices(self.shelf.choices())},
            # Without classes the control is hidden and keeps its class for the next model.
            "label": (
                {"value": view.label, "choices": choices(classes), "visible": True}
                if classes
                else {"visible": False}
            ),
            "facts": {"value": span(self.facts(view.checkpoint))},
            "seed": {"value": view.seed},
            # Likewise: a view of a model without a mapping network has truncation 1, always.
            "truncation": (
                {"value": view.truncation, "visible": True} if mapped else {"visible": False}
            ),
            # A hidden one stays where it is: beyond what any model has, so that it means the end.
            "age": (
                {
                    "value": ages.index(view.moment) if view.moment in ages else len(ages),
                    "maximum": len(ages),
                    "visible": True,
                }
                if ages
                else {"value": MOST_MOMENTS, "maximum": MOST_MOMENTS, "visible": False}
            ),
            "directions": [
                {"value": amount, "visible": i < directions, **words}
                for i, (amount, words) in enumerate(zip(moved, labels, strict=True))
            ],
            "more": {"visible": directions > FEW},
            "latents": [
                {"value": view.latents.get(i, 0.0), "visible": i < latents} for i in range(LATENTS)
            ],
            "noise": {"value": str(view.noise), "visible": mapped},
            "code": {"value": view.code},
        }

    def is_mapped(self, checkpoint: str) -> bool:
        """Return whether a model has a mapping network, and so the space w and truncation."""
        with self.shelf.use(checkpoint) as model:
            return "w" in model.spaces

    def check_seed(self, seed: Any) -> None:
        """Raise ValueError, one sentence, unless this is a seed."""
        require_whole_number("the seed", seed, 0, LARGEST_SEED)

    def picture(self, view: GanView) -> dict[str, Any]:
        """Return the picture, its caption and its link."""
        with self.shelf.use(view.checkpoint) as model:
            pixels = view.model_in(model).picture(**view.arguments())
        return {
            "src": data_uri(pixels, "png"),
            "caption": sent(view.caption()),
            "query": view.query(),
        }

    def neighbours(self, view: GanView) -> dict[str, Any]:
        """Return a sheet of NEIGHBOURS pictures, the first of them the picture itself."""
        with self.shelf.use(view.checkpoint) as model:
            pixels = view.model_in(model).neighbours(NEIGHBOURS, **view.arguments())
        others = (say("gan.neighbours.neighbour", number=i) for i in range(1, NEIGHBOURS))
        names = [say("gan.neighbours.itself"), *others]
        return sheet_of(pixels, names, say("gan.neighbours.about"), query=view.query())

    def ends(self, view: GanView) -> dict[str, Any]:
        """Return the picture at both ends of each slider that is shown, as data addresses."""
        count = max(self.acting(view.checkpoint), len(view.directions))
        with self.shelf.use(view.checkpoint) as model:
            pictures = ends_of(view.model_in(model), view, count)
        return {"ends": [[data_uri(end, "png") for end in pair] for pair in pictures]}

    def first_walk(self) -> GanWalk:
        """Return the walk that is there before anyone asked for one."""
        view = self.first_view()
        seeds = f"{view.seed}, 23, 42"
        return self.walk(
            view.checkpoint,
            view.label,
            view.truncation,
            seeds,
            FIRST_STEPS_BETWEEN,
            "slerp",
            "z",
            True,
        )

    def walk(
        self,
        checkpoint: str,
        label: Any,
        truncation: Any,
        seeds: Any,
        between: Any,
        mode: Any,
        space: Any,
        loop: Any,
        amounts: Sequence[Any] = (),
    ) -> GanWalk:
        """Return the walk of the controls.

        Args:
            between: steps from seed to seed.
            amounts: of the sliders, as for `view`; every picture of the walk is moved by them.
        """
        numbers = seeds_in(seeds)
        if between not in range(STEPS_BETWEEN[0], STEPS_BETWEEN[1] + 1):
            low, high = STEPS_BETWEEN
            raise ValueError(say("gan.walk.steps", low=low, high=high))
        steps = walk_steps(len(numbers), int(between), bool(loop))
        with self.shelf.use(checkpoint) as model:
            return GanWalk.checked(
                model,
                checkpoint,
                seeds=numbers,
                steps=steps,
                mode=mode,
                space=space,
                label=label if model.classes else None,
                truncation=truncation,
                loop=loop,
                **moves(
                    amounts[:DIRECTIONS][: count_directions(model)], amounts[DIRECTIONS:], model
                ),
            )

    def staleness(self, shown: Any, *controls: Any) -> str:
        """Return HTML: what to say of the walk on the screen; '' if it is that of the controls.

        Args:
            shown: the Python of the walk on the screen.
            controls: as for `walk`.
        """
        if self.snippet(self.walk(*controls)) == shown:
            return ""
        return span(say("gan.walk.stale"))

    def anachronism(self, checkpoint: str, age: Any, noise: Any = "own") -> str:
        """Return HTML: what to say of a walk beside a picture of another age or noise; '' else."""
        with self.shelf.use(checkpoint) as model:
            older = moment_of(model, age) is not None
            own = noise == "own" or "w" not in model.spaces
        if own:
            return span(say("gan.walk.shows_trained")) if older else ""
        return span(say("gan.walk.shows_both" if older else "gan.walk.shows_noise"))

    def snippet(self, view: GanView | GanWalk) -> str:
        """Return Python that makes what a view shows."""
        with self.shelf.use(view.checkpoint) as model:
            named = tuple(model.named_directions)
        return view.snippet(self.shelf.source(view.checkpoint), named)

    def film(self, walk: GanWalk) -> dict[str, Any]:
        """Return all frames of a walk as one picture, and what the player must know of it."""
        frames = self._frames(walk)
        return {
            "sheet": data_uri(strip(frames, min(_SHEET_COLUMNS, len(frames))), "png"),
            "columns": min(_SHEET_COLUMNS, len(frames)),
            "frames": len(frames),
            "height": frames.shape[1],
            "width": frames.shape[2],
            "framesPerSecond": _FRAMES_PER_SECOND,
            "caption": sent(walk.caption()),
            "keyframes": walk.keyframes(),
            "seeds": list(walk.seeds),
            "label": sent(say("gan.player.none") if walk.label is None else class_name(walk.label)),
            "walk": _for_the_browser({"checkpoint": walk.checkpoint, **walk.arguments()}),
            "query": walk.query(),
        }

    def export(self, request: Any) -> dict[str, Any]:
        """Return a file of the walk that a player shows, or one sentence that says why not.

        Args:
            request: {"walk": the entry of `film`, "format": "gif", "webp", "mp4" or "png"}, as
                it came from the browser.

        Returns:
            {"name", "src"} with the file as a data address, or {"error"}.
        """
        try:
            if not isinstance(request, dict) or not isinstance(request.get("walk"), dict):
                raise ValueError(say("gan.walk.none"))
            defaults: dict[str, Any] = {
                "label": None,
                "truncation": 1.0,
                "directions": [],
                "latents": {},
            }
            wanted = defaults | request["walk"]
            name = wanted.pop("checkpoint", "")
            if set(wanted) != {*defaults, "seeds", "steps", "mode", "space", "loop"}:
                raise ValueError(say("gan.walk.unknown"))
            wanted |= moves_sent(wanted["directions"], wanted["latents"])
            with self.shelf.use(name) as model:
                walk = GanWalk.checked(model, name, **wanted)
            return {
                "name": f"walk.{request.get('format')}",
                "src": self._file(walk, request.get("format")),
            }
        except ValueError as error:
            return {"error": sent(sentence(error))}

    def sample(
        self,
        checkpoint: str,
        count: int = 16,
        seed: int = 0,
        label: str = "",
        truncation: float = 1.0,
    ) -> str:
        """New pictures of a checkpoint as one PNG, a data address.

        Args:
            checkpoint: a name that the page offers.
            count: pictures, 1 to 100.
            seed: which pictures, 0 to 4294967295.
            label: a class name; empty for all classes in turn.
            truncation: 0 (the average) to 1.5 (varied); 1 for models without a mapping network.
        """
        require_whole_number("count", count, 1, 100)
        self.check_seed(seed)
        require_number("truncation", truncation, *TRUNCATION)
        if not isinstance(label, str):
            raise ValueError(say("gan.no_class", given=shown(label)))
        with self.shelf.use(checkpoint) as model:
            pixels = model.sample(count, seed=seed, label=label or None, truncation=truncation)
        return data_uri(grid(pixels), "png")

    def interpolate(
        self,
        checkpoint: str,
        seeds: str = "1, 7, 42",
        steps: int = 72,
        mode: str = "slerp",
        space: str = "z",
        label: str = "",
        truncation: float = 1.0,
        loop: bool = True,
        format: str = "gif",
    ) -> str:
        """A walk from seed to seed as an animated file, a data address.

        Args:
            checkpoint: a name that the page offers.
            seeds: 2 to 6 seeds with commas between them.
            steps: pictures in all, 2 to 288.
            mode: lerp (straight) or slerp (round the sphere).
            space: z, or w for a model with a mapping network.
            label: a class name; empty for the first class.
            truncation: 0 (the average) to 1.5 (varied).
            loop: whether to go back to the first seed.
            format: gif, webp, mp4, or png for a still sheet of all frames.
        """
        with self.shelf.use(checkpoint) as model:
            walk = GanWalk.checked(
                model,
                checkpoint,
                seeds=seeds_in(seeds),
                steps=steps,
                mode=mode,
                space=space,
                label=label or (model.classes[0] if model.classes else None),
                truncation=truncation,
                loop=loop,
            )
        return self._file(walk, format)

    def facts(self, name: str) -> str:
        """Return one line about the model and the machine."""
        with self.shelf.use(name) as model:
            card = model.info
        return facts_of(card, self.acting(name))

    def _count_acting(self, checkpoint: str) -> int:
        with self.shelf.use(checkpoint) as model:
            return acting(model, count_directions(model))

    def _walk_frames(self, walk: GanWalk) -> np.ndarray:
        with self.shelf.use(walk.checkpoint) as model:
            return model.interpolate(**walk.arguments())

    def _file(self, walk: GanWalk, format: Any) -> str:
        if not isinstance(format, str) or format not in _FILES:
            raise ValueError(say("gan.walk.format", formats=list(_FILES), given=shown(format)))
        frames = self._frames(walk)
        if format == "png":
            return data_uri(strip(frames), "png")
        content = animate(frames, format, frames_per_second=_FRAMES_PER_SECOND)
        return f"data:{_FILES[format]};base64,{base64.b64encode(content).decode('ascii')}"


def _for_the_browser(walk: dict[str, Any]) -> dict[str, Any]:
    """Return a walk whose every key is a text; `moves_sent` undoes it."""
    if "latents" not in walk:
        return walk
    return walk | {"latents": {str(i): amount for i, amount in walk["latents"].items()}}


def random_seed() -> int:
    """Return a seed that is short enough to read out in a classroom."""
    return random.randrange(10_000)
