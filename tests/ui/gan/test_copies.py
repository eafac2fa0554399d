import re
import shutil

import numpy as np
import pytest
import torch

from genimg import checkpoints, trails
from genimg.explore.neighbours import Neighbours
from genimg.ui.gan import copies
from genimg.ui.gan.copies import described, is_it_a_copy, verdict
from genimg.ui.gan.handlers import GanHandlers
from genimg.ui.model_shelf import ModelShelf


def text_of(html):
    return re.sub(r"<[^>]*>", "", html)


def near(distance=9.0, ratio=0.9, share=0.4, searched=100, source="bundled sample of 100"):
    return Neighbours(
        pictures=np.zeros((2, 4, 4, 1), np.uint8),
        numbers=np.array([3, 8]),
        distances=np.array([distance, distance + 1]),
        ratio=ratio,
        share_nearer=share,
        searched=searched,
        source=source,
    )


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({"pixels": near()}, "No sign of a copy: .* is 0.90 times .by pixels. as far away"),
        (
            {"pixels": near(), "features": near(ratio=1.2)},
            "0.90 times .by pixels. and 1.20 times .by features.",
        ),
        ({"pixels": near(share=0.0)}, "it may be a copy, or it is plainer"),
        ({"pixels": near(), "features": near(share=0.0)}, "it may be a copy"),
        ({"pixels": near(0.0, 0.0, 0.0)}, "is a training picture, to the last grey level"),
        ({"pixels": near(ratio=None)}, "no use for comparison"),
    ],
)
def test_the_verdict_says_what_the_numbers_mean(found, words):
    assert re.search(words, verdict(found))


def test_the_page_says_what_was_searched():
    html = described({"pixels": near(), "features": near()}, 24_000)
    assert "100 training pictures, the sample that ships; the model learned from 24,000" in html
    assert html.count('<img src="data:image/png') == 4
    assert 'alt="Training picture 8"' in html
    whole = described({"pixels": near(searched=60_000, source="/here")}, 60_000)
    assert text_of(whole).endswith("Searched: 60,000 training pictures.")
    assert "/here" not in whole  # a path of this machine


def test_where_no_pictures_are_here_it_says_so(shelf, handlers):
    html = is_it_a_copy(shelf, handlers.first_view())
    assert text_of(html) == "The training pictures of this model are not on this machine."


def test_it_is_about_the_picture_that_the_time_machine_shows(paths, tmp_path, monkeypatch):
    folder = tmp_path / "style"
    shutil.copytree(paths["style"], folder)
    model = checkpoints.read(folder).model
    with torch.no_grad():
        for weight in model.generator.parameters():
            weight.mul_(1.1)
    trails.write(folder, 300, model)
    searched = []

    class Known:
        training, ways = [0], ("pixels",)

        def nearest(self, picture, count, way):
            searched.append(picture)
            return near()

    monkeypatch.setattr(copies, "training_pictures", lambda dataset, size: Known())
    handlers = GanHandlers(ModelShelf([str(folder)]))
    view = handlers.view(str(folder), "Shoe", 4, 0.6, [], 0)
    is_it_a_copy(handlers.shelf, view)
    with handlers.shelf.use(str(folder)) as style:
        assert np.array_equal(searched[0], style.at(300).picture(**view.arguments()))
        assert not np.array_equal(searched[0], style.picture(**view.arguments()))
