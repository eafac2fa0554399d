"""What pictures make together: a map, a sum, ways to other classes, mixed layers. No Gradio.

What comes from the browser names pictures by their queries (see `GanView.query`). The server keeps
nothing: every answer follows from what was asked.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from genimg.checks import require_whole_number
from genimg.explore.combining import between_classes, combine, plane, plane_weights
from genimg.explore.mixing import layers_of, mix_layers
from genimg.render import data_uri, grid
from genimg.ui.gan.cells import chosen_cell, sheet_of
from genimg.ui.gan.handlers import GanHandlers
from genimg.ui.gan.view import GanView, opened
from genimg.ui.texts import class_name, say, sent

SIDE = 9
FIRST_SEEDS = (23, 42, 7)
STEPS = 7
MOST_WAYS = 9


class Blending:
    """The functions behind the map, the ways between classes, and the seeds of the layers.

    Every method checks every argument and raises ValueError with one sentence.
    """

    def __init__(self, handlers: GanHandlers) -> None:
        self.handlers, self.shelf = handlers, handlers.shelf

    def draw_map(self, asked: Any) -> tuple[dict[str, Any], str]:
        """Return what `static/plane.js` shows of three pictures, and Python that makes it.

        Args:
            asked: {"here": the query of the picture on the stage, "slots": the queries of the last
                map or none, "put": 0, 1 or 2 to have the picture there}.
        """
        asked = asked if isinstance(asked, dict) else {}
        here = self.handlers.queried_view(asked.get("here", ""))
        views = self._views(asked.get("slots"), here)
        if asked.get("put") is not None:
            require_whole_number("the place", asked["put"], 0, 2)
            views[asked["put"]] = here
        places = [view.arguments() for view in views]
        lines = []
        for row in range(SIDE):
            with self.shelf.use(here.checkpoint) as model:  # others get it between two rows
                drawn = here.model_in(model)
                lines.append(plane(drawn, *places, side=SIDE, rows=range(row, row + 1))[0])
        pictures = np.stack(lines)
        corners = [pictures[0, 0], pictures[0, -1], pictures[-1, -1]]
        value = {
            "src": data_uri(grid(pictures.reshape(SIDE**2, *pictures.shape[2:]), SIDE), "png"),
            "side": SIDE,
            "slots": [
                {
                    "query": view.query(),
                    "src": data_uri(corner, "png"),
                    "caption": sent(view.caption()),
                }
                for view, corner in zip(views, corners, strict=True)
            ],
        }
        named = [f"{name} = {place!r}" for name, place in zip("abc", places, strict=True)]
        return value, self._python(
            here,
            ["from genimg.explore.combining import plane", "from genimg.render import grid"],
            [
                *named,
                f"pictures = plane(model, a, b, c, side={SIDE})  # uint8 ({SIDE}, {SIDE}, H, W, C)",
                f"sheet = grid(pictures.reshape({SIDE**2}, *pictures.shape[2:]), {SIDE})",
                'sheet.save("map.png")',
            ],
        )

    def on_the_map(self, asked: Any) -> GanView:
        """Return the view of a picture of the map.

        Args:
            asked: {"slots": the queries of the map, "row", "column"}.
        """
        asked = asked if isinstance(asked, dict) else {}
        slots = asked.get("slots")
        if not isinstance(slots, list) or len(slots) != 3:
            raise ValueError(say("gan.plane.none"))
        views = [self.handlers.queried_view(query) for query in slots]
        weights = plane_weights(SIDE, asked.get("row"), asked.get("column"))
        first = views[0]
        if len({view.checkpoint for view in views}) > 1:
            raise ValueError(say("gan.plane.none"))
        with self.shelf.use(first.checkpoint) as model:
            place = combine(first.model_in(model), [view.arguments() for view in views], weights)
            return _view(model, first, place)

    def ways(self, asked: Any) -> tuple[dict[str, Any], str]:
        """Return the ways from the class of the picture to others, a row each, and their Python.

        Args:
            asked: {"here": the query of the picture on the stage}.
        """
        asked = asked if isinstance(asked, dict) else {}
        here = self.handlers.queried_view(asked.get("here", ""))
        rows = self._ways(here)
        pictures = []
        for row in rows:
            with self.shelf.use(here.checkpoint) as model:
                drawn = here.model_in(model)
                pictures += [drawn.picture(**place) for place in row]
        others = [row[-1]["label"] for row in rows]
        own, called = class_name(here.label or ""), [class_name(other) for other in others]
        names = [
            say(
                "gan.ways.cell",
                share=f"{100 * (STEPS - 1 - step) / (STEPS - 1):.0f}",
                here=own,
                rest=f"{100 * step / (STEPS - 1):.0f}",
                other=other,
            )
            for other in called
            for step in range(STEPS)
        ]
        words = say("gan.ways.about", here=own, others=called)
        value = sheet_of(np.stack(pictures), names, words, columns=STEPS, query=here.query())
        still = {name: part for name, part in here.arguments().items() if name != "label"}
        return value, self._python(
            here,
            [
                "from genimg.explore.combining import between_classes",
                "from genimg.render import strip",
            ],
            [
                f"labels = {[here.label, others[0]]!r}",
                f"way = between_classes(model, labels, steps={STEPS}, place={still!r})",
                "pictures = np.stack([model.picture(**place) for place in way])",
                'strip(pictures).save("classes.png")',
            ],
            numpy=True,
        )

    def on_a_way(self, asked: Any) -> GanView:
        """Return the view of a picture of `ways`.

        Args:
            asked: {"cell", "query"}, as the sheet says.
        """
        cell, query = chosen_cell(asked, MOST_WAYS * STEPS)
        here = self.handlers.queried_view(query)
        places = [place for row in self._ways(here) for place in row]
        if cell >= len(places):
            raise ValueError(say("gan.ways.none"))
        with self.shelf.use(here.checkpoint) as model:
            return _view(model, here, places[cell])

    def layers(self, asked: Any) -> tuple[dict[str, Any], str]:
        """Return the picture whose layers have the styles of several seeds, and its Python.

        Args:
            asked: {"here": the query of the picture on the stage, "seeds": one for each layer;
                others than that many begin anew}.
        """
        asked = asked if isinstance(asked, dict) else {}
        here = self.handlers.queried_view(asked.get("here", ""))
        seeds = asked.get("seeds")
        with self.shelf.use(here.checkpoint) as model:
            count = layers_of(model)
            if not isinstance(seeds, list) or len(seeds) != count:
                seeds = [here.seed] * (count // 2) + [FIRST_SEEDS[0]] * (count - count // 2)
            drawn = here.model_in(model)
            picture = mix_layers(drawn, seeds, label=here.label, truncation=here.truncation)
            sizes = list(drawn.generator.noise_sizes)
        value = {"src": data_uri(picture, "png"), "seeds": seeds, "sizes": sizes}
        return value, self._python(
            here,
            ["from genimg.explore.mixing import mix_layers", "from genimg.render import enlarge"],
            [
                f"seeds = {seeds!r}",
                f"picture = mix_layers(model, seeds, label={here.label!r},"
                f" truncation={here.truncation!r})",
                'enlarge(picture, 512).save("layers.png")',
            ],
        )

    def _views(self, slots: Any, here: GanView) -> list[GanView]:
        """Return the three pictures of a map: of the model of `here`, of its age and its noise."""
        if isinstance(slots, list) and len(slots) == 3:
            views = [self.handlers.queried_view(query) for query in slots]
            if all(view.checkpoint == here.checkpoint for view in views):
                return [
                    dataclasses.replace(view, moment=here.moment, noise=here.noise)
                    for view in views
                ]
        others = [seed for seed in FIRST_SEEDS if seed != here.seed][:2]
        plain = dataclasses.replace(here, directions=(), latents={}, code="")
        return [here, *(dataclasses.replace(plain, seed=seed) for seed in others)]

    def _ways(self, here: GanView) -> list[list[dict[str, Any]]]:
        """Return the places of `ways`, a list for each other class."""
        still = {name: part for name, part in here.arguments().items() if name != "label"}
        with self.shelf.use(here.checkpoint) as model:
            others = [label for label in model.classes if label != here.label][:MOST_WAYS]
            if not others:
                raise ValueError(say("gan.ways.one_kind"))
            drawn = here.model_in(model)
            return [
                between_classes(drawn, [here.label or "", other], steps=STEPS, place=still)
                for other in others
            ]

    def _python(
        self, here: GanView, imports: list[str], lines: list[str], numpy: bool = False
    ) -> str:
        head = ["import numpy as np", ""] if numpy else []
        model = f"model = {opened(here, self.shelf.source(here.checkpoint))}"
        return "\n".join([*head, "import genimg", *imports, "", model, *lines, ""])


def _view(model: Any, like: GanView, place: Mapping[str, Any]) -> GanView:
    """Return the view of a place, with the age and the noise of another view."""
    return GanView.checked(
        model,
        like.checkpoint,
        seed=place["seed"],
        label=place.get("label"),
        truncation=place.get("truncation", 1.0),
        moment=like.moment,
        directions=place.get("directions", ()),
        latents=place.get("latents"),
        code=place.get("code", ""),
        noise=like.noise,
    )
