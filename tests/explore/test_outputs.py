import numpy as np
import pytest
import torch
from PIL import Image

from genimg.explore.outputs import as_output

CALLS = {
    "sample": ("style", lambda m, **k: m.sample(2, **k)),
    "neighbours": ("style", lambda m, **k: m.neighbours(2, **k)),
    "interpolate": ("style", lambda m, **k: m.interpolate([1, 2], steps=2, **k)),
    "draw": ("drawer", lambda m, **k: m.sample(2, **k)),
    "complete": ("drawer", lambda m, **k: m.complete(m.sample(1)[0], rows=1, count=2, **k)),
    "decode": ("tokenizer", lambda m, **k: m.decode(np.zeros((2, 16), int), **k)),
    "reconstruct": ("tokenizer", lambda m, **k: m.reconstruct(_noise(2), **k)),
}


def _noise(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 16, 16, 1), np.uint8)


@pytest.mark.parametrize("name", CALLS)
def test_all_pictures_come_in_three_forms(request, name):
    fixture, call = CALLS[name]
    model = request.getfixturevalue(fixture)
    array, tensor = call(model), call(model, output="torch")
    assert np.array_equal(call(model, output="numpy"), array)
    assert (tensor.dtype, tensor.device.type) == (torch.uint8, "cpu")
    assert np.array_equal(tensor.permute(0, 2, 3, 1), array)
    pictures = call(model, output="pil")
    assert [type(picture) for picture in pictures] == [Image.Image, Image.Image]
    assert np.array_equal(np.stack([np.asarray(p) for p in pictures]), array[..., 0])
    with pytest.raises(ValueError, match="output must be one of numpy, torch, pil, not 'jax'"):
        call(model, output="jax")


def test_one_picture_is_one(style):
    array = style.picture(seed=1)
    assert np.array_equal(np.asarray(style.picture(seed=1, output="pil")), array[..., 0])
    assert np.array_equal(style.picture(seed=1, output="torch"), array.transpose(2, 0, 1))


def test_colours_stay_in_their_order():
    pixel = np.array([[[1, 2, 3]]], np.uint8)
    assert as_output(pixel, "pil").getpixel((0, 0)) == (1, 2, 3)
    assert as_output(pixel[None], "torch")[0, :, 0, 0].tolist() == [1, 2, 3]
