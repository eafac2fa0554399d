import json

import numpy as np
import pytest

from genimg.training import game
from genimg.training.game_starts import LONGEST, STARTS, begin
from genimg.ui.gan import game as game_part
from genimg.ui.gan.game import REMEMBERED, GameHandlers

FRESH = {"start": "fresh", "moves": ""}


@pytest.fixture
def handlers():
    return GameHandlers()


@pytest.fixture
def counted(monkeypatch):
    """How many steps were computed, as a list that grows."""
    steps = []

    def play(state, rules, player, count):
        steps.append((player, count))
        return game.play(state, rules, player, count)

    monkeypatch.setattr(game_part, "play", play)
    return steps


def told(handlers, **asked):
    return list(handlers.press(FRESH | asked))


def last(handlers, **asked):
    return told(handlers, **asked)[-1]


def test_a_game_that_is_opened_says_how_it_stands(handlers):
    begun, shown = told(handlers)
    assert begun == {"begun": True}
    seen = game.look(begin("fresh"), STARTS["fresh"].rules)
    assert shown["over"] is True
    assert shown["losses"] == dict(seen.losses)
    assert shown["gradients"] == dict(seen.gradients)
    assert shown["scores"]["real"] == pytest.approx(seen.real.mean())
    shapes = {array["name"]: array["shape"] for array in shown["arrays"]}
    assert shapes == {"samples": [16, 28, 28, 1], "real": [24], "fake": [24]}
    json.dumps(shown, allow_nan=False)


def test_a_press_is_shown_as_it_goes_on(handlers):
    _, *shown = told(handlers, player="both", count=100)
    assert [look["moves"] for look in shown] == ["b20", "b40", "b60", "b80", "b100"]
    assert [look["over"] for look in shown] == [False] * 4 + [True]
    assert shown[-1]["steps"] == {"discriminator": 100, "generator": 100}


def test_presses_are_what_a_link_to_them_plays_again(handlers):
    last(handlers, player="discriminator", count=10)
    pressed = last(handlers, moves="d10", player="generator", count=10)
    assert pressed["moves"] == "d10g10"
    anew, linked = GameHandlers(), {"start": "fresh", "moves": "d10g10"}
    _, *playing, shown = anew.press(linked)
    assert playing == [{"again": [10, 20]}, {"again": [20, 20]}]
    assert shown == pressed


def test_what_is_remembered_is_not_played_again(handlers, counted):
    last(handlers, player="both", count=10)
    last(handlers, moves="b10", player="both", count=1)
    assert counted == [("both", 10), ("both", 1)]
    last(handlers, moves="b11")
    assert len(counted) == 2


def test_a_forgotten_game_is_played_again_and_ends_alike(handlers, counted, monkeypatch):
    monkeypatch.setattr(game_part, "REMEMBERED", 1)
    pressed = last(handlers, player="both", count=10)
    last(handlers, start="collapsed")
    counted.clear()
    assert last(handlers, moves="b10") == pressed
    assert counted == [("both", 10)]


def test_memory_is_bounded(handlers):
    for name in STARTS:
        last(handlers, start=name)
    for _ in range(3):
        moves = ""
        for _ in range(REMEMBERED // 2):
            moves = last(handlers, moves=moves, player="generator", count=1)["moves"]
            moves = last(handlers, moves=moves, player="discriminator", count=1)["moves"]
    assert len(handlers._states) <= REMEMBERED


def test_whoever_presses_often_makes_others_forget_nothing(handlers, counted, monkeypatch):
    monkeypatch.setattr(game_part, "REMEMBERED", 2)
    last(handlers, start="collapsed", player="generator", count=1)
    moves = ""
    for _ in range(4):
        moves = last(handlers, moves=moves, player="both", count=1)["moves"]
    counted.clear()
    last(handlers, start="collapsed", moves="g1")
    assert counted == []


@pytest.mark.parametrize("name", STARTS)
def test_every_start_opens(handlers, name):
    shown = last(handlers, start=name)
    assert shown["over"]
    assert np.isfinite([*shown["losses"].values(), *shown["gradients"].values()]).all()


@pytest.mark.parametrize(
    "asked",
    [
        None,
        [],
        "fresh",
        {},
        {"start": "nobody"},
        {"start": ["fresh"]},
        FRESH | {"moves": "d10x"},
        FRESH | {"moves": None},
        FRESH | {"moves": f"d{LONGEST + 1}"},
        FRESH | {"moves": f"b{LONGEST // 2}", "player": "both", "count": 1},
        FRESH | {"player": "both", "count": 2},
        FRESH | {"player": "both", "count": 1.0},
        FRESH | {"player": "both", "count": True},
        FRESH | {"player": "both", "count": "1"},
        FRESH | {"player": "both", "count": [1]},
        FRESH | {"player": "nobody", "count": 1},
        FRESH | {"player": {}, "count": 1},
        FRESH | {"count": 1},
    ],
)
def test_what_no_page_sends_is_refused_in_a_sentence_and_costs_nothing(handlers, counted, asked):
    (answer,) = handlers.press(asked)
    assert answer.keys() == {"refused"}
    assert answer["refused"].get("english", "A")[0].isupper()
    assert counted == []


def test_a_game_that_runs_away_says_so(handlers, monkeypatch):
    wild = game.Rules(optimizer="sgd", learning_rate=1e30)
    monkeypatch.setitem(STARTS, "fresh", game_part.STARTS["fresh"].__class__(
        title="Wild", sentence="", rules=wild
    ))  # fmt: skip
    answer = last(handlers, player="both", count=10)
    assert answer["refused"] == {"say": "gan.game.infinity"}
