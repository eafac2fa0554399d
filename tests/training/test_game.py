import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genimg.training.game import (
    JUDGED,
    MODEL,
    MOST_STEPS,
    PLAYERS,
    SAMPLES,
    Rules,
    fresh,
    look,
    play,
)
from genimg.training.objectives import OBJECTIVES

RULES = Rules()
FOUR_MEGABYTES = 4 * 2**20

moves = st.lists(
    st.tuples(st.sampled_from(sorted(PLAYERS)), st.integers(1, 3)), min_size=1, max_size=3
)


def same(one, other):
    """Whether two states agree to the last bit."""
    return (
        one.steps == other.steps
        and one.tensors.keys() == other.tensors.keys()
        and all(torch.equal(one.tensors[name], other.tensors[name]) for name in one.tensors)
    )


def weights(state, side):
    return {name: x for name, x in state.tensors.items() if name.startswith(f"{side}.")}


def played(start, rules, played_moves):
    for player, count in played_moves:
        start = play(start, rules, player, count)
    return start


def test_many_steps_at_once_are_as_many_single_ones():
    at_once = play(fresh(), RULES, "both", 10)
    one_by_one = played(fresh(), RULES, [("both", 1)] * 10)
    assert same(at_once, one_by_one)
    assert at_once.steps == {"discriminator": 10, "generator": 10}


def test_both_is_the_discriminator_and_then_the_generator():
    in_turn = played(fresh(), RULES, [("discriminator", 1), ("generator", 1)] * 3)
    assert same(play(fresh(), RULES, "both", 3), in_turn)


@settings(max_examples=10)
@given(moves, st.sampled_from(["adam", "sgd"]))
def test_the_same_moves_lead_to_the_same_state(some, optimizer):
    rules = Rules(optimizer=optimizer)
    assert same(played(fresh(), rules, some), played(fresh(), rules, some))


def test_the_threads_of_others_change_nothing():
    expected = play(fresh(), RULES, "both", 3)
    torch.set_num_threads(2)
    try:
        assert same(play(fresh(), RULES, "both", 3), expected)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)


def test_the_random_numbers_of_others_change_nothing_and_are_left_alone():
    expected = play(fresh(), RULES, "both")
    torch.manual_seed(77)
    before = torch.get_rng_state()
    assert same(play(fresh(), RULES, "both"), expected)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("player", "other"), [("discriminator", "generator"), ("generator", "discriminator")]
)
def test_only_who_learns_changes(player, other):
    before = fresh()
    copies = {name: x.clone() for name, x in before.tensors.items()}
    after = play(before, RULES, player, 2)
    assert all(torch.equal(copies[name], x) for name, x in before.tensors.items())  # no side effect
    assert all(torch.equal(copies[name], x) for name, x in weights(after, other).items())
    assert not any(torch.equal(copies[name], x) for name, x in weights(after, player).items())


def test_a_step_of_sgd_goes_as_far_as_its_rate_says():
    """Twice the rate moves the weights twice as far, down the loss."""
    rules = Rules(optimizer="sgd", learning_rate=0.5)
    one, half = (
        play(fresh(), Rules(optimizer="sgd", learning_rate=r), "generator") for r in (0.5, 0.25)
    )
    for name, start in weights(fresh(), "generator").items():
        torch.testing.assert_close(
            one.tensors[name] - start, 2 * (half.tensors[name] - start), rtol=1e-3, atol=1e-6
        )
    before, after = look(fresh(), rules), look(one, rules)
    assert after.losses["generator"] < before.losses["generator"]


def test_whoever_learns_lowers_their_own_loss():
    before = look(fresh(), RULES).losses
    for player in ("discriminator", "generator"):
        after = look(play(fresh(), RULES, player, 20), RULES).losses
        assert after[player] < before[player] - 0.05


def test_a_look_is_what_the_objective_says_of_the_scores():
    for objective in ("minimax", "nonsaturating"):
        seen = look(play(fresh(), RULES, "both", 3), Rules(objective=objective))
        real, fake = torch.from_numpy(seen.real), torch.from_numpy(seen.fake)
        both = OBJECTIVES[objective]
        assert seen.losses["discriminator"] == pytest.approx(both.discriminator(real, fake).item())
        assert seen.losses["generator"] == pytest.approx(both.generator(real, fake).item())


def test_a_look_has_the_promised_shapes_and_changes_nothing():
    state = play(fresh(), RULES, "both")
    copies = {name: x.clone() for name, x in state.tensors.items()}
    seen, again = look(state, RULES), look(state, RULES)
    assert seen.samples.shape == (SAMPLES, MODEL.size, MODEL.size, 1)
    assert seen.samples.dtype == np.uint8
    assert seen.real.shape == seen.fake.shape == (JUDGED,)
    assert np.array_equal(seen.samples, again.samples)
    assert seen.losses == again.losses
    assert all(torch.equal(copies[name], x) for name, x in state.tensors.items())


def test_a_game_takes_at_most_four_megabytes():
    assert play(fresh(), RULES, "both").size <= FOUR_MEGABYTES


@pytest.mark.parametrize(
    ("player", "count", "word"),
    [
        ("nobody", 1, "player"),
        (None, 1, "player"),
        ("both", 0, "steps"),
        ("both", MOST_STEPS + 1, "steps"),
        ("both", 1.0, "steps"),
        ("both", True, "steps"),
    ],
)
def test_what_cannot_be_played_is_refused(player, count, word):
    with pytest.raises(ValueError, match=word):
        play(fresh(), RULES, player, count)
