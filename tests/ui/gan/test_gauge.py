"""The gauge says what `judge` says, among the scores of real and generated pictures."""

import re

import numpy as np
import pytest

from genimg.explore.judging import UsualScores, share_below, usual_scores
from genimg.ui.gan.gauge import NOBODY_JUDGES, gauge
from genimg.ui.gan.handlers import LATENTS
from genimg.ui.gan.opponent import Opponent
from genimg.ui.gan.sliders import DIRECTIONS

STILL = [0.0] * (DIRECTIONS + LATENTS)


@pytest.fixture
def opponent(handlers, shelf):
    return Opponent(shelf, handlers.acting)


def test_it_says_what_judge_says(handlers, opponent, shelf):
    name = shelf.names[0]
    for seed, moved in ((1, 0.0), (2, 3.0)):
        view = handlers.view(name, "Shoe", seed, 0.8, [moved, *STILL[1:]])
        with shelf.use(name) as model:
            score = model.judge(model.picture(**view.arguments())[None], "Shoe")[0]
            drawn = usual_scores(model).drawn
        text = opponent.gauge(view)
        assert f"gets {score:+.1f}:" in text
        assert f"higher than {in_words((drawn < score).mean())} generated" in text
        assert "No real ones are at hand" in text  # the made-up model learned from nothing


def in_words(share):
    percent = round(100 * share)
    return {0: "almost no", 100: "nearly all"}.get(percent, f"{percent} % of")


def test_the_mark_stands_where_the_score_is():
    scores = UsualScores(np.linspace(-3, 1, 50), np.linspace(0, 4, 60))
    places = []
    for score in (-3.0, 0.5, 4.0):
        text = gauge(score, scores)
        places.append(float(re.search(r'class="here" x1="([\d.]+)"', text)[1]))
        assert f"and {in_words(share_below(scores.real, score))} real ones" in text
    assert places == sorted(places)
    assert places[1] == pytest.approx(240, abs=1)


@pytest.mark.parametrize("score", [-1e6, 0.0, 1e6])
def test_any_score_stays_in_the_drawing(score):
    text = gauge(score, UsualScores(np.zeros(3), None))
    numbers = [float(x) for x in re.findall(r"-?\d+\.\d", text.split("<p>")[0].split("/>")[0])]
    assert all(-1 <= number <= 481 for number in numbers if abs(number) != abs(score))
    assert 0 <= float(re.search(r'x1="([\d.]+)"', text)[1]) <= 480
    assert "nan" not in text


def test_without_a_discriminator_it_says_so(handlers, opponent, shelf, monkeypatch):
    view = handlers.view(shelf.names[0], "Shoe", 1, 1, STILL)
    with shelf.use(shelf.names[0]) as model:
        monkeypatch.setattr(model, "discriminator", None)
    assert opponent.gauge(view) == NOBODY_JUDGES


def test_real_pictures_are_compared_where_a_sample_ships():
    import genimg

    scores = usual_scores(genimg.load("fashion-dcgan"), 60)
    assert scores.drawn.shape == scores.real.shape == (60,)
    assert scores.real.mean() > scores.drawn.mean()  # it has learned to tell them apart
