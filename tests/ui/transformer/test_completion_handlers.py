import base64
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from genimg.ui.pixels import text_of, text_of_mask
from genimg.ui.transformer.completion_handlers import CompletionHandlers
from genimg.ui.transformer.drawing_view import ANY_CLASS


@pytest.fixture(scope="module")
def handlers(drawer_shelf):
    return CompletionHandlers(drawer_shelf)


@pytest.fixture(scope="module")
def model(drawer_shelf):
    with drawer_shelf.use(drawer_shelf.names[0]) as model:
        return model


def pixels(uri):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.split(",", 1)[1]))))


def pad_of(picture, hidden):
    return {"pixels": text_of(picture), "hidden": text_of_mask(hidden), "number": None}


def view_of(handlers, value, **changes):
    settings = {"label": ANY_CLASS, "count": 2, "seed": 0, "temperature": 1.0, "top_p": 1.0}
    settings |= changes
    return handlers.view(handlers.shelf.names[0], value, *settings.values())


@settings(max_examples=5)  # each draws
@given(picture=arrays(np.uint8, (32, 32, 1)), hidden=arrays(bool, (8, 8)), seed=st.integers(0, 99))
def test_kept_tokens_stay_equal(handlers, model, picture, hidden, seed):
    if not hidden.any():
        hidden[7, 7] = True
    view = view_of(handlers, pad_of(picture, hidden), seed=seed)
    results = handlers.results(view)
    expected = model.complete(picture, ~hidden, count=2, seed=seed)
    kept = ~hidden.ravel()
    tokens = model.read(picture).tokens
    for uri, completed in zip(results["pictures"], expected, strict=True):
        np.testing.assert_array_equal(pixels(uri), completed[..., 0])
    # The picture that shows what the model was given has those very tokens, and nothing else.
    given_picture = model.unfinished(np.where(kept, tokens, -1))
    np.testing.assert_array_equal(pixels(results["given"]), given_picture[..., 0])
    patch = model.tokenizer.config.patch_size
    grey = hidden.repeat(patch, axis=0).repeat(patch, axis=1)
    assert (given_picture[grey] == 128).all()


def test_the_drawn_tokens_keep_those_that_were_given(handlers, model, monkeypatch):
    """Looks at the tokens themselves: pixels at the border depend on the neighbours too."""
    import genimg.explore.drawing as drawing

    drawn = []
    original = drawing.draw_tokens

    def remember(*arguments, **named):
        drawn.append(original(*arguments, **named))
        return drawn[-1]

    monkeypatch.setattr(drawing, "draw_tokens", remember)
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 1), np.uint8)
    hidden = np.random.default_rng(1).random((8, 8)) < 0.5
    handlers.results(view_of(handlers, pad_of(picture, hidden), count=3))
    [tokens] = drawn
    kept = ~hidden.ravel()
    for row in tokens.numpy():
        np.testing.assert_array_equal(row[kept], model.read(picture).tokens[kept])
    assert len({tuple(row) for row in tokens.numpy()}) > 1  # and they differ where they may


def test_what_is_on_the_screen_first_is_a_completion(handlers, model):
    view = handlers.first_view()
    value = handlers.first_pad(handlers.shelf.names[0])
    assert view.rows == 4
    assert value["hidden"] == "0" * 32 + "1" * 32
    assert handlers.first_results() == handlers.results(view)
    assert len(handlers.first_results()["pictures"]) == 8
    compile(handlers.snippet(view), "snippet", "exec")


def test_classes_can_be_chosen_or_left_open(handlers, model):
    choices = handlers.classes(handlers.shelf.names[0])
    assert [value for _, value in choices] == [ANY_CLASS, *model.classes]
    value = handlers.first_pad(handlers.shelf.names[0])
    assert view_of(handlers, value, label=ANY_CLASS).label is None
    assert view_of(handlers, value, label="Shoe").label == "Shoe"


HOSTILE = st.one_of(
    st.none(), st.integers(), st.floats(), st.text(), st.lists(st.integers(), max_size=5),
    st.dictionaries(st.sampled_from(["pixels", "hidden", "number"]),
                    st.one_of(st.none(), st.integers(), st.floats(), st.text()), max_size=3),
)  # fmt: skip


@given(HOSTILE)
def test_a_pad_that_no_page_sends_is_one_sentence(handlers, value):
    with pytest.raises(ValueError, match=r"^[^\n]{10,200}$"):
        view_of(handlers, value)


@pytest.mark.parametrize(
    "changes",
    [
        {"hidden": "0" * 64},
        {"hidden": "0" * 63},
        {"hidden": None},
        {"pixels": "A" * 1368},
        {"checkpoint": "/etc/passwd"},
        {"count": 17},
        {"count": True},
        {"label": "Boat"},
        {"seed": 1.0},
        {"temperature": -1},
        {"top_p": 2},
    ],
)
def test_the_endpoint_refuses_with_a_sentence(handlers, changes):
    value = handlers.first_pad(handlers.shelf.names[0])
    sent = {"checkpoint": value["checkpoint"]} | {k: value[k] for k in ("pixels", "hidden")}
    with pytest.raises(ValueError, match=r"must be|is not a class|choose one of|nothing is hidden"):
        handlers.complete(**sent | changes)


def test_the_endpoint_answers_with_the_librarys_pictures(handlers, model):
    value = handlers.first_pad(handlers.shelf.names[0])
    sheet = pixels(
        handlers.complete(value["checkpoint"], value["pixels"], value["hidden"], "Shoe", 4, 5, 0.8)
    )
    view = view_of(handlers, value)
    expected = model.complete(
        view.picture.pixels, rows=4, count=4, seed=5, label="Shoe", temperature=0.8
    )
    np.testing.assert_array_equal(sheet[:32, :32], expected[0, :, :, 0])
    np.testing.assert_array_equal(sheet[-32:, -32:], expected[3, :, :, 0])


def test_a_maskgit_completes_by_what_is_kept_on_all_sides(masked_shelf):
    handlers = CompletionHandlers(masked_shelf)
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 1), np.uint8)
    hidden = np.zeros((8, 8), bool)
    hidden[3:5, 3:5] = True
    view = view_of(handlers, pad_of(picture, hidden), seed=4)
    results = handlers.results(view)
    with masked_shelf.use(masked_shelf.names[0]) as model:
        expected = model.complete(picture, ~hidden, count=2, seed=4)
        given_picture = model.unfinished(np.where(hidden.ravel(), -1, model.tokens_of(picture)))
    for uri, completed in zip(results["pictures"], expected, strict=True):
        np.testing.assert_array_equal(pixels(uri), completed[..., 0])
    np.testing.assert_array_equal(pixels(results["given"]), given_picture[..., 0])
    assert "model.complete(" in handlers.snippet(view)
