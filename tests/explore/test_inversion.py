import time

import numpy as np
import pytest

import genimg
from genimg.explore.codes import text_of


@pytest.fixture(scope="module", params=["mlp-gan", "dcgan", "stylegan", "style-dcgan"])
def model(request, make_model):
    return make_model(request.param)


@pytest.fixture(scope="module")
def portraits():
    return genimg.load("portraits-style")


def error(a, b):
    return float(np.sqrt(np.square(a.astype(float) - b).mean()))


def test_what_was_found_is_drawn_again_to_the_bit(model):
    picture = model.picture(seed=5, label="Sneaker")
    found = model.invert(picture, steps=12, seed=3)
    again = model.picture(code=found.code, label=found.label, seed=3)
    np.testing.assert_array_equal(again, found.picture)
    linked = model.picture(code=text_of(found.code), label=found.label, seed=3)
    np.testing.assert_array_equal(linked, found.picture)
    assert found.error == pytest.approx(error(found.picture, picture), abs=0.5)  # whole grey levels
    assert (found.steps, found.complete, found.seed) == (12, True, 3)


def test_more_steps_come_nearer_than_the_best_of_the_beginning(model):
    picture = model.picture(seed=5, label="Sneaker")
    errors = []
    found = model.invert(picture, steps=60, on_progress=lambda so_far: errors.append(so_far.error))
    assert len(errors) == 60
    assert found.error < 0.7 * errors[0]


def test_the_steps_decide_and_not_the_clock(model):
    picture = model.picture(seed=5, label="Bag")
    first, second = (model.invert(picture, steps=8, seed=1) for _ in range(2))
    np.testing.assert_array_equal(first.code, second.code)
    assert first.label == second.label
    other = model.invert(picture, steps=8, seed=2)
    assert not np.array_equal(first.code, other.code)


def test_it_stops_within_a_step_when_told_to(model):
    seen = []

    def stop_after_three(so_far):
        seen.append(so_far.step)
        return len(seen) < 3

    found = model.invert(model.picture(seed=5), steps=100, on_progress=stop_after_three)
    assert seen == [1, 2, 3]
    assert (found.steps, found.complete) == (3, False)


def test_no_step_begins_after_the_time_is_up(model):
    found = model.invert(model.picture(seed=5), steps=100, seconds=0)
    assert (found.steps, found.complete) == (0, False)

    def wait(so_far):
        time.sleep(0.2)

    found = model.invert(model.picture(seed=5), steps=100, seconds=0.1, on_progress=wait)
    assert (found.steps, found.complete) == (1, False)


def test_a_class_is_searched_alone_when_it_is_named(model):
    picture = model.picture(seed=5, label="Sneaker")
    assert model.invert(picture, label="Bag", steps=1).label == "Bag"
    assert model.invert(picture, steps=1).label in model.classes


def test_a_model_without_classes_has_none(plain):
    assert plain.invert(plain.picture(), steps=2).label is None


def test_every_move_acts_on_what_was_found(style):
    found = style.invert(style.picture(seed=5), steps=5, seed=4)
    here = {"code": found.code, "label": found.label, "seed": 4}
    for moves in (
        {"directions": [2.0]},
        {"latents": {1: 2.0}},
        {"truncation": 0.3},
        {"label": next(x for x in style.classes if x != found.label)},
    ):
        assert not np.array_equal(style.picture(**here | moves), found.picture), moves
    sheet = style.neighbours(4, **here)
    assert abs(sheet[0].astype(int) - found.picture).max() <= 1
    assert not np.array_equal(sheet[1], sheet[0])
    mean = style.picture(label=found.label, truncation=0, seed=4)
    np.testing.assert_array_equal(style.picture(**here, truncation=0.0), mean)


def test_bad_arguments_are_refused_before_any_work(style):
    picture = style.picture()
    for wrong, words in [
        ({"steps": 0}, "steps must be"),
        ({"seed": -1}, "seed must be"),
        ({"seconds": -1}, "seconds must be"),
        ({"label": "Hat"}, "does not know"),
    ]:
        with pytest.raises(ValueError, match=words):
            style.invert(picture, **wrong)
    with pytest.raises(ValueError, match="32 x 32"):
        style.invert(picture[:16, :16])
    with pytest.raises(ValueError, match="finite numbers"):
        style.picture(code=[1.0, 2.0])


def test_a_drawn_portrait_is_found_nearer_than_any_training_picture(portraits):
    picture = portraits.picture(seed=7, label="quiff", truncation=0.7)
    found = portraits.invert(picture)
    nearest_training = portraits.nearest(picture, 1).distances[0]
    assert found.error < 0.7 * nearest_training
    assert found.label == "quiff"


def test_the_search_does_not_change_the_model(style):
    before = {name: value.clone() for name, value in style.generator.state_dict().items()}
    style.invert(style.picture(seed=5), steps=3)
    after = style.generator.state_dict()
    assert all((after[name] == value).all() for name, value in before.items())
