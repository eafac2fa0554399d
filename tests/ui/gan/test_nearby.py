import base64
import io

import numpy as np
import pytest
from PIL import Image

from genimg.ui.gan.nearby import TRUNCATIONS, called, chosen_truncation, neighbour, truncations
from genimg.ui.gan.sliders import DIRECTIONS
from genimg.ui.texts import say

STILL = [0.0] * (DIRECTIONS + 16)


def pixels(uri):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.split(",", 1)[1]))), int)


def view_of(handlers, **changes):
    name = handlers.shelf.names[0]
    given = {"label": "Shoe", "seed": 4, "truncation": 0.6, "amounts": [1.0, *STILL[1:]]}
    return handlers.view(name, **given | changes)


@pytest.mark.parametrize("noise", ["own", "off", "12"])
def test_a_neighbour_that_is_clicked_is_the_picture(handlers, noise):
    view = view_of(handlers, noise=noise)
    sheet = handlers.neighbours(view)
    shown = pixels(sheet["src"])
    for cell in (0, 6):
        there = neighbour(handlers, {"cell": cell, "query": sheet["query"]})
        row, column = divmod(cell, 4)
        expected = shown[row * 32 : row * 32 + 32, column * 32 : column * 32 + 32]
        assert abs(pixels(handlers.picture(there)["src"]) - expected).max() <= 2
        assert (there.directions, there.truncation, there.seed) == ((1.0,), 0.6, 4)
        assert handlers.queried_view(there.query()) == there  # undo, bookmark and link keep it
    assert neighbour(handlers, {"cell": 0, "query": sheet["query"]}) == view


def test_the_strip_shows_what_the_slider_would(handlers):
    view = view_of(handlers)
    strip = truncations(handlers, view)
    shown = pixels(strip["src"])
    assert shown.shape == (32, 32 * len(TRUNCATIONS))
    for i in range(len(TRUNCATIONS)):
        amount = chosen_truncation({"cell": i})
        alone = pixels(handlers.picture(view_of(handlers, truncation=amount))["src"])
        assert np.array_equal(shown[:, i * 32 : i * 32 + 32], alone)


def test_a_model_without_a_mapping_network_has_no_strip(handlers):
    view = handlers.view(handlers.shelf.names[1], None, 4, 1.0, STILL)
    assert truncations(handlers, view) == {}
    sheet = handlers.neighbours(view)
    there = neighbour(handlers, {"cell": 3, "query": sheet["query"]})
    assert abs(pixels(handlers.picture(there)["src"]) - pixels(sheet["src"])[:32, 96:]).max() <= 2


@pytest.mark.parametrize("asked", [None, {"cell": 16}, {"cell": 1}, {"cell": 1, "query": "x" * 9}])
def test_what_no_page_sends_is_refused(handlers, asked):
    with pytest.raises(ValueError, match=r"\w"):
        neighbour(handlers, asked)
    with pytest.raises(ValueError, match="the picture"):
        chosen_truncation({"cell": 99})


def test_the_sliders_are_called_as_on_the_page(handlers):
    view = view_of(handlers)
    shown = handlers.controls(view)["directions"]
    names = called(handlers, view)
    assert names["model"] == view.checkpoint
    assert [one.get("english") or say(one.pop("say"), **one) for one in names["labels"]] == [
        one["label"] for one in shown if one["visible"]
    ]
