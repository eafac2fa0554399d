"""Sliders whose directions have names: they say them, and what else they move."""

import runpy
import shutil

import numpy as np
import pytest
import torch

from genimg import checkpoints
from genimg.ui.gan.handlers import DIRECTIONS, LATENTS, GanHandlers
from genimg.ui.model_shelf import ModelShelf

EFFECTS = {
    "hat: none": {"hat: none": 1.0, "hat: bowler": -0.9, "beard": 0.2},
    "beard": {"beard": 0.8, "hat: none": -0.5, "smile": 0.3},
}


@pytest.fixture(scope="module")
def handlers(paths, tmp_path_factory):
    """Of a model with two named directions."""
    folder = tmp_path_factory.mktemp("named") / "style"
    shutil.copytree(paths["style"], folder)
    width = checkpoints.read(folder).config.style_dimensions
    vectors = torch.randn(2, width, generator=torch.Generator().manual_seed(0))
    named = [{"name": name, "effects": effects} for name, effects in EFFECTS.items()]
    checkpoints.write_directions(folder, vectors, named)
    return GanHandlers(ModelShelf([str(folder)]))


def view_of(handlers, *amounts):
    amounts = [*amounts, *[0.0] * (DIRECTIONS + LATENTS - len(amounts))]
    return handlers.view(handlers.shelf.names[0], "Shoe", 4, 0.6, amounts)


def test_they_say_what_they_move_and_what_else(handlers):
    sliders = handlers.controls(view_of(handlers))["directions"]
    assert [slider["label"] for slider in sliders[:3]] == ["Hat: none", "Beard", "Direction 3"]
    # of the same property nothing, of another only what is much
    assert sliders[0]["info"] is sliders[2]["info"] is None
    assert sliders[1]["info"] == "also hat: none -0.5, smile +0.3"
    assert all(slider["visible"] for slider in sliders[:2])
    assert len(sliders) == DIRECTIONS


def test_the_python_calls_them_by_their_names(handlers, tmp_path, monkeypatch):
    view = view_of(handlers, 0.0, 1.5)
    snippet = handlers.snippet(view)
    assert "directions={'beard': 1.5}" in snippet
    monkeypatch.chdir(tmp_path)
    (tmp_path / "snippet.py").write_text(snippet, encoding="utf-8")
    with handlers.shelf.use(handlers.shelf.names[0]) as model:
        expected = model.picture(**view.arguments())
    made = runpy.run_path("snippet.py")["picture"]
    np.testing.assert_array_equal(made, expected)


def test_beside_one_without_a_name_they_are_numbers(handlers):
    assert "directions=[0.0, 1.5, -1.0]" in handlers.snippet(view_of(handlers, 0.0, 1.5, -1.0))
