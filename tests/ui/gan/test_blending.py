import base64
import contextlib
import io
import runpy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from genimg.explore.mixing import layers_of
from genimg.ui.gan.blending import SIDE, STEPS, Blending
from genimg.ui.gan.sliders import DIRECTIONS

STILL = [0.0] * (DIRECTIONS + 16)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def blending(handlers):
    return Blending(handlers)


@pytest.fixture
def here(handlers):
    return view_of(handlers)


def view_of(handlers, **changes):
    given = {"label": "Shoe", "seed": 4, "truncation": 0.6, "amounts": [1.0, *STILL[1:]]}
    return handlers.view(handlers.shelf.names[0], **given | changes)


def pixels(uri):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.split(",", 1)[1]))), int)


def cells(value, side=32):
    sheet = pixels(value["src"])
    rows, columns = sheet.shape[0] // side, sheet.shape[1] // side
    return sheet.reshape(rows, side, columns, side).swapaxes(1, 2)


def picture(handlers, view):
    return pixels(handlers.picture(view)["src"])


def test_every_point_of_the_map_is_the_picture_that_is_used(handlers, blending, here):
    value, _ = blending.draw_map({"here": here.query()})
    sheet = cells(value)
    slots = [slot["query"] for slot in value["slots"]]
    assert sheet.shape[:2] == (SIDE, SIDE)
    assert slots[0] == here.query()
    corners = {(0, 0): slots[0], (0, SIDE - 1): slots[1], (SIDE - 1, SIDE - 1): slots[2]}
    for (row, column), query in corners.items():
        assert blending.on_the_map({"slots": slots, "row": row, "column": column}) == (
            handlers.queried_view(query)
        )
    for row, column in ((0, 0), (3, 5), (SIDE - 1, 0), (SIDE - 1, SIDE - 1)):
        view = blending.on_the_map({"slots": slots, "row": row, "column": column})
        assert np.array_equal(picture(handlers, view), sheet[row, column])
        assert handlers.queried_view(view.query()) == view


def test_a_picture_is_put_where_it_is_wanted(handlers, blending, here):
    first, _ = blending.draw_map({"here": here.query()})
    slots = [slot["query"] for slot in first["slots"]]
    other = view_of(handlers, label='Hat "large"', seed=77, noise="off")
    value, _ = blending.draw_map({"here": other.query(), "slots": slots, "put": 2})
    views = [handlers.queried_view(slot["query"]) for slot in value["slots"]]
    assert views[2] == other
    assert [view.seed for view in views[:2]] == [4, 23]
    assert {view.noise for view in views} == {"off"}  # one plane has one noise


def test_another_model_begins_a_map_of_its_own(handlers, blending, here):
    slots = [slot["query"] for slot in blending.draw_map({"here": here.query()})[0]["slots"]]
    plain = handlers.view(handlers.shelf.names[1], None, 4, 1.0, STILL)
    value, _ = blending.draw_map({"here": plain.query(), "slots": slots})
    views = [handlers.queried_view(slot["query"]) for slot in value["slots"]]
    assert {view.checkpoint for view in views} == {plain.checkpoint}
    assert cells(value).shape[:2] == (SIDE, SIDE)


def test_a_way_leads_from_this_class_to_each_other(handlers, blending, here):
    value, _ = blending.ways({"here": here.query()})
    sheet = cells(value)
    assert sheet.shape[:2] == (2, STEPS)
    assert np.array_equal(sheet[0, 0], picture(handlers, here))
    other = view_of(handlers, label='Hat "large"')
    assert np.array_equal(sheet[0, -1], picture(handlers, other))
    for cell in (0, 3, STEPS - 1, STEPS + 2):
        view = blending.on_a_way({"cell": cell, "query": value["query"]})
        assert np.array_equal(picture(handlers, view), sheet[divmod(cell, STEPS)])
    with pytest.raises(ValueError, match="no such picture"):
        blending.on_a_way({"cell": 2 * STEPS, "query": value["query"]})


def test_each_layer_has_the_seed_that_it_names(handlers, blending, here):
    value, _ = blending.layers({"here": here.query(), "seeds": []})
    with handlers.shelf.use(here.checkpoint) as model:
        count = layers_of(model)
        assert value["sizes"] == model.generator.noise_sizes
    assert len(value["seeds"]) == count
    same, _ = blending.layers({"here": here.query(), "seeds": [9] * count})
    still = view_of(handlers, seed=9, amounts=STILL)
    assert np.array_equal(pixels(same["src"]), picture(handlers, still))
    with pytest.raises(ValueError, match="seed must be"):
        blending.layers({"here": here.query(), "seeds": [-1] * count})


@pytest.mark.parametrize("noise", ["own", "off"])
def test_the_python_makes_what_is_shown(handlers, blending, tmp_path, monkeypatch, noise):
    monkeypatch.chdir(tmp_path)
    here = view_of(handlers, noise=noise).query()
    drawn, map_code = blending.draw_map({"here": here})
    ways, ways_code = blending.ways({"here": here})
    mixed, layers_code = blending.layers({"here": here, "seeds": None})
    for name, code in (("map", map_code), ("ways", ways_code), ("layers", layers_code)):
        (tmp_path / f"{name}.py").write_text(code, encoding="utf-8")
    shown = runpy.run_path("map.py")["pictures"][..., 0]
    assert np.array_equal(shown, cells(drawn))
    assert np.array_equal(runpy.run_path("ways.py")["pictures"][..., 0], cells(ways)[0])
    assert np.array_equal(runpy.run_path("layers.py")["picture"][..., 0], pixels(mixed["src"]))
    assert {"map.png", "classes.png", "layers.png"} <= {path.name for path in tmp_path.iterdir()}


@given(st.data())
@settings(deadline=None, max_examples=60)
def test_whatever_the_browser_sends_is_answered_or_refused(handlers, blending, data):
    name = data.draw(st.sampled_from(["on_the_map", "ways", "on_a_way", "layers"]))
    known = st.sampled_from([view_of(handlers).query(), "model=x", ""]) | JSON
    keys = ["here", "slots", "put", "row", "column", "cell", "query", "seeds"]
    asked = data.draw(st.dictionaries(st.sampled_from(keys), known) | JSON)
    with contextlib.suppress(ValueError):
        getattr(blending, name)(asked)


@pytest.mark.parametrize(
    ("method", "changes"),
    [
        ("draw_map", {"put": 3}),
        ("draw_map", {"put": "0"}),
        ("draw_map", {"slots": ["model=x", "", ""]}),
        ("draw_map", {"here": "model=nothing"}),
        ("on_the_map", {"slots": None}),
        ("on_the_map", {"row": SIDE}),
        ("on_the_map", {"column": None}),
        ("layers", {"here": ""}),
    ],
)
def test_what_no_page_sends_is_refused(handlers, blending, here, method, changes):
    slots = [view_of(handlers, seed=seed).query() for seed in (1, 2, 3)]
    asked = {"here": here.query(), "slots": slots, "row": 0, "column": 0} | changes
    with pytest.raises(ValueError, match=r"\w"):
        getattr(blending, method)(asked)


def test_models_without_classes_or_styles_say_so(handlers, blending):
    plain = handlers.view(handlers.shelf.names[1], None, 4, 1.0, STILL).query()
    with pytest.raises(ValueError, match="one kind of picture"):
        blending.ways({"here": plain})
    with pytest.raises(ValueError, match="no mapping network"):
        blending.layers({"here": plain})
