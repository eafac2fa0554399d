import re

import pytest

from genimg.explore.mistakes import DEPTH, DEPTHS, MISTAKES
from genimg.ui import texts
from genimg.ui.transformer.mistakes_handlers import choices, comparison, depth


@pytest.mark.parametrize("name", MISTAKES)
def test_both_sides_and_the_test_are_shown(name):
    shown = comparison(name)
    assert shown.count("<pre>") == 3
    assert "it passes on the right module and fails on the mistake" in shown
    assert shown.count("<img") == (1 if name == "never-called" else 2)
    assert "&lt;" in comparison("not-scaled")  # code is text, never HTML
    assert "type: ignore" not in shown


def test_every_mistake_is_on_offer():
    assert [name for _, name in choices()] == list(MISTAKES)


def test_what_does_not_run_says_why():
    assert "TypeError: unsupported operand type(s) for *" in comparison("never-called")


@pytest.mark.parametrize("name", [None, "", "x", 3, {}])
def test_no_mistake(name):
    with pytest.raises(ValueError, match="there is no mistake"):
        comparison(name)


def test_every_depth_has_a_bar_for_each_layer():
    shown = depth()
    figures = shown.split("<figure>")[1:]
    assert len(figures) == len(DEPTHS)
    for figure in figures:
        heights = [float(height) for height in re.findall(r'height="([0-9.]+)"', figure)]
        assert len(heights) == 12
        assert max(heights) <= 60
    assert "Nothing reaches the first layer." in figures[-1]


def test_the_words_tell_how_many_layers_there_are():
    assert texts.say("transformer.mistakes.depth_about").startswith(f"{DEPTH} layers")
