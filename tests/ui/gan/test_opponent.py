"""What the page shows of the discriminator's reasons, and the sliders that would convince it."""

import re

import numpy as np
import pytest

from genimg.explore.deciding import occlusion
from genimg.render import data_uri, overlay
from genimg.ui.gan.gauge import NOBODY_JUDGES
from genimg.ui.gan.handlers import LATENTS
from genimg.ui.gan.opponent import Opponent
from genimg.ui.gan.sliders import AMOUNT_STEP, DIRECTIONS

STILL = [0.0] * (DIRECTIONS + LATENTS)


@pytest.fixture
def opponent(handlers, shelf):
    return Opponent(shelf, handlers.acting)


def score(shelf, view):
    with shelf.use(view.checkpoint) as model:
        return model.judge(model.picture(**view.arguments())[None], view.label)[0]


def test_it_moves_sliders_that_are_shown_by_whole_steps_to_a_better_score(
    handlers, opponent, shelf
):
    for name in shelf.names[:2]:
        view = handlers.view(name, "Shoe", 2, 0.8, STILL)
        better = opponent.convince(view)
        assert score(shelf, better) > score(shelf, view)
        assert 0 < len(better.directions) <= handlers.acting(name)
        steps = np.array(better.directions) / AMOUNT_STEP
        np.testing.assert_allclose(steps, steps.round(), atol=1e-6)
        assert (better.seed, better.label) == (view.seed, view.label)


def test_the_maps_are_of_the_picture_that_is_shown(handlers, opponent, shelf):
    view = handlers.view(shelf.names[0], "Shoe", 2, 0.8, [1.0, *STILL[1:]])
    sources = re.findall(r'src="([^"]+)"', opponent.decides(view))
    with shelf.use(shelf.names[0]) as model:
        picture = model.picture(**view.arguments())
        falls = occlusion(model, picture, "Shoe")
    most = float(np.percentile(abs(falls), 99))
    shown = overlay(picture, falls, -most, most, 0.6, "diverging").resize((240, 240), 0)
    assert sources[0] == data_uri(shown, "png")
    assert len(sources) == 2


def test_without_a_discriminator_it_says_so(handlers, opponent, shelf, monkeypatch):
    view = handlers.view(shelf.names[0], "Shoe", 1, 1, STILL)
    with shelf.use(shelf.names[0]) as model:
        monkeypatch.setattr(model, "discriminator", None)
    assert opponent.decides(view) == NOBODY_JUDGES
    with pytest.raises(ValueError, match="ships without its discriminator"):
        opponent.convince(view)
