"""Every view of the page with pictures in colour, 64 pixels: the pictures that it shows are those.

Without a browser: what a browser is sent, by the functions behind the page.
"""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from genimg import checkpoints
from genimg.models import kind_named
from genimg.models.drawer import DrawerConfig
from genimg.models.vision_transformer import VisionTransformerConfig
from genimg.render import encode
from genimg.ui.gan.handlers import LATENTS, GanHandlers
from genimg.ui.gan.opponent import Opponent
from genimg.ui.gan.sliders import DIRECTIONS
from genimg.ui.model_shelf import ModelShelf
from genimg.ui.pixels import text_of, text_of_mask
from genimg.ui.transformer.completion_handlers import CompletionHandlers
from genimg.ui.transformer.drawing_handlers import DrawingHandlers
from genimg.ui.transformer.drawing_view import ANY_CLASS, DrawingView
from genimg.ui.transformer.vision_handlers import VisionHandlers

PICTURE = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)


@pytest.fixture(scope="module")
def shelves(tmp_path_factory, small_config, alive):
    """A shelf of each use with one small model for pictures in colour."""
    shape = {"size": 64, "channels": 3, "classes": 3}
    small = {"width": 16, "layers": 2, "heads": 2}
    configs = {
        "style-dcgan": small_config("style-dcgan", 64, 3, 3),
        "image-gpt": DrawerConfig(**shape, **small, widths=(8, 8, 8, 8), levels=(4, 3)),
        "vision-transformer": VisionTransformerConfig(**shape, **small, patch=8),
    }
    made = {}
    for kind, config in configs.items():
        folder = checkpoints.write(
            tmp_path_factory.mktemp("colour") / kind,
            kind=kind,
            model=alive(kind_named(kind).build(config)),
            card={"title": kind, "classes": ["Shoe", "Hat", "Coat"], "dataset": "none"},
            preview=encode(np.zeros((2, 2, 3), np.uint8), "png"),
        )
        made[kind] = ModelShelf([str(folder)])
    return made


def pixels(uri):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.split(",", 1)[1]))))


def is_in_colour(picture):
    return picture.shape[-1] == 3 and np.ptp(picture.astype(int), axis=-1).max() > 0


@pytest.fixture(scope="module")
def gan(shelves):
    handlers = GanHandlers(shelves["style-dcgan"])
    amounts = [1.0] + [0.0] * (DIRECTIONS + LATENTS - 1)
    return handlers, handlers.view(handlers.shelf.names[0], "Hat", 3, 0.8, amounts)


def test_a_gans_picture_its_neighbours_and_its_ends(gan):
    handlers, view = gan
    with handlers.shelf.use(view.checkpoint) as model:
        expected = model.picture(**view.arguments())
    assert is_in_colour(expected)
    assert np.array_equal(pixels(handlers.picture(view)["src"]), expected)
    assert pixels(handlers.neighbours(view)["src"]).shape == (256, 256, 3)
    ends = handlers.ends(view)["ends"]
    assert all(pixels(end).shape == (64, 64, 3) for pair in ends for end in pair)


def test_a_gans_walk_and_its_files(gan):
    handlers, view = gan
    walk = handlers.walk(view.checkpoint, "Hat", 0.8, "1, 2", 4, "slerp", "w", True)
    film = handlers.film(walk)
    assert pixels(film["sheet"]).shape == (64, 64 * film["frames"], 3)
    for format in ("gif", "webp", "png"):
        saved = handlers.export({"walk": film["walk"], "format": format})
        picture = Image.open(io.BytesIO(base64.b64decode(saved["src"].split(",", 1)[1])))
        assert is_in_colour(np.asarray(picture.convert("RGB")))


def test_a_gans_discriminator_and_its_reasons(gan):
    handlers, view = gan
    opponent = Opponent(handlers.shelf, handlers.acting)
    assert "gets" in opponent.gauge(view)
    occlusion, gradient = re.findall(r'src="([^"]+)"', opponent.decides(view))
    assert is_in_colour(pixels(occlusion))
    assert pixels(gradient).shape[:2] >= (240, 240)
    assert opponent.convince(view).directions


def test_a_drawing(shelves):
    handlers = DrawingHandlers(shelves["image-gpt"])
    controls = {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "guidance": 1.0}
    view = DrawingView(checkpoint=handlers.shelf.names[0], seed=4, label="Shoe", **controls)
    payload = handlers.payload(view)
    (entry,) = (entry for entry in payload["arrays"] if entry["name"] == "frames")
    frames = np.frombuffer(
        base64.b64decode(payload["bytes"]), entry["dtype"], int(np.prod(entry["shape"])),
        entry["offset"],
    ).reshape(entry["shape"])  # fmt: skip
    with handlers.shelf.use(view.checkpoint) as model:
        drawing = model.generate(**view.arguments())
    assert is_in_colour(drawing.image)
    assert np.array_equal(frames[-1], drawing.image)
    assert len(frames) >= 64


def test_a_completion(shelves):
    handlers = CompletionHandlers(shelves["image-gpt"])
    hidden = np.zeros((8, 8), bool)
    hidden[4:] = True
    pad = {"pixels": text_of(PICTURE), "hidden": text_of_mask(hidden), "number": None}
    view = handlers.view(handlers.shelf.names[0], pad, ANY_CLASS, 2, 0, 1.0, 1.0)
    results = handlers.results(view)
    assert all(pixels(uri).shape == (64, 64, 3) for uri in results["pictures"])


def test_a_look_at_a_picture(shelves):
    handlers = VisionHandlers(shelves["vision-transformer"])
    payload = handlers.looking(handlers.shelf.names[0], {"pixels": text_of(PICTURE)})
    shape = next(entry["shape"] for entry in payload["arrays"] if entry["name"] == "attention")
    assert list(shape) == [2, 2, 65, 65]
