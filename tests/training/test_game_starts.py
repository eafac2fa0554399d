from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genimg.checkpoints import CheckpointError
from genimg.training import game_starts
from genimg.training.game import MODEL, PLAYERS, Rules, fresh, look, play
from genimg.training.game_starts import (
    FOLDER,
    LEADS,
    LONGEST,
    STARTS,
    begin,
    joined,
    length,
    moves_in,
    moves_text,
)
from genimg.training.task import Diverged

THREE_MEGABYTES = 3 * 2**20


def seen(name, player=None, count=100):
    """What a start shows, after some steps."""
    rules, state = STARTS[name].rules, begin(name)
    return look(play(state, rules, player, count) if player else state, rules)


def called(look, right):
    """Shares of real and of generated pictures that are called what they are."""
    shares = [(look.real > 0).mean(), (look.fake < 0).mean()]
    return shares == pytest.approx(right, abs=0.015)


def test_nobody_has_learned_anything_at_first():
    now = seen("fresh")
    assert abs(now.real.mean() - now.fake.mean()) < 0.05
    assert abs(now.samples.mean() - 127.5) < 10
    assert now.samples.std() < 15  # grey noise


def test_after_a_minute_neither_wins():
    assert LEADS["minute"].moves == (("both", 5000),)
    now = seen("minute")
    assert called(now, [0.69, 0.78])
    assert now.variety > 0.85
    assert called(seen("minute", "discriminator"), [1, 1])


def test_a_discriminator_that_is_too_strong_starves_the_saturating_loss_alone():
    assert LEADS["strong"].moves == (("discriminator", 300),)
    now, other = seen("strong"), seen("strong-nonsaturating")
    assert called(now, [1, 1])
    assert now.gradients == other.gradients
    assert now.gradients["minimax"] == pytest.approx(0.005, abs=5e-4)
    assert now.gradients["nonsaturating"] == pytest.approx(9.4, abs=0.05)
    assert now.fake.mean() == pytest.approx(-7.7, abs=0.05)
    assert seen("strong", "generator").fake.mean() == pytest.approx(-7.6, abs=0.05)
    assert (seen("strong-nonsaturating", "generator").fake > 0).all()


def test_a_collapsed_generator_draws_one_picture():
    assert LEADS["collapsed"].moves == (("discriminator", 2), ("generator", 15)) * 30
    now = seen("collapsed")
    assert now.variety == pytest.approx(0.01, abs=0.005)
    assert (now.fake > 0).all()
    after = seen("collapsed", "both")
    assert called(after, [1, 0.9])
    assert after.variety < 0.1


def test_at_too_high_a_rate_nothing_is_learned():
    assert LEADS["fast"].rules.learning_rate == 125 * Rules().learning_rate
    now, after = seen("fast"), seen("fast", "both", 200)
    for each in (now, after):
        assert ((each.samples < 8) | (each.samples > 247)).mean() > 0.98
    assert abs(after.real.mean()) > 100


def test_sgd_comes_as_far_in_as_many_steps():
    assert LEADS["sgd"].moves == LEADS["minute"].moves
    one, other = seen("sgd"), seen("minute")
    assert one.variety == pytest.approx(other.variety, abs=0.15)
    assert one.losses["discriminator"] == pytest.approx(other.losses["discriminator"], abs=0.1)


@pytest.mark.slow
def test_sgd_needs_a_rate_that_was_searched_for():
    rules = STARTS["sgd"].rules
    slower = replace(rules, learning_rate=rules.learning_rate / 5)
    assert look(play(fresh(), slower, "both", 300), slower).variety < 0.05
    assert look(play(fresh(), Rules(), "both", 300), Rules()).variety > 0.3
    with pytest.raises(Diverged):
        play(fresh(), replace(rules, learning_rate=5 * rules.learning_rate), "both", 300)


def test_the_shelf_ships_in_three_megabytes():
    files = list(FOLDER.iterdir())
    assert {file.stem for file in files} == LEADS.keys()
    assert {start.file for start in STARTS.values()} - {""} == LEADS.keys()
    assert sum(file.stat().st_size for file in files) <= THREE_MEGABYTES


def replayed(name):
    lead, state = LEADS[name], fresh()
    for player, count in lead.moves:
        state = play(state, lead.rules, player, count)
    return state


def test_a_lead_can_be_played_again():
    """To the precision of float16, and of another machine's sums."""
    state, shipped = replayed("strong"), begin("strong")
    far = sum((state.tensors[key] - x).square().sum() for key, x in shipped.tensors.items())
    size = sum(x.square().sum() for x in shipped.tensors.values())
    assert far / size < 0.02


def test_at_too_high_a_rate_every_machine_ends_elsewhere_and_nowhere_better():
    """What rounds otherwise grows at each step, so only black and white can be played again."""
    again = look(replayed("fast"), STARTS["fast"].rules)
    assert ((again.samples < 8) | (again.samples > 247)).mean() > 0.9


def test_a_start_has_forgotten_its_optimizers():
    state = begin("minute")
    assert state.steps == {"discriminator": 0, "generator": 0}
    assert not [name for name in state.tensors if name.startswith("optimizer.")]
    assert all(x.dtype == torch.float32 for x in state.tensors.values())


def test_weights_of_another_shape_are_refused(monkeypatch):
    smaller = type(MODEL).from_dict(MODEL.to_dict() | {"generator_widths": [96, 191]})
    monkeypatch.setattr(game_starts, "MODEL", smaller)
    begin.cache_clear()
    with pytest.raises(CheckpointError, match="shape"):
        begin("minute")


@pytest.mark.parametrize("name", ["", "nobody", None, 1, ["fresh"], "../starts/minute"])
def test_an_unknown_start_is_refused(name):
    with pytest.raises(ValueError, match="there is no start"):
        game_starts.start_named(name)


some_moves = st.lists(st.tuples(st.sampled_from(sorted(PLAYERS)), st.integers(1, 150)), max_size=8)


@given(some_moves)
def test_moves_come_back_from_their_text(some):
    moves = ()
    for move in some:
        moves = joined(moves, move)
    assert moves_in(moves_text(moves)) == moves
    assert length(moves) == length(some)
    assert all(one[0] != other[0] for one, other in pairwise(moves))


@pytest.mark.parametrize(
    "text", ["x1", "d0", "d", "1", "d-1", "d1 g1", "d1.5", "b" * 10, "d1" * 4000, "d٣", None, 1, []]
)
def test_damaged_moves_are_refused(text):
    with pytest.raises(ValueError, match="link is damaged"):
        moves_in(text)


def test_a_game_has_an_end():
    longest = joined((), ("both", LONGEST // 2))
    assert length(longest) == LONGEST
    for player in PLAYERS:
        with pytest.raises(ValueError, match="at most 3000 steps"):
            joined(longest, (player, 1))
    with pytest.raises(ValueError, match="at most 3000 steps"):
        moves_in("d9999")
    with pytest.raises(ValueError, match="at most 3000 steps"):
        moves_in("d9g9" * 200)
