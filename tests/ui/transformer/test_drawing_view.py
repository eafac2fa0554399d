import contextlib
from urllib.parse import parse_qsl

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genimg.explore.drawing import DEFAULT_GUIDANCE
from genimg.ui.transformer.drawing_view import DrawingView

PLAIN = {"seed": 3, "label": None, "temperature": 1, "top_k": 0, "top_p": 1, "guidance": 1}


@pytest.fixture(scope="module")
def drawer(drawer_shelf):
    with drawer_shelf.use(drawer_shelf.names[0]) as model:
        return model


def view_of(drawer, **changes):
    return DrawingView.checked(drawer, drawer.name, **PLAIN | changes)


@given(
    seed=st.integers(0, 2**32 - 1),
    label=st.sampled_from([None, 0, 1, 2]),
    temperature=st.floats(0, 2),
    top_k=st.integers(0, 12),
    top_p=st.floats(0.05, 1),
    guidance=st.floats(0, 5),
)
def test_a_link_opens_the_same_drawing(drawer, label, **settings):
    label = None if label is None else drawer.classes[label]
    view = view_of(drawer, label=label, **settings)
    assert DrawingView.from_query(drawer, dict(parse_qsl(view.query()))) == view


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"label": 'Hat "large"', "temperature": 0.7, "top_k": 3, "top_p": 0.9, "guidance": 2.5},
        {"label": "<b>${alert(1)}</b>", "temperature": 0},
    ],
)
def test_the_python_makes_the_same_drawing(drawer, changes, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    view = view_of(drawer, **changes)
    *rest, attention, contribution, rollout, reasons, probabilities = (
        line.split("  #")[0] for line in view.snippet(1, 0, 5).strip().split("\n")
    )
    program = "\n".join([*rest, f"seen = [{attention}, {rollout}, {contribution}, {reasons}]"])
    names = {}
    exec(compile(program, "snippet", "exec"), names)
    expected = drawer.generate(**view.arguments())
    np.testing.assert_array_equal(names["drawing"].image, expected.image)
    np.testing.assert_array_equal(names["seen"][0], expected.attention(1, 0, 5))
    np.testing.assert_array_equal(names["seen"][1], expected.rollout(5))
    np.testing.assert_array_equal(names["seen"][2], expected.contribution(1, 0, 5))
    np.testing.assert_array_equal(names["seen"][3].ablation, expected.reasons(5).ablation)
    assert probabilities.startswith("drawing.probabilities[5]")
    assert (tmp_path / "drawing.png").is_file()


def test_the_python_says_guidance_wherever_it_matters(drawer):
    for label, guidance, said in [
        ("Shoe", DEFAULT_GUIDANCE, f"guidance={DEFAULT_GUIDANCE},"),
        ("Shoe", 1, "guidance=1.0,"),
    ]:
        assert said in view_of(drawer, label=label, guidance=guidance).snippet(0, 0, 0)
    assert "guidance" not in view_of(drawer, guidance=DEFAULT_GUIDANCE).snippet(0, 0, 0)


def test_the_caption_names_what_is_not_usual(drawer):
    usual = {"guidance": DEFAULT_GUIDANCE}
    assert view_of(drawer, **usual).caption() == "any class · seed 3"
    caption = view_of(drawer, label="Shoe", top_k=3, temperature=0.5, **usual).caption()
    assert caption == "Shoe · seed 3 · temperature 0.5 · top-k 3"


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": -1},
        {"seed": 2**32},
        {"seed": 1.5},
        {"seed": "1"},
        {"seed": None},
        {"label": "Boat"},
        {"label": ""},
        {"label": 1},
        {"label": ["Shoe"]},
        {"temperature": -0.1},
        {"temperature": 2.1},
        {"temperature": float("nan")},
        {"temperature": "1"},
        {"top_k": -1},
        {"top_k": 13},
        {"top_k": True},
        {"top_p": 0},
        {"top_p": 1.1},
        {"top_p": None},
        {"guidance": -1},
        {"guidance": float("inf")},
    ],
    ids=str,
)
def test_what_is_out_of_range_is_one_sentence(drawer, changes):
    with pytest.raises(ValueError, match=r"must be|is not a class") as refused:
        view_of(drawer, **changes)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "query",
    [
        {"drawing": "x"},
        {"drawing": "1e3"},
        {"drawing": "-1"},
        {"temperature": "hot"},
        {"temperature": "nan"},
        {"top_k": "99999"},
        {"top_p": "0"},
        {"class": "Boat"},
    ],
    ids=str,
)
def test_a_damaged_link_is_one_sentence(drawer, query):
    with pytest.raises(ValueError, match=r"damaged|must be|is not a class"):
        DrawingView.from_query(drawer, {"drawer": drawer.name} | query)


@given(st.dictionaries(st.sampled_from(["drawing", "class", "top_k", "top_p"]), st.text()))
def test_any_link_is_a_drawing_or_a_sentence(drawer, query):
    with contextlib.suppress(ValueError):  # anything else fails
        view = DrawingView.from_query(drawer, query)
        assert DrawingView.from_query(drawer, dict(parse_qsl(view.query()))) == view
