import base64
import io
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from genimg import checkpoints, trails
from genimg.explore.mixing import mix
from genimg.ui.gan.handlers import GanHandlers
from genimg.ui.gan.mixing import mixed
from genimg.ui.model_shelf import ModelShelf


def test_the_table_holds_the_pictures_and_what_they_are_mixed_of(shelf):
    name = shelf.names[0]
    shown = mixed(shelf, name, "Shoe", 0.7, "1, 2", "3, 4, 5", 2)
    sheet = np.asarray(Image.open(io.BytesIO(base64.b64decode(shown["src"].split(",", 1)[1]))))
    cells = sheet.reshape(3, 32, 4, 32).swapaxes(1, 2)
    with shelf.use(name) as model:
        table = mix(model, [1, 2], [3, 4, 5], layers=2, label="Shoe", truncation=0.7)
        left = model.picture(seed=2, label="Shoe", truncation=0.7)
        top = model.picture(seed=5, label="Shoe", truncation=0.7)
    assert np.array_equal(cells[1:, 1:], table[..., 0])
    assert np.array_equal(cells[2, 0], left[..., 0])
    assert np.array_equal(cells[0, 3], top[..., 0])


def test_it_follows_the_time_machine(paths, tmp_path):
    folder = tmp_path / "style"
    shutil.copytree(paths["style"], folder)
    model = checkpoints.read(folder).model
    trails.write(folder, 1000, model)
    with torch.no_grad():
        for weight in model.generator.parameters():
            weight.mul_(1.1)
    trails.write(folder, 300, model)
    shelf = ModelShelf([str(folder)])
    now, then = (mixed(shelf, str(folder), "Shoe", 0.7, "1, 2", "3, 4", 2, age) for age in (1, 0))
    assert then["src"] != now["src"]
    assert now == mixed(shelf, str(folder), "Shoe", 0.7, "1, 2", "3, 4", 2)
    handlers = GanHandlers(shelf)
    assert "fully trained" in handlers.anachronism(str(folder), 0)
    assert handlers.anachronism(str(folder), 1) == ""
    assert "model with the noise of its first seed" in handlers.anachronism(str(folder), 0, "off")
    assert "shows the noise of its first seed" in handlers.anachronism(str(folder), 1, "12")


@pytest.mark.parametrize(
    "changes",
    [
        {"rows": "1"},
        {"columns": "1, 2, 3, 4, 5, 6, 7"},
        {"rows": "<b>"},
        {"layers": 99},
        {"layers": None},
        {"age": -1},
        {"label": "Boat"},
        {"truncation": "x"},
    ],
)
def test_what_no_page_sends_is_refused(shelf, changes):
    sent = {"label": "Shoe", "truncation": 0.7, "rows": "1, 2", "columns": "3, 4", "layers": 2}
    with pytest.raises(ValueError, match=r"\w"):
        mixed(shelf, shelf.names[0], **sent | changes)


def test_a_model_without_a_mapping_network_says_why_not(shelf):
    with pytest.raises(ValueError, match="no mapping network"):
        mixed(shelf, shelf.names[1], None, 1.0, "1, 2", "3, 4", 2)
