import base64
import io
import re

import nbclient
import nbformat
import numpy as np
import pytest
from PIL import Image

from genimg.explore import LoadedModel
from genimg.explore.presenting import card, model_facts


def opened(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png))


def test_each_model_says_on_one_line_what_it_is(style, plain, drawer, vision, tokenizer):
    parameters = sum(weight.numel() for weight in style.module.parameters())
    assert repr(style) == (
        f"<GanModel 'mine': stylegan, 32 x 32 grey pixels, 3 classes, {parameters:,} parameters,"
        " float32 on cpu>"
    )
    assert "classes" not in repr(plain)
    for model, kind in ((drawer, "image-gpt"), (vision, "vision-transformer")):
        assert repr(model).startswith(f"<{type(model).__name__} 'mine': {kind}, 16 x 16 grey")
    assert "fsq-tokenizer" in repr(tokenizer)


def test_a_drawing_says_what_it_is(drawer):
    drawing = drawer.generate(label="Bag", seed=1)
    assert repr(drawing) == (
        "<Drawing: 16 x 16 grey pixels, class 2, 4 x 4 tokens, 12 kinds of token>"
    )
    assert "any class" in repr(drawer.generate(label=None))
    assert "class 2" in drawing._repr_html_()
    pixels = np.asarray(opened(drawing._repr_png_()))
    assert pixels.shape == (256, 256)
    assert np.array_equal(pixels[::16, ::16], drawing.image[..., 0])


def test_a_model_that_draws_shows_its_first_pictures(style, drawer):
    for model in (style, drawer):
        side, picture = model.config.size, opened(model._repr_png_())
        factor = picture.width // (10 * side + 9 * 2)
        assert picture.size == (factor * (10 * side + 9 * 2), factor * side)
        assert picture.width >= 600
        first = np.asarray(picture)[::factor, ::factor][:, :side]
        assert np.array_equal(first, model.sample(10, seed=0)[0, ..., 0])
        shown = re.search(r"src='data:image/png;base64,([^']+)'", model._repr_html_())[1]
        assert base64.b64decode(shown) == model._repr_png_()


def test_a_model_that_draws_nothing_shows_facts(vision, tokenizer):
    for model in (vision, tokenizer):
        assert model._repr_png_() is None
        assert "<img" not in model._repr_html_()
        for fact in model_facts(model).values():
            assert fact in model._repr_html_()


def test_what_a_stranger_wrote_is_text(make_tiny):
    checkpoint = make_tiny("image-gpt")
    checkpoint.name = "<script>alert(1)</script>\x1b[2J"
    checkpoint.card = checkpoint.card | {"dataset": "<b>bold</b>\nand more"}
    model = LoadedModel(checkpoint)
    assert "\n" not in repr(model)
    assert "\x1b" not in repr(model)
    assert "<b>" not in model._repr_html_()
    assert "<script" not in model._repr_html_()
    assert "&lt;script&gt;" in card("<script>", {}, None)


@pytest.mark.slow
def test_a_notebook_shows_models_drawings_and_data():
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell(source)
            for source in (
                "import genimg; model = genimg.load('fashion-gpt'); model",
                "model.generate(label='Coat', seed=3)",
                "genimg.data.load('fashion-mnist', split='test', full=False)",
                "genimg.load('fashion-vit')",
            )
        ]
    )
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    shown = [cell.outputs[0].data for cell in notebook.cells]
    assert [sorted(each) for each in shown] == [
        ["image/png", "text/html", "text/plain"],
        ["image/png", "text/html", "text/plain"],
        ["text/plain"],
        ["text/html", "text/plain"],
    ]
    assert all("\n" not in each["text/plain"] for each in shown)
    assert shown[0]["text/plain"].startswith("<DrawerModel 'fashion-gpt': image-gpt, 28 x 28")
    assert opened(base64.b64decode(shown[1]["image/png"])).size == (280, 280)
    assert shown[2]["text/plain"].startswith("<Dataset 'fashion-mnist': 2,000 pictures of ")
