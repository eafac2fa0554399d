import numpy as np
import pytest

from genimg.explore.parallel import MaskedDrawerModel


@pytest.fixture(scope="module")
def drawer(make_tiny):
    return MaskedDrawerModel(make_tiny("maskgit"))


def test_the_pictures_show_what_is_kept_and_what_is_proposed(drawer):
    drawing = drawer.draw(label="Bag", seed=3, steps=4)
    assert drawing.images.shape == drawing.guesses.shape == (4, 16, 16, 1)
    for step in range(4):
        cells = drawing.masked[step].reshape(4, 4).repeat(4, 0).repeat(4, 1)
        assert (drawing.images[step][cells] == 128).all()
        expected = drawer.unfinished(drawing.proposals[step])
        assert np.abs(drawing.guesses[step].astype(int) - expected).max() <= 1
    assert np.abs(drawing.images[-1].astype(int) - drawing.image).max() <= 1


def test_the_step_that_kept_a_token_is_the_first_without_its_mask(drawer):
    drawing = drawer.draw(label="Bag", seed=3, steps=5)
    for token, step in enumerate(drawing.kept_in):
        assert not drawing.masked[step, token]
        assert step == 0 or drawing.masked[step - 1, token]
        assert (drawing.proposals[step:, token] == drawing.tokens[token]).all()
        assert (drawing.confidence[step:, token] == drawing.confidence[step, token]).all()


def test_it_says_what_it_is(drawer):
    drawing = drawer.draw(label="Bag", seed=3, steps=4)
    assert repr(drawing) == ("<ParallelDrawing: 16 x 16 grey pixels, class 2, 16 tokens, 4 steps>")
    assert "any class" in repr(drawer.draw(label=None))
    assert "<table>" in drawing._repr_html_()
    assert drawing._repr_png_().startswith(b"\x89PNG")
