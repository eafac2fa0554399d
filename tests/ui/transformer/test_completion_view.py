import runpy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from genimg.explore.drawing import DEFAULT_GUIDANCE
from genimg.ui.pad import PadPicture
from genimg.ui.pixels import disc
from genimg.ui.transformer.completion_view import CompletionView


@pytest.fixture(scope="module")
def model(drawer_shelf):
    with drawer_shelf.use(drawer_shelf.names[0]) as model:
        return model


def view_of(model, keep=None, **changes):
    if keep is None:
        keep = np.arange(64).reshape(8, 8) < 24
    settings = {"label": None, "count": 2, "seed": 3, "temperature": 1.0, "top_p": 1.0}
    picture = PadPicture(pixels=disc(32, 1))
    return CompletionView.checked(model, model.name, picture, keep, **settings | changes)


def test_whole_rows_are_said_as_rows(model):
    for rows in range(8):
        view = view_of(model, np.arange(8)[:, None].repeat(8, axis=1) < rows)
        assert view.rows == rows
    assert view_of(model, np.arange(64).reshape(8, 8) < 25).rows is None
    lower = np.arange(8)[:, None].repeat(8, axis=1) >= 4
    assert view_of(model, lower).rows is None


@given(keep=arrays(bool, (8, 8)))
def test_the_arguments_say_the_same_mask(model, keep):
    if keep.all():
        return
    arguments = view_of(model, keep).arguments()
    given_rows = {"rows": arguments["rows"]} if "rows" in arguments else {"keep": arguments["keep"]}
    np.testing.assert_array_equal(model._kept(given_rows.get("keep"), given_rows.get("rows")), keep)


@pytest.mark.parametrize(
    "changes",
    [
        {"keep": np.ones((8, 8), bool)},
        {"label": "Boat"},
        {"label": ["Shoe"]},
        {"count": 0},
        {"count": 17},
        {"count": 2.5},
        {"seed": -1},
        {"seed": None},
        {"temperature": 2.1},
        {"temperature": float("nan")},
        {"top_p": 0.0},
        {"top_p": "1"},
    ],
)
def test_views_out_of_range_are_refused(model, changes):
    with pytest.raises(ValueError, match=r"must be|is not a class|nothing is hidden"):
        view_of(model, **changes)


@pytest.mark.parametrize(
    ("keep", "changes"),
    [
        (None, {}),
        (np.eye(8, dtype=bool), {"label": 'Hat "large"', "temperature": 0.7, "top_p": 0.9}),
        (np.zeros((8, 8), bool), {"label": "<b>${alert(1)}</b>"}),
    ],
)
def test_the_snippet_makes_the_same_pictures(model, tmp_path, monkeypatch, keep, changes):
    view = view_of(model, keep, **changes)
    monkeypatch.chdir(tmp_path)
    Image.fromarray(view.picture.pixels[..., 0]).save("picture.png")
    (tmp_path / "snippet.py").write_text(view.snippet(model), encoding="utf-8")
    made = runpy.run_path("snippet.py")["pictures"]
    expected = model.complete(view.picture.pixels, view.keep, count=2, seed=3, **changes)
    np.testing.assert_array_equal(made, expected)
    assert (tmp_path / "completions.png").stat().st_size > 0


def test_the_snippet_says_guidance_where_it_matters(model):
    assert f"guidance={DEFAULT_GUIDANCE}," in view_of(model, label="Shoe").snippet(model)
    assert "guidance" not in view_of(model).snippet(model)


@given(st.sampled_from(["Shoe", None]), st.integers(1, 16))
def test_the_caption_says_what_was_asked(model, label, count):
    caption = view_of(model, label=label, count=count, seed=77, top_p=0.5).caption()
    assert "24 of 64 cells kept" in caption
    assert (label or "any class") in caption
    assert "seed 77" in caption
    assert "top-p 0.5" in caption
