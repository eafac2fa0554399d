"""The discriminator on the GAN tab: what it says of a picture, why, and what would convince it."""

import dataclasses
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from genimg.explore import GanModel
from genimg.explore.deciding import convince, input_gradient, occlusion
from genimg.explore.judging import UsualScores, usual_scores
from genimg.render import data_uri, heat_map, overlay
from genimg.ui.gan.gauge import NOBODY_JUDGES, gauge
from genimg.ui.gan.sliders import in_slider_steps
from genimg.ui.gan.view import GanView
from genimg.ui.model_shelf import ModelShelf
from genimg.ui.texts import attribute, say, span

_MAP_PIXELS = 240
_SURE = 99  # percentile that has the last colour: one odd pixel must not make all others pale


class Opponent:
    """Asks the discriminator of the model of a view.

    Args:
        shelf: the models.
        acting: how many sliders a model has, by its name.
    """

    def __init__(self, shelf: ModelShelf[GanModel], acting: Callable[[str], int]) -> None:
        self.shelf, self.acting = shelf, acting
        self._usual_scores = lru_cache(maxsize=128)(self._measure_scores)
        shelf.when_reloaded(self._usual_scores.cache_clear)

    def gauge(self, view: GanView) -> str:
        """Return what the discriminator says of the picture, as HTML."""
        with self.shelf.use(view.checkpoint) as model:
            judging = view.model_in(model)
            if judging.discriminator is None:
                return NOBODY_JUDGES
            picture = judging.picture(**view.arguments())
            score = float(judging.judge(picture[None], view.label)[0])
        return gauge(score, self._usual_scores(view.checkpoint, view.moment))

    def decides(self, view: GanView) -> str:
        """Return two maps of what in the picture decides the score, as HTML."""
        with self.shelf.use(view.checkpoint) as model:
            judging = view.model_in(model)
            if judging.discriminator is None:
                return NOBODY_JUDGES
            picture = judging.picture(**view.arguments())
            falls = occlusion(judging, picture, view.label)
            reacts = input_gradient(judging, picture, view.label)
        most = max(float(np.percentile(abs(falls), _SURE)), 1e-6)
        strongest = max(float(np.percentile(reacts, _SURE)), 1e-9)
        hidden = overlay(picture, falls, -most, most, 0.6, "diverging")
        gradient = heat_map(reacts, low=0, high=strongest, size_px=_MAP_PIXELS)
        occlusion_map = hidden.resize((_MAP_PIXELS, _MAP_PIXELS), 0)
        about = say("gan.decides.occlusion_about", most=f"{most:.2g}")
        return (
            f'<div class="decides">{_figure("occlusion", occlusion_map, about)}'
            f"{_figure('gradient', gradient, say('gan.decides.gradient_about'))}</div>"
        )

    def convince(self, view: GanView) -> GanView:
        """Return the view moved a little along the sliders, where the score is better.

        Raises:
            ValueError: the model has no discriminator.
        """
        # Only what has a slider: what a visitor cannot see must not move.
        count = max(self.acting(view.checkpoint), len(view.directions))
        with self.shelf.use(view.checkpoint) as model:
            amounts = convince(view.model_in(model), **view.arguments(), count=count)
        return dataclasses.replace(view, directions=tuple(in_slider_steps(amounts)))

    def _measure_scores(self, checkpoint: str, moment: int | None) -> UsualScores:
        with self.shelf.use(checkpoint) as model:
            return usual_scores(model if moment is None else model.at(moment))


def _figure(name: str, picture: Any, about: str) -> str:
    alternative = attribute("alt", say(f"gan.decides.{name}"))
    return (
        f'<figure><img src="{data_uri(picture, "png")}" {alternative}>'
        f"<figcaption>{span(about)}</figcaption></figure>"
    )
