import base64
import io
import json

import numpy as np
import pytest

from genimg.models.attention import TokenLayout
from genimg.ui.transformer.numbers_handlers import NumbersHandlers, position_names

PICTURE = np.random.default_rng(0).integers(0, 256, (32, 32, 1), np.uint8)
PLACES = [(0, 0, 0), (1, 1, 7), (1, 0, 63)]


@pytest.fixture(scope="module", params=["drawer", "vision"])
def maps(request, drawer_shelf, vision_shelf):
    """The attention of a drawing, and that on a picture."""
    if request.param == "drawer":
        with drawer_shelf.use(drawer_shelf.names[0]) as model:
            return model.generate(label=1, seed=2).maps
    with vision_shelf.use(vision_shelf.names[0]) as model:
        return model.look(PICTURE)


@pytest.fixture(scope="module")
def handlers(maps):
    def asked(request):
        if request.get("drawing") != 7:
            raise ValueError("there is no such drawing; draw it again")
        return maps, request["layer"], request["head"], request["query"]

    return NumbersHandlers(asked)


def request_of(place):
    return {"drawing": 7, **dict(zip(("layer", "head", "query"), place, strict=True))}


def recompute(numbers):
    """Return `projected` in float64 from the first numbers alone, checking each step on the way."""
    exact = {name: np.asarray(numbers[name], np.float64) for name in numbers}
    dot_products = exact["keys"] @ exact["query"]
    np.testing.assert_allclose(numbers["dot_products"], dot_products, rtol=1e-4, atol=1e-5)
    scaled = dot_products * exact["scale"]
    np.testing.assert_allclose(numbers["scaled"], scaled, rtol=1e-4, atol=1e-5)
    masked = np.where(exact["mask"] == 1, scaled, -np.inf)
    np.testing.assert_allclose(numbers["masked"], masked, rtol=1e-4, atol=1e-5)
    weights = np.exp(masked - masked.max())
    weights /= weights.sum()
    np.testing.assert_allclose(numbers["weights"], weights, atol=1e-6)
    output = weights @ exact["values"]
    np.testing.assert_allclose(numbers["output"], output, atol=1e-5)
    return exact["projection"] @ output


@pytest.mark.parametrize("place", PLACES)
def test_the_file_holds_all_that_is_needed_to_recompute_the_result(handlers, maps, place):
    file = handlers.file(request_of(place))
    assert file["name"] == "layer{}-head{}-query{}.npz".format(*place)
    block = base64.b64decode(file["src"].partition(",")[2])
    with np.load(io.BytesIO(block), allow_pickle=False) as archive:
        numbers = dict(archive)
    assert numbers.pop("chosen").tolist() == list(place)
    positions = numbers.pop("positions")
    assert positions.tolist() == position_names(maps.layout)[: len(numbers["keys"])]
    np.testing.assert_allclose(numbers["projected"], recompute(numbers), atol=1e-5)
    assert np.abs(numbers["projected"]).max() > 1e-3  # so that zero would not do
    for name, stage in maps.stages(*place).items():
        assert np.array_equal(numbers[name], stage)


@pytest.mark.parametrize("place", PLACES)
def test_the_browser_gets_the_same_numbers(unpacked, handlers, maps, place, english):
    payload = handlers.panel(request_of(place))
    json.dumps(payload, allow_nan=False)
    assert payload["request"] == request_of(place)
    numbers = unpacked(payload)
    stages = maps.stages(*place)
    shown = [array for step in payload["steps"] for array in step["arrays"]]
    assert sorted(array["name"] for array in shown) == sorted(stages)  # each once
    for array in shown:
        stage = numbers[array["name"]]
        assert stage.dtype == np.float32
        assert np.array_equal(stage, stages[array["name"]])
        assert len(array["axes"]) == stage.ndim
        assert (stage.min() >= 0) or array["colors"] == "signed"
        if "tokens" in array["axes"]:
            assert len(stage) == len(stages["weights"])
    assert numbers["signed"].shape == numbers["amount"].shape == (257, 3)
    assert numbers["signed"][128].std() < 2  # zero is neutral
    assert english(payload["special"]) == maps.layout.special_names()
    assert payload["columns"] == maps.layout.columns
    position = position_names(maps.layout)[place[2]]
    words = "Layer {}, head {}; the query is position {}: {}"
    assert english(payload["title"]) == words.format(*place, position)


def test_the_texts_tell_the_layers_own_scale_and_mask(handlers, maps, english):
    early, late = (english(handlers.panel(request_of((0, 0, query)))) for query in (3, 63))
    width = len(maps.stages(0, 0, 3)["query"])
    scaled, masked = early["steps"][2], early["steps"][3]
    assert f"√{width}" in scaled["formula"]
    assert f"{np.float32(width**-0.5):.9g}" in scaled["formula"]
    hidden = int((maps.stages(0, 0, 3)["mask"] == 0).sum())
    assert str(hidden) in masked["text"] or hidden == 0
    assert "Nothing is hidden" in late["steps"][3]["text"]


def test_a_scale_that_is_not_the_usual_one_is_said(handlers, maps, monkeypatch, english):
    stages = maps.stages(0, 0, 3)
    monkeypatch.setattr(
        maps, "stages", lambda *_: stages | {"scale": np.float32(1)[()].reshape(())}
    )
    formula = english(handlers.panel(request_of((0, 0, 3)))["steps"][2]["formula"])
    assert "× 1," in formula
    assert "√" not in formula.partition("not")[0]


def test_every_position_has_its_name():
    layout = TokenLayout(rows=2, columns=3, registers=1)
    names = position_names(layout)
    assert names[:2] == layout.special_names()  # what the viewer beside it calls them
    assert names[:3] == ["class token", "register 0", "token 0 (row 0, column 0)"]
    assert names[-1] == "token 5 (row 1, column 2)"
    assert len(set(names)) == 8


@pytest.mark.parametrize("request_", [{}, {"drawing": 8}, {"drawing": "<b>"}])
def test_what_was_not_sent_by_the_viewer_is_refused(handlers, request_):
    with pytest.raises(ValueError, match="draw it again"):
        handlers.panel(request_)
    assert handlers.file(request_) == {"error": "there is no such drawing; draw it again"}


@pytest.mark.parametrize("place", [(9, 0, 0), (0, 9, 0), (0, 0, 65), (0, 0, -1)])
def test_places_that_are_not_there_are_refused(handlers, place):
    with pytest.raises(ValueError, match="must be from 0 to"):
        handlers.panel(request_of(place))
    assert "must be from 0 to" in handlers.file(request_of(place))["error"]
