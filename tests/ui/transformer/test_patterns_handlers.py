import re

import pytest

from genimg.models.attention_patterns import ATTENTIONS
from genimg.ui.transformer.patterns_handlers import (
    FIRST,
    MOST_LAYERS,
    TOKENS,
    choices,
    linked,
    shown,
)


def cells(html):
    """The layers it takes to hear of the class and of each token before, 0 for never."""
    found = re.findall(r">(\d+|·)</text>", html)
    return [0 if text == "·" else int(text) for text in found]


def growth(html):
    listed, last = re.search(r"hears of ([\d, ]+) and (\d+) of the", html).groups()
    return [*map(int, listed.split(", ")), int(last)]


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_the_picture_and_the_words_say_the_same(attention):
    for layers in range(1, MOST_LAYERS + 1):
        html = shown(**FIRST | {"attention": attention, "layers": layers})
        heard = cells(html)
        assert len(heard) == FIRST["token"] + 1  # the class and each token before
        counts = growth(html)
        assert counts == sorted(counts)
        assert sum(0 < n <= layers for n in heard) == counts[layers - 1]
        assert max(heard) <= layers


def test_full_attention_hears_of_everything_at_once():
    html = shown(**FIRST | {"attention": "full"})
    assert set(cells(html)) == {1}
    assert growth(html) == [45] * MOST_LAYERS
    assert "2,145 of 2,145 pairs see each other, 100%" in html
    assert "memory" not in html


def test_a_window_reaches_one_window_further_with_each_layer():
    html = shown("window", 8, 0, 2, 44)
    assert cells(html) == [1] + [0] * 27 + [2] * 8 + [1] * 9
    assert growth(html)[:3] == [10, 18, 26]


def test_the_memory_is_marked():
    html = shown("recurrent", 16, 4, 1, 20)
    assert html.count('class="remembered"') == 4
    heard = cells(html)
    assert heard == [1] + [0] * 12 + [1] * 8  # the class, the memory, its own segment
    assert "dashed edge" in html
    assert 'class="remembered"' not in shown("recurrent", 16, 0, 1, 20)


def test_every_attention_is_on_offer():
    assert [name for _, name in choices()] == list(ATTENTIONS)


@pytest.mark.parametrize("token", [0, TOKENS - 1])
def test_the_first_and_the_last_token(token):
    html = shown(**FIRST | {"token": token})
    assert html.count('class="predicted"') == 1
    assert html.count('class="to-come"') == TOKENS - 1 - token


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"attention": "sparse"}, "choose one of full, window, recurrent"),
        ({"attention": ["full"]}, "there is no such attention"),
        ({"length": 0}, "the length must be"),
        ({"memory": -1}, "the memory must be"),
        ({"layers": 7}, "the layers must be"),
        ({"token": 64}, "the token must be"),
        ({"token": "4"}, "the token must be"),
        ({"token": None}, "the token must be"),
    ],
)
def test_what_the_page_cannot_send_is_refused(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        shown(**FIRST | changes)


def test_a_link_holds_the_arguments_and_nothing_else():
    assert linked("-".join(map(str, FIRST.values()))) == tuple(FIRST.values())
    for damaged in (
        "",
        "window",
        "window-8-8-3",
        "window-8-8-3-44-1",
        "window-8-8-3-x",
        "-1-1-1-1",
    ):
        with pytest.raises(ValueError, match="this link is damaged"):
            linked(damaged)
