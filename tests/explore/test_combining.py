import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genimg.explore.codes import checked_code, mean_code
from genimg.explore.combining import (
    between_classes,
    checked_place,
    code_of,
    combine,
    neighbour_code,
    plane,
    plane_weights,
)

KINDS = ["stylegan", "style-dcgan", "mlp-gan"]
A = {"seed": 5, "label": 1, "directions": [1.0, -0.5]}
B = {"seed": 23, "label": 1, "latents": {2: 1.5}}
C = {"seed": 42, "label": 1}


@pytest.fixture(scope="module", params=KINDS)
def model(request, make_model):
    return make_model(request.param)


@pytest.fixture(scope="module")
def mapped(make_model):
    return make_model("stylegan")


def close(a, b, grey_levels=2):
    return np.abs(a.astype(int) - b.astype(int)).max() <= grey_levels


def code_in(model, place):
    clean = checked_place(model, place)
    number = model.classes.index(clean["label"])
    mean = mean_code(model.generator, torch.tensor([number]))[0].numpy()
    code = checked_code(clean["code"], len(mean)) if "code" in clean else code_of(model, clean)
    return code + mean if "w" in model.spaces else code


def test_a_code_makes_its_picture_again(model):
    for place in (A, B, C, {"seed": 3, "label": 2, "code": code_of(model, A)}):
        place = place | ({"truncation": 0.6} if "w" in model.spaces else {})
        again = model.picture(seed=place["seed"], label=place["label"], code=code_of(model, place))
        assert close(again, model.picture(**place))


def test_the_corners_of_the_plane_are_the_pictures_to_the_bit(model):
    sheet = plane(model, A, B, C, side=3)
    assert sheet.shape == (3, 3, 32, 32, 1)
    for (row, column), place in zip([(0, 0), (0, 2), (2, 2)], [A, B, C], strict=True):
        assert np.array_equal(sheet[row, column], model.picture(**place))
    fourth = model.picture(**combine(model, [A, B, C], [1, -1, 1]))
    assert np.array_equal(sheet[2, 0], fourth)
    assert np.array_equal(plane(model, A, B, C, side=3, rows=range(1, 3)), sheet[1:])


@given(st.integers(2, 50), st.data())
def test_the_weights_of_the_plane_are_affine(side, data):
    row, column = (data.draw(st.integers(0, side - 1)) for _ in range(2))
    weights = plane_weights(side, row, column)
    assert sum(weights) == pytest.approx(1)
    corners = np.array([[0, 0], [0, 1], [1, 1]])  # of A, B and C, as (down, right)
    assert np.allclose(weights @ corners, np.array([row, column]) / (side - 1))


@given(st.lists(st.sampled_from([0, 1, 2]), min_size=2, max_size=2, unique=True))
@settings(deadline=None, max_examples=6)
def test_there_and_back_again_returns(mapped, pair):
    a, c = ([A, B, C][i] for i in pair)
    assert combine(mapped, [a, a, c], [1, -1, 1]) == checked_place(mapped, c)
    there = combine(mapped, [a, c], [-0.5, 1.5])  # past c
    back = combine(mapped, [there, a], [2 / 3, 1 / 3])
    assert close(mapped.picture(**(back | {"seed": c["seed"]})), mapped.picture(**c))


def test_a_sum_of_styles_is_that_of_numbers_in_float64(mapped):
    weights = [0.7, -0.9, 1.2]
    expected = sum(
        weight * code_in(mapped, place).astype(float)
        for weight, place in zip(weights, [A, B, C], strict=True)
    )
    found = combine(mapped, [A, B, C], weights)
    np.testing.assert_allclose(code_in(mapped, found), expected, atol=5e-3, rtol=1e-3)
    assert (found["seed"], found["label"]) == (42, mapped.classes[1])  # of the greatest weight


def test_without_a_mapping_network_the_length_changes_evenly(plain):
    places = [{"seed": seed} for seed in (1, 2, 3)]
    lengths = [np.linalg.norm(code_of(plain, place)) for place in places]
    found = combine(plain, places, [1, -1, 1])
    expected = lengths[0] - lengths[1] + lengths[2]
    assert np.linalg.norm(checked_code(found["code"], 12)) == pytest.approx(expected, rel=1e-3)


def test_styles_of_several_classes_can_be_added(mapped):
    other = C | {"label": 2}
    middle = combine(mapped, [A, other], [0.5, 0.5])
    expected = (code_in(mapped, A) + code_in(mapped, other)) / 2
    np.testing.assert_allclose(code_in(mapped, middle), expected, atol=5e-3, rtol=1e-3)


def test_classes_are_passed_through(mapped):
    place = {"seed": 4, "truncation": 0.7}
    way = between_classes(mapped, [0, 2, 1], steps=5, place=place)
    for step, label in ((0, 0), (2, 2), (4, 1)):
        expected = mapped.picture(label=label, **place)
        assert np.array_equal(mapped.picture(**way[step]), expected)
    codes = [code_in(mapped, one) for one in way]
    np.testing.assert_allclose(codes[1], (codes[0] + codes[2]) / 2, atol=5e-3, rtol=1e-3)
    assert all(one["seed"] == 4 for one in way)


def test_a_neighbour_is_that_of_the_sheet_and_its_sliders_stay(model):
    moves = {"seed": 5, "label": 1, "latents": {1: 0.8, 3: -1.0}}
    first = model.neighbours(4, directions=[0.7], **moves)
    for number in range(4):
        code = neighbour_code(model, number, **moves)
        assert close(model.picture(directions=[0.7], code=code, **moves), first[number])
    found = {"code": neighbour_code(model, 2, **moves)} | moves
    second = model.neighbours(3, **found)
    again = model.picture(**(found | {"code": neighbour_code(model, 1, **found)}))
    assert close(again, second[1])


def test_places_that_say_the_same_are_one(mapped):
    said = {"seed": 3, "label": "sneaker", "truncation": 1, "latents": {}, "directions": [0.0]}
    assert checked_place(mapped, said) == {"seed": 3, "label": mapped.classes[1]}


@pytest.mark.parametrize(
    ("places", "weights", "words"),
    [
        ([A, B], [1, 1], "sum to 1"),
        ([A, B], [1], "one number for each"),
        ([], [], "1 to 16"),
        ([A, {"colour": 1}], [0.5, 0.5], "has no 'colour'"),
        ([A, 3], [0.5, 0.5], "arguments of picture"),
        ([A, B], [float("nan"), 1], "a weight"),
        ([A, B | {"directions": [0.0] * 200 + [1.0]}], [0.5, 0.5], "directions"),
    ],
)
def test_what_cannot_be_combined_is_refused(mapped, places, weights, words):
    with pytest.raises(ValueError, match=words):
        combine(mapped, places, weights)


def test_what_a_model_without_mapping_network_cannot_is_refused(make_model, plain):
    labelled = make_model("mlp-gan")
    with pytest.raises(ValueError, match="one class"):
        combine(labelled, [A, C | {"label": 2}], [0.5, 0.5])
    with pytest.raises(ValueError, match="no mapping network"):
        between_classes(plain, [0, 1])


def test_the_steps_of_a_plane_are_even(mapped):
    places = [combine(mapped, [A, B, C], plane_weights(5, 2, i)) for i in range(5)]
    codes = [code_in(mapped, place) for place in places]
    moves = [after - before for before, after in itertools.pairwise(codes)]
    for move in moves[1:]:
        np.testing.assert_allclose(move, moves[0], atol=2e-2)
