import copy

import numpy as np
import pytest
import torch

from genimg.explore.drawing import DEFAULT_GUIDANCE, DrawerModel
from genimg.models.sampling import draw_by_uniforms, next_token_distribution
from genimg.randomness import generator


def test_the_probabilities_are_those_drawn_from(drawer, controls):
    drawing = drawer.generate(label="Bag", seed=3, **controls)
    uniforms = torch.rand(16, generator=generator(3, "draw", 0))
    drawn = draw_by_uniforms(torch.from_numpy(drawing.probabilities), uniforms)
    assert np.array_equal(drawn.numpy(), drawing.tokens)
    assert drawing.probabilities.dtype == np.float32
    np.testing.assert_allclose(drawing.probabilities.sum(axis=1), 1, rtol=1e-5)


def test_the_logits_give_the_probabilities_without_the_model(drawer, controls):
    drawing = drawer.generate(label="Bag", seed=3, **controls)
    u, c = map(torch.from_numpy, (drawing.unconditional_logits, drawing.logits))
    rest = dict(controls)
    logits = u + rest.pop("guidance", DEFAULT_GUIDANCE) * (c - u)
    reshaped = next_token_distribution(logits, **rest)
    np.testing.assert_allclose(reshaped.numpy(), drawing.probabilities, atol=1e-5)


def test_drawing_with_a_cache_is_drawing_without(drawer):
    drawing = drawer.generate(label="Bag", seed=3, guidance=1)
    uniforms = torch.rand(16, generator=generator(3, "draw", 0))
    tokens = torch.empty(1, 0, dtype=torch.int64)
    for step in range(16):
        logits = drawer.prior(tokens, torch.tensor([2]))[:, -1]
        probabilities = logits.softmax(dim=-1)
        np.testing.assert_allclose(drawing.probabilities[step], probabilities[0], atol=1e-5)
        drawn = draw_by_uniforms(probabilities, uniforms[step : step + 1])
        tokens = torch.cat((tokens, drawn[:, None]), dim=1)
    assert np.array_equal(tokens[0].numpy(), drawing.tokens)


def test_without_a_class_the_model_is_told_none(drawer):
    drawing = drawer.generate(label=None, seed=3)
    assert drawing.label == drawer.prior.unconditional
    assert np.array_equal(drawing.logits, drawing.unconditional_logits)
    *_, (_, tokens, image) = drawer.stream(label=None, seed=3)
    assert np.array_equal(tokens, drawing.tokens)
    assert np.array_equal(image, drawing.image)


def test_the_picture_is_that_of_the_tokens(drawer, drawing):
    assert np.array_equal(drawer.unfinished(drawing.tokens), drawing.image)


@pytest.mark.parametrize("fields", [{}, {"window": 3, "scale_by_sqrt": False}], ids=str)
def test_attention_is_the_softmax_in_float64(make_tiny, materialised, fields):
    model = DrawerModel(make_tiny("image-gpt", **fields))
    drawing = model.generate(label=1, seed=4)
    exact = copy.deepcopy(model.prior).double()
    materialised.clear()
    exact(torch.from_numpy(drawing.tokens)[None, :-1], torch.tensor([1]))
    every_layer = list(materialised)  # looking at the drawing will add to it
    assert len(every_layer) == 2
    for layer, weights in enumerate(every_layer):
        for head in range(2):
            rows = [drawing.attention(layer, head, query) for query in range(16)]
            found = np.stack(rows)
            np.testing.assert_allclose(found[:, :16], weights[0, head].numpy(), atol=1e-5)


def test_attention_sums_to_one_and_looks_at_the_past_only(drawing):
    for query in range(16):
        every = drawing.maps.all_heads(query)
        assert every.shape == (2, 2, 17)
        assert every.dtype == np.float32
        np.testing.assert_allclose(every.sum(axis=-1), 1, rtol=1e-5)
        assert not every[..., query + 1 :].any()
        row = drawing.attention(layer=1, head=0, query=query)
        np.testing.assert_allclose(row, every[1, 0], atol=1e-6)
        flow = drawing.rollout(query)
        np.testing.assert_allclose(drawing.maps.all_queries()[:, :, query], every, atol=1e-6)
        np.testing.assert_array_equal(drawing.maps.all_rollouts()[query], flow)
        assert flow.shape == (17,)
        np.testing.assert_allclose(flow.sum(), 1, rtol=1e-5)
        assert not flow[query + 1 :].any()


def test_the_first_position_can_look_at_itself_only(drawing):
    assert drawing.attention(0, 0, 0)[0] == 1
    assert drawing.entropy(0, 0, 0) == 0
    assert 0 < drawing.entropy(0, 0, 15) <= np.log(16)


def test_one_pass_serves_everything(drawer, monkeypatch):
    drawing = drawer.generate(label=0)
    calls = []
    forward = drawer.prior.forward
    monkeypatch.setattr(
        drawer.prior, "forward", lambda *args, **more: calls.append(1) or forward(*args, **more)
    )
    drawing.attention(0, 0, 3), drawing.attention(1, 1, 9), drawing.rollout(4)
    drawing.stages(1, 0, 2), drawing.logits, drawing.entropy(0, 1, 5)
    assert len(calls) == 1


@pytest.mark.parametrize("place", [(-1, 0, 0), (2, 0, 0), (0, 2, 0), (0, 0, 16), (0, -1, 0)])
def test_what_is_not_there(drawing, place):
    with pytest.raises(ValueError, match="must be from 0 to"):
        drawing.attention(*place)
    with pytest.raises(ValueError, match="must be from 0 to"):
        drawing.stages(*place)


def test_the_losses_are_those_of_the_logits(drawing):
    chances = torch.from_numpy(drawing.logits).double().log_softmax(dim=1)
    expected = -chances[torch.arange(16), torch.from_numpy(drawing.tokens)]
    np.testing.assert_allclose(drawing.losses, expected, atol=1e-5)


def test_it_can_be_drawn_again_by_another_prior(drawer, drawing):
    assert np.array_equal(drawing.again(drawer.prior)[0], drawing.tokens)
    other = copy.deepcopy(drawer.prior)
    other.head.weight.data.neg_()
    assert not np.array_equal(drawing.again(other)[0], drawing.tokens)
    assert np.array_equal(drawing.decode(drawing.again(drawer.prior))[0], drawing.image)
