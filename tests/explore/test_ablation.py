import numpy as np
import pytest
import torch

from genimg.explore.ablation import average_maps
from genimg.explore.drawing import DrawerModel
from genimg.models.attention import Capture

EVERY_HEAD = [(layer, head) for layer in range(2) for head in range(2)]


@pytest.fixture(scope="module")
def drawing(drawer):
    return drawer.generate(label="Bag", seed=3, temperature=0.8)


def test_without_surgery_it_is_the_drawing(drawer, drawing):
    same = drawer.ablate(drawing)
    assert np.array_equal(same.image, drawing.image)
    assert np.array_equal(same.tokens, drawing.tokens)
    np.testing.assert_allclose(same.losses, same.whole, atol=1e-5)
    assert abs(same.change) < 1e-5


@pytest.mark.parametrize("treatment", ["off", "uniform", "mean", 1])
def test_the_same_random_numbers_another_model(drawer, drawing, treatment):
    changed = drawer.ablate(drawing, heads={(0, 0): treatment, (1, 0): treatment})
    again = drawer.ablate(drawing, heads={(0, 0): treatment, (1, 0): treatment})
    assert np.array_equal(changed.image, again.image)
    assert changed.image.shape == drawing.image.shape
    assert np.array_equal(changed.whole, drawing.losses)
    assert not np.allclose(changed.losses, changed.whole, atol=1e-4)
    assert changed.change == pytest.approx((changed.losses - drawing.losses).mean(), abs=1e-6)


def test_without_every_part_only_the_last_token_counts(drawer):
    """Then each token is predicted from the one before it alone, whatever came earlier."""
    drawing = drawer.generate(label=0, seed=1, guidance=1)
    nothing = {"heads": dict.fromkeys(EVERY_HEAD, "off"), "feed_forwards": [0, 1]}
    found = drawer.ablate(drawing, **nothing)
    prior = drawer.prior
    stream = prior.token_embedding(torch.from_numpy(drawing.tokens[:-1]))
    logits = prior.head(prior.transformer.last_norm(stream))
    chances = logits.log_softmax(dim=1)[torch.arange(15), torch.from_numpy(drawing.tokens[1:])]
    np.testing.assert_allclose(found.losses[1:], -chances, atol=1e-4)


def test_the_average_is_that_of_drawings(drawer):
    maps = average_maps(drawer.prior)
    assert maps.shape == (2, 2, 16, 16)
    np.testing.assert_allclose(maps.sum(dim=-1), 1, rtol=1e-5)
    assert not maps.triu(1).any()
    one = Capture()
    drawer.prior(torch.zeros(1, 15, dtype=torch.int64), torch.tensor([0]), capture=one)
    assert not torch.allclose(one.weights(0)[0], maps[0], atol=1e-3)


def test_the_average_is_made_once_and_follows_the_model(make_tiny, monkeypatch):
    model, calls = DrawerModel(make_tiny("image-gpt")), []
    monkeypatch.setattr(
        "genimg.explore.drawing.average_maps", lambda prior: calls.append(1) or average_maps(prior)
    )
    drawing = model.generate(label=0)
    for _ in range(2):
        model.ablate(drawing, heads={(0, 0): "mean"})
    assert len(calls) == 1
    model.ablate(model.to(torch.bfloat16).generate(label=0), heads={(0, 0): "mean"})
    assert len(calls) == 2


def test_a_picture_that_was_read_becomes_more_or_less_likely(drawer, pictures):
    reading = drawer.read(pictures[0], label=1)
    changed = drawer.ablate(reading, heads={(1, 1): "off"})
    assert np.array_equal(changed.tokens, reading.tokens)
    assert changed.change != 0


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"heads": {(2, 0): "off"}}, "layer must be from 0 to 1"),
        ({"heads": {(0, 2): "off"}}, "head must be from 0 to 1"),
        ({"heads": {(0, 0): "gone"}}, "'off', 'uniform', 'mean' or the number"),
        ({"heads": {(0, 0): 2}}, "the head to look as must be from 0 to 1"),
        ({"heads": {(0, 0): None}}, "the head to look as must be"),
        ({"heads": {3: "off"}}, r"a head is \(layer, head\)"),
        ({"heads": [(0, 0)]}, "heads must be a dict"),
        ({"feed_forwards": [2]}, "layer must be from 0 to 1"),
        ({"feed_forwards": 1}, "feed_forwards must be a list of layers"),
    ],
)
def test_bad_arguments(drawer, drawing, arguments, reason):
    with pytest.raises(ValueError, match=reason):
        drawer.ablate(drawing, **arguments)


def test_it_shows_itself(drawer, drawing):
    changed = drawer.ablate(drawing, feed_forwards=[0])
    assert repr(changed).startswith("<Ablation: ")
    assert "nats per token" in repr(changed)
    assert "<img" in changed._repr_html_()
    assert changed._repr_png_().startswith(b"\x89PNG")


def test_a_drawing_of_another_model_is_refused(drawer, make_tiny):
    other = DrawerModel(make_tiny("image-gpt")).generate(label=0)
    with pytest.raises(ValueError, match="another model's"):
        drawer.ablate(other)


def test_a_drawing_goes_where_its_model_goes(make_tiny):
    model = DrawerModel(make_tiny("image-gpt"))
    drawing = model.generate(label=0)
    before = drawing.lens()
    model.to(torch.bfloat16)
    same = model.ablate(drawing)
    assert np.array_equal(same.losses, same.whole)
    assert drawing.lens().tokens.shape == before.tokens.shape
