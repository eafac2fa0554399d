"""What sliders do, and say: those whose directions have names say them, and what else they move."""

import runpy
import shutil
from urllib.parse import parse_qsl

import numpy as np
import pytest
import torch

from genimg import checkpoints, trails
from genimg.render import data_uri
from genimg.ui.gan.handlers import LATENTS, GanHandlers
from genimg.ui.gan.sliders import DIRECTIONS, MOST_MOMENTS, acting, moves, moves_sent
from genimg.ui.gan.view import GanView
from genimg.ui.model_shelf import ModelShelf
from genimg.ui.texts import sent

EFFECTS = {
    "hat: none": {"hat: none": 1.0, "hat: bowler": -0.9, "beard": 0.2},
    "beard": {"beard": 0.8, "hat: none": -0.5, "smile": 0.3},
}


class Stub:
    """A GAN whose directions change its picture by known amounts."""

    classes = ()
    named_directions = {}

    def __init__(self, *strengths):
        self.strengths = strengths

    def picture(self, *, seed, label, directions=()):
        amount = sum(abs(a) * s for a, s in zip(directions, self.strengths, strict=False))
        return np.full((2, 2, 1), 10 + amount, np.uint8)


@pytest.mark.parametrize(
    ("strengths", "count"), [((60, 30, 9), 2), ((60, 3, 30), 3), ((60,), 1), ((0, 0), 2)]
)
def test_sliders_end_with_the_last_direction_that_acts(strengths, count):
    assert acting(Stub(*strengths), len(strengths)) == count


def test_what_a_model_lacks_does_not_move_it(shelf):
    with shelf.use(shelf.names[0]) as style:
        known = style.config.latent_dimensions
        made = moves([1.0], [0.5] * (known + 4), style)
    assert made == {"directions": [1.0], "latents": dict.fromkeys(range(known), 0.5)}


def test_moves_from_a_browser_are_checked():
    assert moves_sent([1], {"3": 0.5}) == {"directions": [1], "latents": {3: 0.5}}
    for directions, latents in [(None, {}), ([], {"x": 1}), ([], [1])]:
        with pytest.raises(ValueError, match="make it again"):
            moves_sent(directions, latents)


def test_the_time_machine_goes_through_the_snapshots_to_the_end(paths, tmp_path, monkeypatch):
    folder = tmp_path / "style"
    shutil.copytree(paths["style"], folder)
    model = checkpoints.read(folder).model
    for moment in (0, 300, 1000):  # 1000 is the end
        with torch.no_grad():
            next(model.generator.parameters()).mul_(1.1)
        trails.write(folder, moment, model)
    handlers = GanHandlers(ModelShelf([str(folder)]))
    view = handlers.view(str(folder), "Shoe", 4, 0.6, [1.0], 1)
    assert view.moment == 300
    assert "after 300 pictures of training" in view.caption()
    assert handlers.picture(view)["caption"] == sent(view.caption())
    assert handlers.controls(view)["age"] == {"value": 1, "maximum": 2, "visible": True}
    with handlers.shelf.use(str(folder)) as style:
        shown = style.at(300).picture(**view.arguments())
        assert GanView.from_query(style, dict(parse_qsl(view.query()))) == view
    assert handlers.picture(view)["src"] == data_uri(shown, "png")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "snippet.py").write_text(handlers.snippet(view), encoding="utf-8")
    assert np.array_equal(runpy.run_path("snippet.py")["picture"], shown)
    for age in (2, MOST_MOMENTS):
        assert handlers.view(str(folder), "Shoe", 4, 0.6, [1.0], age).moment is None
    with pytest.raises(ValueError, match="age"):
        handlers.view(str(folder), "Shoe", 4, 0.6, [1.0], -1)


def test_without_snapshots_there_is_no_time_machine(shelf):
    handlers = GanHandlers(shelf)
    age = handlers.controls(handlers.first_view())["age"]
    assert not age["visible"]
    assert handlers.view(shelf.names[0], "Shoe", 4, 0.6, [], age["value"]).moment is None


@pytest.fixture(scope="module")
def named(paths, tmp_path_factory):
    """Of a model with two named directions."""
    folder = tmp_path_factory.mktemp("named") / "style"
    shutil.copytree(paths["style"], folder)
    width = checkpoints.read(folder).config.style_dimensions
    vectors = torch.randn(2, width, generator=torch.Generator().manual_seed(0))
    named = [{"name": name, "effects": effects} for name, effects in EFFECTS.items()]
    checkpoints.write_directions(folder, vectors, named)
    return GanHandlers(ModelShelf([str(folder)]))


def view_of(named, *amounts):
    amounts = [*amounts, *[0.0] * (DIRECTIONS + LATENTS - len(amounts))]
    return named.view(named.shelf.names[0], "Shoe", 4, 0.6, amounts)


def test_they_say_what_they_move_and_what_else(named):
    sliders = named.controls(view_of(named))["directions"]
    assert [slider["label"] for slider in sliders[:3]] == ["Hat: none", "Beard", "Direction 3"]
    # of the same property nothing, of another only what is much
    assert sliders[0]["info"] == sliders[2]["info"] == ""
    assert sliders[1]["info"] == "also hat: none -0.5, smile +0.3"
    assert all(slider["visible"] for slider in sliders[:2])
    assert len(sliders) == DIRECTIONS


def test_the_python_calls_them_by_their_names(named, tmp_path, monkeypatch):
    view = view_of(named, 0.0, 1.5)
    snippet = named.snippet(view)
    assert "directions={'beard': 1.5}" in snippet
    monkeypatch.chdir(tmp_path)
    (tmp_path / "snippet.py").write_text(snippet, encoding="utf-8")
    with named.shelf.use(named.shelf.names[0]) as model:
        expected = model.picture(**view.arguments())
    made = runpy.run_path("snippet.py")["picture"]
    np.testing.assert_array_equal(made, expected)


def test_beside_one_without_a_name_they_are_numbers(named):
    assert "directions=[0.0, 1.5, -1.0]" in named.snippet(view_of(named, 0.0, 1.5, -1.0))
