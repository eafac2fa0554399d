import copy

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genimg.explore.attention_maps import entropy, gradient_relevance, rollout
from genimg.explore.drawing import DrawerModel
from genimg.explore.vision import VisionTransformerModel


def random_attention(layers, heads, tokens, seed=0):
    numbers = torch.Generator().manual_seed(seed)
    scores = torch.randn(layers, heads, tokens, tokens, generator=numbers, dtype=torch.float64)
    return list((3 * scores).softmax(dim=-1))


def test_entropy_of_known_distributions():
    one, even = np.eye(1, 8, dtype=np.float32)[0], np.full(8, 1 / 8, np.float32)
    assert entropy(one) == 0
    np.testing.assert_allclose(entropy(even), np.log(8), rtol=1e-6)
    assert entropy(np.stack([one, even])).shape == (2,)


@pytest.mark.parametrize("residual", [0.0, 0.5, 0.9])
def test_rows_of_rollout_sum_to_one(residual):
    flow = rollout(random_attention(4, 3, 7), residual)
    np.testing.assert_allclose(flow.sum(dim=1), 1, rtol=1e-12)
    assert flow.min() >= 0


def test_identity_attention_rolls_out_to_the_identity():
    identity = torch.eye(6).expand(3, -1, -1)
    assert torch.equal(rollout([identity] * 4), torch.eye(6))


def test_the_first_layer_is_applied_first():
    first, second = random_attention(2, 1, 5)
    half = torch.eye(5, dtype=torch.float64) / 2
    expected = (second[0] / 2 + half) @ (first[0] / 2 + half)
    torch.testing.assert_close(rollout([first, second]), expected)
    assert not torch.allclose(rollout([second, first]), expected)


def test_relevance_without_gradient_is_the_identity():
    weights = random_attention(3, 2, 5)
    none = [torch.zeros_like(layer) for layer in weights]
    assert torch.equal(gradient_relevance(weights, none), torch.eye(5, dtype=torch.float64))
    assert torch.equal(
        gradient_relevance(weights, [layer - 1 for layer in none]),
        torch.eye(5, dtype=torch.float64),
    )


@pytest.mark.parametrize("fields", [{}, {"qk_norm": False, "scale_by_sqrt": False, "window": 4}])
def test_the_stages_lead_to_what_the_layer_returns(make_tiny, fields):
    model = DrawerModel(make_tiny("image-gpt", **fields))
    drawing = model.generate(label=1, seed=2)
    returned = {}
    hooks = [
        block.attention.register_forward_hook(
            lambda module, given, result: returned.update({module.layer: result})
        )
        for block in model.prior.transformer.blocks
    ]
    model.prior(torch.from_numpy(drawing.tokens)[None, :-1], torch.tensor([1]))
    for hook in hooks:
        hook.remove()
    for layer in range(2):
        for query in (0, 5, 15):
            total = 0.0
            for head in range(2):
                stages = drawing.stages(layer, head, query)
                total = total + recomputed(stages)
                np.testing.assert_allclose(
                    stages["weights"], drawing.attention(layer, head, query)[:16], atol=1e-5
                )
            np.testing.assert_allclose(total, returned[layer][0, query].numpy(), atol=1e-4)


def recomputed(stages):
    """Return `projected` from the first numbers of the table alone, checking each on the way."""
    exact = {name: stage.astype(np.float64) for name, stage in stages.items()}
    assert all(stage.dtype == np.float32 for stage in stages.values())
    dot_products = exact["keys"] @ exact["query"]
    np.testing.assert_allclose(stages["dot_products"], dot_products, rtol=1e-4, atol=1e-5)
    scaled = dot_products * exact["scale"]
    np.testing.assert_allclose(stages["scaled"], scaled, rtol=1e-4, atol=1e-5)
    masked = np.where(exact["mask"] == 1, scaled, -np.inf)
    assert np.array_equal(np.isinf(stages["masked"]), np.isinf(masked))
    weights = np.exp(masked - masked.max())
    weights /= weights.sum()
    np.testing.assert_allclose(stages["weights"], weights, atol=1e-5)
    output = weights @ exact["values"]
    np.testing.assert_allclose(stages["output"], output, atol=1e-5)
    projected = exact["projection"] @ output
    np.testing.assert_allclose(stages["projected"], projected, atol=1e-5)
    return projected


def test_a_model_without_residual_connections_mixes_none_in(make_tiny):
    drawing = DrawerModel(make_tiny("image-gpt", residual=False)).generate(label=0)
    rows = torch.from_numpy(np.stack([drawing.maps.all_heads(q)[..., :16] for q in range(16)]))
    weights = rows.permute(1, 2, 0, 3)  # (layers, heads, queries, keys)
    expected = rollout(list(weights), residual=0.0)
    np.testing.assert_allclose(drawing.rollout(9)[:16], expected[9], atol=1e-5)


@pytest.mark.parametrize("kind", ["image-gpt", "vision-transformer"])
def test_contributions_sum_to_what_the_layer_returns(make_tiny, pictures, kind):
    """The reference: the module itself, in float64, on what it was given."""
    gpt = kind == "image-gpt"
    model = (DrawerModel if gpt else VisionTransformerModel)(make_tiny(kind))
    blocks = (model.prior if gpt else model.module).transformer.blocks
    reading = model.read(pictures[0], label=1) if gpt else None
    seen = {}

    def watch(module, positional, named, result):
        seen[module.layer] = positional[0], named

    hooks = [block.attention.register_forward_hook(watch, with_kwargs=True) for block in blocks]
    maps = reading.maps if gpt else model.look(pictures[0])
    for hook in hooks:
        hook.remove()
    for layer, block in enumerate(blocks):
        x, named = seen[layer]
        same = {"mask": named.get("mask"), "rotation": named.get("rotation")}
        returned = copy.deepcopy(block.attention).double()(x.double(), **same)[0]
        for query in (0, 3, 14):
            parts = [maps.parts(layer, head, query) for head in range(2)]
            total = np.sum(parts, axis=(0, 1), dtype=np.float64)
            np.testing.assert_allclose(total, returned[query], atol=1e-5)
            for head, part in enumerate(parts):
                assert part.shape == (maps.layout.length, returned.shape[1])
                found = maps.contribution(layer, head, query)
                assert found.dtype == np.float32
                np.testing.assert_allclose(found, np.linalg.norm(part, axis=1), rtol=1e-4)
                weights = maps.attention(layer, head, query)
                assert not found[weights == 0].any()


@given(st.floats(0.1, 10))
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_longer_values_add_more_at_the_same_weights(make_tiny, factor):
    model = DrawerModel(make_tiny("image-gpt"))
    drawing = model.generate(label=1, seed=2)
    before, weights = drawing.contribution(0, 1, 9), drawing.attention(0, 1, 9)
    attention = model.prior.transformer.blocks[0].attention
    values = attention.qkv.weight[2 * 16 :]  # after queries and keys
    values *= factor
    again = model.read(drawing.image, label=1)
    again.tokens = drawing.tokens  # reading may find others
    np.testing.assert_allclose(again.attention(0, 1, 9), weights, atol=1e-6)
    np.testing.assert_allclose(again.contribution(0, 1, 9), factor * before, rtol=1e-4)
    values /= factor
