import copy

import numpy as np
import pytest
import torch

from genimg.explore.attention_maps import rollout


def test_it_classifies_as_every_classifier(vision, pictures):
    probabilities = vision.classify(pictures)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


def exact_pass(vision, picture, materialised):
    """Return the logits and the attention of each layer in float64, in a graph."""
    network = copy.deepcopy(vision.vision_transformer).double()
    x = torch.from_numpy(picture[None]).permute(0, 3, 1, 2).double() / 127.5 - 1
    materialised.clear()
    logits = network(x.requires_grad_())[0]
    return logits, list(materialised)


def test_attention_is_the_softmax_in_float64(vision, pictures, materialised):
    maps = vision.look(pictures[0])
    _, exact = exact_pass(vision, pictures[0], materialised)
    for query in range(18):
        every = maps.all_heads(query)
        assert every.shape == (2, 2, 18)
        np.testing.assert_allclose(every.sum(axis=-1), 1, rtol=1e-5)
        expected = torch.stack(exact)[:, 0, :, query].detach().numpy()
        np.testing.assert_allclose(every, expected, atol=1e-5)
    assert np.array_equal(vision.attention(pictures[0], 1, 0, 4), maps.attention(1, 0, 4))
    assert vision.layout.length == 18


def test_rollout_follows_the_class_token(vision, pictures, materialised):
    _, exact = exact_pass(vision, pictures[0], materialised)
    expected = rollout([layer[0].detach() for layer in exact])
    np.testing.assert_allclose(vision.rollout(pictures[0]), expected[0], atol=1e-5)
    np.testing.assert_allclose(vision.rollout(pictures[0], 7), expected[7], atol=1e-5)
    np.testing.assert_allclose(vision.rollout(pictures[0]).sum(), 1, rtol=1e-5)


@pytest.mark.parametrize("label", [0, 1, 2])
def test_relevance_is_that_of_attention_with_autograd(vision, pictures, materialised, label):
    found = vision.relevance(pictures[1], label)
    assert found.dtype == np.float32
    logits, weights = exact_pass(vision, pictures[1], materialised)
    expected = np.eye(18)
    for layer, gradient in zip(weights, torch.autograd.grad(logits[label], weights), strict=True):
        raised = np.maximum((layer * gradient)[0].detach().numpy(), 0).mean(axis=0)
        expected = expected + raised @ expected
    assert expected[0, 1:].max() > 0
    np.testing.assert_allclose(found, expected[0], rtol=1e-3, atol=1e-5)


def test_relevance_again_is_the_same_and_leaves_the_model_alone(vision, pictures):
    before = {k: v.clone() for k, v in vision.vision_transformer.state_dict().items()}
    first = vision.relevance(pictures[0], "Bag")
    assert np.array_equal(first, vision.relevance(pictures[0], "bag"))
    assert not np.allclose(first, vision.relevance(pictures[0], "Shirt"))
    for name, value in vision.vision_transformer.state_dict().items():
        assert torch.equal(value, before[name])
    assert all(p.grad is None for p in vision.vision_transformer.parameters())


@pytest.mark.parametrize("label", [3, -1, "Hat", 0.5])
def test_an_unknown_class(vision, pictures, label):
    with pytest.raises(ValueError, match=r"does not know|labels must be"):
        vision.relevance(pictures[0], label)


def test_bad_pictures_and_places(vision, pictures):
    with pytest.raises(ValueError, match="image must be one picture"):
        vision.look(pictures)
    with pytest.raises(ValueError, match="images must be"):
        vision.rollout(np.zeros((8, 8, 1), np.uint8))
    with pytest.raises(ValueError, match="query must be from 0 to 17"):
        vision.attention(pictures[0], 0, 0, 18)
