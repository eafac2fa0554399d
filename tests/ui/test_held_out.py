from types import SimpleNamespace

import numpy as np
import pytest

from genimg import data
from genimg.ui import held_out


def model_of(dataset, size=28, channels=1):
    config = SimpleNamespace(size=size, channels=channels)
    return SimpleNamespace(info={} if dataset is None else {"dataset": dataset}, config=config)


@pytest.mark.parametrize("size", [28, 32])
def test_pictures_are_those_of_the_test_split(size):
    model = model_of("fashion-mnist", size)
    split = data.load("fashion-mnist", size=size, split="test")
    assert held_out.count(model) == len(split)
    for number in (0, 7, len(split) - 1):
        pixels, label = held_out.picture(model, number)
        np.testing.assert_array_equal(pixels, split.pictures()[number])
        assert label == split.classes[split.labels[number]]
    assert 0 <= held_out.random_number(model) < len(split)


def test_a_picture_is_the_callers_own():
    model = model_of("fashion-mnist")
    first, _ = held_out.picture(model, 0)
    first[:] = 0
    assert held_out.picture(model, 0)[0].max() > 0


@pytest.mark.parametrize("number", [-1, 10**9, 1.5, "1", None, True, [0]])
def test_other_numbers_are_refused(number):
    with pytest.raises(ValueError, match="must be a whole number from 0"):
        held_out.picture(model_of("fashion-mnist"), number)


@pytest.mark.parametrize("dataset", ["cifar10", "none", "folder:/no/such/folder", None])
def test_what_is_not_here_is_a_sentence_and_no_download(dataset, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("nothing may be downloaded for a visitor")

    monkeypatch.setattr("genimg.data.torchvision_sets.read", refuse)
    model = model_of(dataset, 32, 3)
    assert held_out.count(model) == 0
    with pytest.raises(ValueError, match="not on this machine; draw a picture or upload one"):
        held_out.picture(model, 0)
    with pytest.raises(ValueError, match="not on this machine"):
        held_out.random_number(model)


def test_grey_pictures_are_not_for_a_colour_model():
    with pytest.raises(ValueError, match="other channels"):
        held_out.picture(model_of("fashion-mnist", 28, 3), 0)
