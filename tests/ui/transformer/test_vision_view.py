import runpy

import numpy as np
import pytest
from PIL import Image

from genimg.ui.pad import PadPicture
from genimg.ui.pixels import disc
from genimg.ui.transformer.vision_view import VisionView


@pytest.fixture(scope="module")
def model(vision_shelf):
    with vision_shelf.use(vision_shelf.names[0]) as model:
        return model


def view_of(model, **changes):
    chosen = {"layer": 1, "head": 0, "query": 9} | changes
    return VisionView.checked(model, model.name, PadPicture(pixels=disc(32, 1)), **chosen)


def test_the_snippet_computes_what_is_shown(model, tmp_path, monkeypatch):
    view = view_of(model)
    monkeypatch.chdir(tmp_path)
    Image.fromarray(view.picture.pixels[..., 0]).save("picture.png")
    (tmp_path / "snippet.py").write_text(view.snippet(model), encoding="utf-8")
    made = runpy.run_path("snippet.py")
    picture = view.picture.pixels
    np.testing.assert_array_equal(made["weights"], model.attention(picture, 1, 0, 9))
    added = model.look(picture).contribution(1, 0, 9)
    np.testing.assert_array_equal(made["added"], added)
    np.testing.assert_array_equal(made["rollout"], model.rollout(picture, 9))
    np.testing.assert_array_equal(made["probabilities"], model.classify(picture[None])[0])
    likeliest = int(made["probabilities"].argmax())
    np.testing.assert_array_equal(made["relevance"], model.relevance(picture, likeliest))


@pytest.mark.parametrize("name", ["layer", "head", "query"])
@pytest.mark.parametrize("number", [-1, 65, 1.0, "0", None, True])
def test_what_is_not_there_is_refused(model, name, number):
    with pytest.raises(ValueError, match=f"the {name} must be a whole number from 0 to"):
        view_of(model, **{name: number})
