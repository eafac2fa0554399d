import base64
import io

import numpy as np
import pytest
from PIL import Image

from genimg.ui.transformer.drawing_view import ANY_CLASS
from genimg.ui.transformer.parallel_handlers import ParallelHandlers


@pytest.fixture(scope="module")
def handlers(masked_shelf):
    return ParallelHandlers(masked_shelf)


def test_what_the_browser_gets_is_the_librarys(unpacked, handlers, masked_shelf):
    view = handlers.first_view()
    payload = handlers.payload(view)
    found = unpacked(payload)
    with masked_shelf.use(view.checkpoint) as model:
        drawing = model.draw(**view.arguments())
    assert np.array_equal(found["masked"].astype(bool), drawing.masked)
    assert np.array_equal(found["confidence"], drawing.confidence)
    assert np.array_equal(found["images"][-1], drawing.image)
    assert np.array_equal(found["guesses"][-1], drawing.image)
    assert np.array_equal(found["images"][:-1], drawing.images[:-1])
    assert np.array_equal(found["guesses"][:-1], drawing.guesses[:-1])
    assert payload["layout"] == {"rows": 8, "columns": 8, "special": []}


def test_a_view_comes_back_from_a_link_and_from_the_browser(handlers):
    view = handlers.view(handlers.shelf.names[0], ANY_CLASS, 5, 4, "spiral", 2, 0.5)
    query = {
        "parallel": view.checkpoint, "parallel_seed": "5", "parallel_steps": "4",
        "parallel_order": "spiral", "parallel_guidance": "2", "parallel_noise": "0.5",
    }  # fmt: skip
    assert handlers.linked_view(query) == view
    asked = {"drawing": handlers.payload(view)["drawing"], "step": 3}
    assert handlers.snippet(asked) == view.snippet(3, view.checkpoint)


@pytest.mark.parametrize(
    "request_",
    [None, 3, {}, {"drawing": 1}, {"drawing": {"checkpoint": "/etc/passwd"}, "step": 0}],
)
def test_what_is_no_drawing_is_refused(handlers, request_):
    with pytest.raises(ValueError, match="there is no"):
        handlers.snippet(request_)


@pytest.mark.parametrize("step", [-1, 8, None, "1", 1.5])
def test_a_step_that_is_not_there_is_refused(handlers, step):
    drawing = handlers.payload(handlers.first_view())["drawing"]
    with pytest.raises(ValueError, match="step must be"):
        handlers.snippet({"drawing": drawing, "step": step})


def test_another_model_keeps_the_seed_and_a_class_that_it_knows(handlers):
    name = handlers.shelf.names[0]
    first = handlers.first_view()
    assert handlers.view_in(name, first.label, 9).label == first.label
    assert handlers.view_in(name, "Boat", 9).label is None
    assert handlers.view_in(name, "Boat", 9).seed == 9
    with pytest.raises(ValueError, match="the seed must be"):
        handlers.view_in(name, None, "x")


def test_the_controls_say_what_the_view_is(handlers):
    view = handlers.view(handlers.shelf.names[0], ANY_CLASS, 5, 4, "spiral", 2, 0.5)
    controls = handlers.controls(view)
    assert controls["steps"] == {"value": 4, "maximum": 64}
    assert controls["label"]["value"] == ANY_CLASS
    assert [controls[name]["value"] for name in ("order", "guidance", "noise")] == [
        "spiral", 2.0, 0.5,
    ]  # fmt: skip
    assert "layers" in controls["facts"]["value"]


def test_the_api_draws_the_same_picture(handlers, masked_shelf):
    name = handlers.shelf.names[0]
    *_, code = handlers.draw(name, "", 4, steps=3, order="random").partition(",")
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(code))))
    with masked_shelf.use(name) as model:
        expected = model.draw(label=None, seed=4, steps=3, order="random").image
    assert np.array_equal(picture, expected[:, :, 0])
    with pytest.raises(ValueError, match="is not a class"):
        handlers.draw(name, "Boat")
