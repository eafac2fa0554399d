import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genimg.metrics.attributes import (
    BINS,
    attribute_fidelity,
    attribute_scores,
    read_outputs,
    shares,
    total_variation,
)
from genimg.models.attribute_classifier import AttributeHead

SHAPE = AttributeHead("shape", ("round", "square", "flat"))
SIZE = AttributeHead("size")
HUE = AttributeHead("hue", cyclic=True)
HEADS = (SHAPE, SIZE, HUE)


def outputs_of(seed, count=50):
    return np.random.default_rng(seed).normal(size=(count, 7))


def points(numbers, turns, length=1.0):
    angles = 2 * math.pi * turns * np.asarray(numbers)
    return length * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def test_names_are_read_as_a_softmax_in_float64():
    outputs = outputs_of(0).astype(np.float32)
    reading = read_outputs(outputs, HEADS)["shape"]
    for row, logits in enumerate(outputs[:, :3].tolist()):
        powers = [math.exp(logit) for logit in logits]
        wanted = [power / sum(powers) for power in powers]
        np.testing.assert_allclose(reading.probabilities[row], wanted, rtol=1e-13)
        assert reading.values[row] == wanted.index(max(wanted))
        assert reading.confidence[row] == pytest.approx(max(wanted), rel=1e-13)
    assert reading.probabilities.dtype == np.float64


def test_huge_logits_do_not_overflow():
    reading = read_outputs(np.array([[1e300, -1e300, 0.0]]), (SHAPE,))["shape"]
    np.testing.assert_array_equal(reading.probabilities, [[1, 0, 0]])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=9), st.floats(0.01, 1))
def test_a_number_is_the_angle_of_its_point_and_its_confidence_the_length(numbers, length):
    reading = read_outputs(points(numbers, 0.5, length), (SIZE,))["size"]
    np.testing.assert_allclose(reading.values, numbers, atol=1e-9)
    np.testing.assert_allclose(reading.confidence, length, rtol=1e-9)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=9))
def test_a_hue_goes_round(numbers):
    values = read_outputs(points(numbers, 1.0), (HUE,))["hue"].values
    difference = np.abs(values - numbers)
    np.testing.assert_allclose(np.minimum(difference, 1 - difference), 0, atol=1e-9)
    assert ((values >= 0) & (values <= 1)).all()


def test_points_beyond_the_ends_of_a_number_belong_to_the_nearer_one():
    angles = np.radians([-1, -89, -91, -179, 180])
    outputs = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    np.testing.assert_array_equal(read_outputs(outputs, (SIZE,))["size"].values, [0, 0, 1, 1, 1])


def test_a_point_outside_the_circle_is_no_clearer_than_one_on_it():
    assert read_outputs(points([0.3], 1.0, 5.0), (HUE,))["hue"].confidence == [1.0]


def test_shares_count_names_and_eighths():
    readings = read_outputs(np.eye(3)[[0, 0, 2, 0]], (SHAPE,))
    np.testing.assert_array_equal(shares(readings["shape"], SHAPE), [0.75, 0, 0.25])
    numbers = (np.arange(BINS) + 0.5) / BINS
    readings = read_outputs(points(numbers, 0.5), (SIZE,))
    np.testing.assert_allclose(shares(readings["size"], SIZE), np.full(BINS, 1 / BINS))


DISTRIBUTION = st.lists(st.floats(0.001, 1), min_size=5, max_size=5).map(
    lambda weights: np.array(weights) / sum(weights)
)


@given(DISTRIBUTION, DISTRIBUTION, DISTRIBUTION, st.permutations(range(5)))
def test_total_variation_is_a_distance_that_names_do_not_matter_to(a, b, c, order):
    distance = total_variation(a, b)
    assert 0 <= distance <= 1
    assert total_variation(a, a) == 0
    assert total_variation(b, a) == distance
    assert total_variation(a, c) <= distance + total_variation(b, c) + 1e-12
    assert total_variation(a[order], b[order]) == pytest.approx(distance)
    # The largest difference about any event, over all 32 events.
    events = [[bool(event >> bit & 1) for bit in range(5)] for event in range(32)]
    largest = max(abs(a[event].sum() - b[event].sum()) for event in events)
    assert distance == pytest.approx(largest, abs=1e-12)


@given(st.integers(0, 1000), st.integers(1, 60), st.randoms())
def test_the_same_pictures_in_any_order_are_wholly_faithful(seed, count, random):
    outputs = outputs_of(seed, count)
    order = list(range(count))
    random.shuffle(order)
    found = attribute_fidelity(
        read_outputs(outputs, HEADS), read_outputs(outputs[order], HEADS), HEADS
    )
    for fidelity in found.values():
        assert fidelity.total_variation == 0
        assert fidelity.confidence == pytest.approx(1, rel=1e-12)


def test_twice_the_pictures_in_the_same_shares_are_as_faithful():
    outputs = outputs_of(3)
    twice = read_outputs(np.concatenate([outputs, outputs]), HEADS)
    for fidelity in attribute_fidelity(twice, read_outputs(outputs, HEADS), HEADS).values():
        assert fidelity.total_variation == pytest.approx(0, abs=1e-12)


def test_sets_without_a_common_value_are_at_distance_one():
    mine = np.hstack([np.eye(3)[[0, 1]], points([0.1, 0.2], 0.5), points([0.9, 0.6], 1.0)])
    theirs = np.hstack([np.eye(3)[[2, 2]], points([0.7, 0.9], 0.5), points([0.1, 0.3], 1.0)])
    found = attribute_fidelity(read_outputs(mine, HEADS), read_outputs(theirs, HEADS), HEADS)
    assert [fidelity.total_variation for fidelity in found.values()] == [1, 1, 1]
    assert all(f.confidence == pytest.approx(1) for f in found.values())


@given(st.floats(0.01, 0.99))
def test_confidence_is_relative_to_that_of_real_pictures(length):
    real = read_outputs(points([0.1, 0.8], 1.0, 0.99), (HUE,))
    hesitant = read_outputs(points([0.1, 0.8], 1.0, 0.99 * length), (HUE,))
    found = attribute_fidelity(hesitant, real, (HUE,))["hue"]
    assert found.confidence == pytest.approx(length)
    assert found.total_variation == 0


@pytest.mark.parametrize(
    ("outputs", "sentence"),
    [
        (np.zeros((4, 6)), r"must be \(N, 7\)"),
        (np.zeros(7), r"must be \(N, 7\)"),
        (np.full((1, 7), np.nan), "finite"),
    ],
)
def test_outputs_that_do_not_fit_are_refused(outputs, sentence):
    with pytest.raises(ValueError, match=sentence):
        read_outputs(outputs, HEADS)


def test_no_pictures_cannot_be_compared():
    with pytest.raises(ValueError, match="at least one picture"):
        attribute_fidelity(
            read_outputs(np.zeros((0, 7)), HEADS), read_outputs(outputs_of(0), HEADS), HEADS
        )


def test_scores_grow_with_what_their_names_say():
    heads = (
        AttributeHead("hat", ("none", "cap", "crown")),
        AttributeHead("beard", ("no", "yes")),
        AttributeHead("size"),
        AttributeHead("hue", cyclic=True),
    )
    certain = np.array([[9, 0, 0, 9, 0, 1, 0, 1, 0], [0, 0, 9, 0, 9, 0, 1, 0, 1]], float)
    scores = attribute_scores(read_outputs(certain, heads), heads)
    assert set(scores) == {
        *("hat: none", "hat: cap", "hat: crown"), "beard", "size", "hue: red", "hue: green"
    }  # fmt: skip
    rises = {name: score[1] - score[0] for name, score in scores.items()}
    assert rises["hat: none"] < 0 < rises["hat: crown"]
    assert rises["beard"] > 0
    assert rises["size"] == pytest.approx(0.5)
    assert rises["hue: red"] == pytest.approx(-1)
    assert rises["hue: green"] == pytest.approx(1)
    assert all(np.isfinite(score).all() for score in scores.values())
