"""What the Compare tab shows: plain functions, no Gradio."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

import numpy as np

from genimg import checkpoints
from genimg.checkpoints import CheckpointError
from genimg.checks import require_whole_number
from genimg.explore import DrawerModel, GanModel
from genimg.explore.comparing import (
    Maker,
    classes_of_both,
    decoded,
    decoders_of,
    detail_of,
    numbers_of,
    partner,
    seconds_per_picture,
)
from genimg.explore.local_data import pictures_here
from genimg.explore.neighbours import training_pictures
from genimg.render import data_uri, grid
from genimg.ui.compare.figures import SIDES, figures
from genimg.ui.messages import dataset_words, sentence
from genimg.ui.model_shelf import ModelShelf
from genimg.ui.texts import attribute, class_name, say, span
from genimg.ui.transformer.drawing_view import ANY_CLASS, LARGEST_SEED, class_words

PICTURES = 12
_COLUMNS = 4
_NEIGHBOURS = 4
_BRIDGED = 6
_KEPT = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class CompareView:
    """What is compared.

    Attributes:
        gan, drawer: names of models on their shelves.
        label: a class that both know; None for any.
        seed: which pictures.
    """

    gan: str
    drawer: str
    label: str | None
    seed: int

    def query(self) -> str:
        """Return the view as the query of an address."""
        entries: dict[str, Any] = {"compared": self.gan, "with": self.drawer}
        if self.label is not None:
            entries["compared_class"] = self.label
        return urlencode(entries | {"compared_seed": self.seed})


class CompareHandlers:
    """The functions behind the tab. Every method raises ValueError with one sentence.

    Args:
        gans, drawers: where the models stand.
    """

    def __init__(self, gans: ModelShelf[GanModel], drawers: ModelShelf[DrawerModel]) -> None:
        self.gans, self.drawers = gans, drawers
        self._columns = lru_cache(maxsize=_KEPT)(self._make_columns)
        self._figures = lru_cache(maxsize=_KEPT)(self._measure)
        for shelf in (gans, drawers):
            for kept in (self._columns, self._figures):
                shelf.when_reloaded(kept.cache_clear)

    def first_view(self) -> CompareView:
        """Return what is on the screen before anyone touched anything."""
        gan = self.gans.names[0]
        drawer = self.drawer_for(gan, self.drawers.names[0])
        classes = self.classes(gan, drawer)
        return CompareView(gan=gan, drawer=drawer, label=classes[0] if classes else None, seed=1)

    def drawer_for(self, gan: str, drawer: str) -> str:
        """Return the image GPT to put beside a GAN: this one, or the first of its data set."""
        with self.gans.use(gan) as model:
            own = model.info.get("dataset")
        return partner(self.drawers.named(drawer), _datasets(self.drawers), own)

    def gan_for(self, drawer: str, gan: str) -> str:
        """Return the GAN to put beside an image GPT, likewise."""
        with self.drawers.use(drawer) as model:
            own = model.info.get("dataset")
        return partner(self.gans.named(gan), _datasets(self.gans), own)

    def classes(self, gan: str, drawer: str) -> list[str]:
        """Return the classes that both models know."""
        with self.gans.use(gan) as one, self.drawers.use(drawer) as other:
            return classes_of_both(one.classes, other.classes)

    def choices(self, gan: str, drawer: str) -> list[tuple[str, str | int]]:
        """Return (what to show, value) of each class to choose from, the first for any class."""
        named = [(class_words(name), name) for name in self.classes(gan, drawer)]
        return [(say("compare.any_class"), ANY_CLASS), *named]

    def view(self, gan: Any, drawer: Any, label: Any, seed: Any) -> CompareView:
        """Return the view of the controls; the label may be ANY_CLASS."""
        gan, drawer = self.gans.named(gan), self.drawers.named(drawer)
        known = self.classes(gan, drawer)
        if label != ANY_CLASS and label not in known:
            names = [class_name(name) for name in known] or say("compare.no_class")
            raise ValueError(say("compare.known_classes", names=names))
        require_whole_number("the seed", seed, 0, LARGEST_SEED)
        chosen = None if label == ANY_CLASS else label
        return CompareView(gan=gan, drawer=drawer, label=chosen, seed=int(seed))

    def linked_view(self, query: Mapping[str, str]) -> CompareView:
        """Return the view of a link, the inverse of `CompareView.query`."""
        seed = query.get("compared_seed", "")
        if not seed.isdecimal():
            raise ValueError(say("compare.damaged_link"))
        label = query.get("compared_class", ANY_CLASS)
        return self.view(query.get("compared", ""), query.get("with", ""), label, int(seed))

    def code(self, view: CompareView) -> str:
        """Return Python that makes the pictures of a view."""
        label = None if view.label is None else [view.label] * PICTURES
        spelled = "None" if label is None else f"[{json.dumps(view.label)}] * {PICTURES}"
        sources = self.gans.source(view.gan), self.drawers.source(view.drawer)
        return (
            "import genimg\nfrom genimg.render import grid\n\n"
            f"for name in {json.dumps(sources)}:\n"
            "    model = genimg.load(name)\n"
            f"    pictures = model.sample({PICTURES}, seed={view.seed}, label={spelled})\n"
            '    grid(pictures).save(f"{model.kind}.png")\n'
            '    print(model.info.get("metrics"))\n'
        )

    def samples(self, view: CompareView) -> str:
        """Return HTML: pictures of both models beside real ones."""
        return f'<div class="sides">{self._columns(view)}{_real_column(self._real(view))}</div>'

    def _make_columns(self, view: CompareView) -> str:
        columns = []
        for shelf, name, side in self._both(view):
            with shelf.use(name) as model:
                columns.append(_column(side, _made(model, view.label, view.seed)))
        return "".join(columns)

    def copies(self, view: CompareView) -> str:
        """Return HTML: the first picture of each model and the training pictures nearest to it."""
        columns = []
        for shelf, name, side in self._both(view):
            with shelf.use(name) as model:
                first = _made(model, view.label, view.seed, 1)[0]
                dataset, size = model.info.get("dataset"), model.config.size
            title = span(say(f"compare.side.{side}"))
            columns.append(f"<section><h3>{title}</h3>{_nearest(first, dataset, size)}</section>")
        return f'<div class="sides">{"".join(columns)}</div>'

    def table(self, view: CompareView) -> str:
        """Return HTML: what was measured of both models, and what each of them can do."""
        return self._figures(replace(view, seed=0))  # which pictures does not matter

    def _measure(self, view: CompareView) -> str:
        # One shelf at a time: whoever uses the other does not wait for the clock.
        with self.gans.use(view.gan) as gan:
            seconds = [seconds_per_picture(gan, view.label if gan.classes else None)]
        with self.drawers.use(view.drawer) as drawer:
            seconds.append(seconds_per_picture(drawer, view.label))
        with self.gans.use(view.gan) as gan, self.drawers.use(view.drawer) as drawer:
            learned = [info.get("dataset") for info in (gan.info, drawer.info)]
            table = figures(gan, drawer, seconds)
        if learned[0] == learned[1]:
            return table
        one, other = (
            dataset_words(name) if name else say("compare.unknown_dataset") for name in learned
        )
        return f"<p>{span(say('compare.not_comparable', one=one, other=other))}</p>{table}"

    def bridge(self, view: CompareView) -> str:
        """Return HTML: real pictures as two decoders make them of the same tokens."""
        with self.drawers.use(view.drawer) as model:
            own, dataset, size = model.tokenizer, model.info.get("dataset"), model.config.size
        critic, plain = decoders_of(own)
        if not critic or not plain:
            return f"<p>{span(say('compare.no_second_decoder'))}</p>"
        try:
            split = pictures_here(dataset, size, "test")
            numbers = numbers_of(split, view.label, view.seed, _BRIDGED)
        except ValueError as error:
            return f"<p>{span(sentence(error))}</p>"
        images = split.images[numbers].permute(0, 2, 3, 1).numpy().copy()
        with_critic, without = decoded([critic, plain], images)
        detail = say("compare.bridge.detail", detail=f"{detail_of(images):.1f}")
        rows = [_bridge_row(say("compare.bridge.real"), detail, images)]
        made = {"with": (critic, with_critic), "without": (plain, without)}
        for name, (tokenizer, found) in made.items():
            said = {"error": f"{found.error:.1f}", "detail": f"{found.detail:.1f}"}
            words = say("compare.bridge.measured", **said)
            measured = tokenizer.info.get("metrics", {}).get("reconstruction_frechet_distance")
            if measured:
                distance = f"{measured['value']:.2f}"
                words = say("compare.bridge.measured_all", **said, distance=distance)
            rows.append(_bridge_row(say(f"compare.bridge.{name}"), words, found.pictures))
        return "".join(rows)

    def _both(self, view: CompareView) -> tuple[tuple[ModelShelf[Any], str, str], ...]:
        gan, drawer = SIDES
        return (self.gans, view.gan, gan), (self.drawers, view.drawer, drawer)

    def _real(self, view: CompareView) -> np.ndarray | ValueError:
        with self.gans.use(view.gan) as model:
            dataset, size = model.info.get("dataset"), model.config.size
        try:
            split = pictures_here(dataset, size, "test")
            return split.pictures()[numbers_of(split, view.label, view.seed, PICTURES)]
        except ValueError as error:
            return error


def _datasets(shelf: ModelShelf[Any]) -> dict[str, str | None]:
    """Return the data set of each model on a shelf that ships, by name; from the cards alone."""
    found = {}
    for name in shelf.names:
        try:
            found[name] = checkpoints.read_card(checkpoints.find(name)).get("dataset")
        except CheckpointError:  # a run, or a damaged checkpoint, which says so when it is chosen
            found[name] = None
    return found


def _made(model: Maker, label: str | None, seed: int, count: int = PICTURES) -> np.ndarray:
    labels = [label] * count if label is not None and model.classes else None
    return model.sample(count, seed=seed, label=labels)


def _nearest(picture: np.ndarray, dataset: str | None, size: int) -> str:
    """Return HTML: the training pictures nearest to a picture, or why there are none."""
    try:
        known = training_pictures(dataset, size)
    except ValueError as error:
        return f"<p>{span(sentence(error))}</p>"
    near = known.nearest(picture, min(_NEIGHBOURS, len(known.training)))
    shown = "".join(
        f'<img src="{data_uri(each, "png")}"'
        f" {attribute('alt', say('compare.copies.training', number=str(number)))}>"
        for each, number in zip(near.pictures, near.numbers, strict=True)
    )
    said = (
        say("compare.copies.nearest")
        if near.ratio is None
        else say("compare.copies.ratio", ratio=f"{near.ratio:.2f}")
    )
    alternative = attribute("alt", say("compare.copies.first"))
    return (
        f'<div class="near"><img src="{data_uri(picture, "png")}" {alternative}>'
        f"<span>→</span>{shown}</div><p>{span(said)}</p>"
    )


def _column(side: str, pictures: np.ndarray, below: str = "") -> str:
    address = data_uri(grid(pictures, _COLUMNS, gap=1), "png")
    title = span(say(f"compare.side.{side}"))
    alternative = attribute("alt", say(f"compare.sheet.{side}", count=len(pictures)))
    return (
        f'<section><h2>{title}</h2><img class="sheet" src="{address}" {alternative}>'
        f"{below}</section>"
    )


def _real_column(pictures: np.ndarray | ValueError) -> str:
    if isinstance(pictures, ValueError):
        title, reason = span(say("compare.side.real")), span(sentence(pictures))
        return f"<section><h2>{title}</h2><p>{reason}</p></section>"
    return _column("real", pictures, f"<p>{span(say('compare.unseen'))}</p>")


def _bridge_row(title: str, said: str, pictures: np.ndarray) -> str:
    address = data_uri(grid(pictures, len(pictures), gap=1), "png")
    return (
        f"<figure><figcaption><b>{span(title)}</b><br>{span(said)}</figcaption>"
        f'<img src="{address}" {attribute("alt", title)}></figure>'
    )
