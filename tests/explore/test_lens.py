import numpy as np
import pytest
import torch

from genimg.explore.drawing import DrawerModel


@pytest.fixture(scope="module", params=["pre-rms", "pre-layer", "post-layer", "none"])
def model(request, make_tiny):
    return DrawerModel(make_tiny("image-gpt", norm=request.param))


@pytest.fixture(scope="module")
def drawing(model):
    return model.generate(label="Bag", seed=3)


@pytest.fixture(scope="module")
def lens(drawing):
    return drawing.lens()


def test_at_the_last_depth_it_is_the_model(drawing, lens):
    assert lens.tokens.shape == lens.probabilities.shape == lens.stream.shape == (3, 16)
    assert np.array_equal(lens.tokens[-1], drawing.logits.argmax(axis=1))
    np.testing.assert_allclose(-np.log(lens.probabilities[-1]), drawing.losses, atol=1e-5)


def test_each_depth_is_the_model_cut_off_there(model, drawing, lens):
    """The reference: the same weights in float64, the blocks left out one by one."""
    prior = model.prior.double()
    blocks = prior.transformer.blocks
    tokens = torch.from_numpy(drawing.tokens)
    try:
        for depth in range(3):
            prior.transformer.blocks = blocks[:depth]
            logits = prior(tokens[None, :-1], torch.tensor([drawing.label]))[0]
            chances = logits.softmax(dim=-1)[torch.arange(16), tokens]
            np.testing.assert_allclose(lens.probabilities[depth], chances, rtol=1e-4)
            assert np.array_equal(lens.tokens[depth], logits.argmax(dim=-1))
    finally:
        prior.transformer.blocks = blocks
        prior.float()


def test_the_pictures_are_those_of_the_tokens(model, lens):
    assert lens.images.shape == (3, 16, 16, 1)
    for picture, tokens in zip(lens.images, lens.tokens, strict=True):
        # A batch adds in another order.
        assert abs(picture.astype(int) - model.unfinished(tokens)).max() <= 1


def test_a_place_is_decided_where_its_token_stays(lens):
    for place, depth in enumerate(lens.decided):
        row = lens.tokens[:, place]
        assert (row[depth:] == row[-1]).all()
        assert depth == 0 or row[depth - 1] != row[-1]


def test_the_stream_and_what_is_added_to_it(model, drawing, lens):
    assert lens.attention.shape == lens.feed_forward.shape == (2, 16)
    added = []
    block = model.prior.transformer.blocks[0]
    hooks = [
        part.register_forward_hook(lambda *call: added.append(call[-1][0]))
        for part in (block, block.attention, block.feed_forward)
    ]
    model.prior(torch.from_numpy(drawing.tokens)[None, :-1], torch.tensor([drawing.label]))
    for hook in hooks:
        hook.remove()
    attention, feed_forward, stream = (each.norm(dim=-1) for each in added)
    np.testing.assert_allclose(lens.stream[1], stream, rtol=1e-5)
    if not block.norm_last:
        np.testing.assert_allclose(lens.attention[0], attention, rtol=1e-4)
        np.testing.assert_allclose(lens.feed_forward[0], feed_forward, rtol=1e-4)


def test_a_model_of_bfloat16_has_one_too(make_tiny):
    lens = DrawerModel(make_tiny("image-gpt")).to(torch.bfloat16).generate(label=0).lens()
    assert lens.stream.dtype == lens.probabilities.dtype == np.float32
