from urllib.parse import parse_qsl

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genimg.explore.parallel import DEFAULTS, ORDERS
from genimg.ui.transformer.parallel_view import ParallelView

PLAIN = {"seed": 3, "label": None, **{k: DEFAULTS[k] for k in ("steps", "order", "noise")}}
PLAIN["guidance"] = DEFAULTS["guidance"]


@pytest.fixture(scope="module")
def model(masked_shelf):
    with masked_shelf.use(masked_shelf.names[0]) as model:
        return model


def view_of(model, **changes):
    return ParallelView.checked(model, model.name, **PLAIN | changes)


@given(
    seed=st.integers(0, 2**32 - 1),
    label=st.sampled_from([None, 0, 1, 2]),
    steps=st.integers(1, 64),
    order=st.sampled_from(ORDERS),
    guidance=st.floats(0, 5),
    noise=st.floats(0, 5),
)
def test_a_link_opens_the_same_drawing(model, label, **settings):
    label = None if label is None else model.classes[label]
    view = view_of(model, label=label, **settings)
    assert ParallelView.from_query(model, dict(parse_qsl(view.query()))) == view


@pytest.mark.parametrize(
    "changes", [{}, {"label": "<b>${alert(1)}</b>", "steps": 3, "order": "spiral", "guidance": 3}]
)
def test_the_python_makes_the_same_drawing(model, changes, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    view = view_of(model, **changes)
    names = {}
    exec(compile(view.snippet(1), "snippet", "exec"), names)
    expected = model.draw(**view.arguments())
    np.testing.assert_array_equal(names["drawing"].image, expected.image)
    np.testing.assert_array_equal(names["drawing"].masked, expected.masked)
    assert (tmp_path / "drawing.png").is_file()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"seed": -1}, "the seed must be"),
        ({"label": "Boot"}, "'Boot' is not a class"),
        ({"steps": 0}, "steps must be"),
        ({"steps": 65}, "steps must be"),
        ({"order": "zigzag"}, "the order must be one of confidence"),
        ({"order": {"a": 1}}, "the order must be one of"),
        ({"guidance": 5.1}, "guidance must be"),
        ({"noise": "loud"}, "noise must be"),
    ],
)
def test_what_cannot_be_drawn_is_refused(model, changes, reason):
    with pytest.raises(ValueError, match=reason):
        view_of(model, **changes)


def test_a_damaged_link_is_refused(model):
    for query in ({"parallel_steps": "x"}, {"parallel_seed": ""}, {"parallel_noise": "1e"}):
        with pytest.raises(ValueError, match="this link is damaged"):
            ParallelView.from_query(model, {"parallel": model.name} | query)


def test_the_caption_says_how_it_was_drawn(model):
    assert view_of(model).caption() == "any class · seed 3 · 8 steps · surest first"
    changed = view_of(model, label="Shoe" if "Shoe" in model.classes else None, steps=1)
    assert "1 step ·" in changed.caption()
    assert "guidance 1" in view_of(model, guidance=1, order="raster").caption()
