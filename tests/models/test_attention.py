import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from genimg.models.attention import (
    Capture,
    KeyValueCache,
    MultiHeadSelfAttention,
    TokenLayout,
    rotary_table,
    rotate,
)
from genimg.models.attention_masks import (
    causal_mask,
    sliding_window_mask,
)

TOKENS, WIDTH, HEADS = 12, 32, 4
MASKS = {
    "none": None,
    "causal": causal_mask(TOKENS),
    "window": sliding_window_mask(TOKENS, 2),
    "window with global token": sliding_window_mask(TOKENS, 1, global_tokens=1),
    "causal window": sliding_window_mask(TOKENS, 3) & causal_mask(TOKENS),
}
every_mask = pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS.keys())


def attention_and_input(**options):
    torch.manual_seed(0)
    layer = MultiHeadSelfAttention(WIDTH, HEADS, **options).double()
    return layer, torch.randn(3, TOKENS, WIDTH, dtype=torch.float64)


def by_hand(layer, x, mask, rotation=None):
    """Output and weights of `layer`, one head at a time, by the definition."""
    query_weight, key_weight, value_weight = layer.qkv.weight.chunk(3)
    heads, maps = [], []
    for part in range(HEADS):
        rows = slice(part * WIDTH // HEADS, (part + 1) * WIDTH // HEADS)
        q, k, v = (x @ w[rows].T for w in (query_weight, key_weight, value_weight))
        if layer.query_norm is not None:
            q, k = layer.query_norm(q), layer.key_norm(k)
        if rotation is not None:
            q, k = rotate(q, rotation), rotate(k, rotation)
        scores = torch.einsum("btd,bsd->bts", q, k) * layer.scale
        if mask is not None:
            scores = scores.masked_fill(~mask, -math.inf)
        maps.append(scores.exp() / scores.exp().sum(dim=-1, keepdim=True))
        heads.append(maps[-1] @ v)
    return layer.output(torch.cat(heads, dim=-1)), torch.stack(maps, dim=1)


@every_mask
@pytest.mark.parametrize("qk_norm", [False, True])
@pytest.mark.parametrize("scale_by_sqrt", [False, True])
@pytest.mark.parametrize("rotary", [False, True])
def test_equals_the_definition(mask, qk_norm, scale_by_sqrt, rotary):
    layer, x = attention_and_input(qk_norm=qk_norm, scale_by_sqrt=scale_by_sqrt)
    coordinates = torch.arange(2 * TOKENS).view(TOKENS, 2)
    rotation = rotary_table(coordinates.double(), WIDTH // HEADS) if rotary else None
    capture = Capture()
    output = layer(x, mask=mask, rotation=rotation, capture=capture)
    expected, maps = by_hand(layer, x, mask, rotation)
    torch.testing.assert_close(output, expected, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(capture.weights(0).double(), maps, rtol=1e-4, atol=1e-6)


@every_mask
def test_equals_torch_multihead_attention(mask):
    layer, x = attention_and_input()
    reference = nn.MultiheadAttention(WIDTH, HEADS, bias=False, batch_first=True).double()
    reference.load_state_dict(
        {"in_proj_weight": layer.qkv.weight, "out_proj.weight": layer.output.weight}
    )
    hidden = None if mask is None else ~mask  # there, True means: may not look
    expected, maps = reference(
        x, x, x, attn_mask=hidden, need_weights=True, average_attn_weights=False
    )
    capture = Capture()
    torch.testing.assert_close(
        layer(x, mask=mask, capture=capture), expected, rtol=1e-10, atol=1e-12
    )
    torch.testing.assert_close(capture.weights(0).double(), maps, rtol=1e-4, atol=1e-6)


@every_mask
def test_equals_fused_attention_on_the_captured_tensors(mask):
    layer, x = attention_and_input(qk_norm=True)
    capture = Capture(keep_values=True)
    output = layer(x, mask=mask, capture=capture)
    record = capture.layer(0)
    fused = F.scaled_dot_product_attention(
        record.queries, record.keys, record.values, attn_mask=record.mask, scale=record.scale
    )
    assert torch.equal(fused, record.outputs)
    assert torch.equal(layer.output(fused.transpose(1, 2).flatten(2)), output)


def test_causal_mask_means_what_is_causal_means():
    layer, x = attention_and_input()
    capture = Capture(keep_values=True)
    layer(x, mask=causal_mask(TOKENS), capture=capture)
    record = capture.layer(0)
    expected = F.scaled_dot_product_attention(
        record.queries, record.keys, record.values, is_causal=True
    )
    torch.testing.assert_close(record.outputs, expected, rtol=1e-10, atol=1e-12)


@every_mask
def test_rows_sum_to_one_and_hidden_tokens_get_nothing(mask):
    layer, x = attention_and_input()
    capture = Capture()
    layer(x, mask=mask, capture=capture)
    weights = capture.weights(0)
    assert weights.dtype == torch.float32
    assert weights.shape == (3, HEADS, TOKENS, TOKENS)
    torch.testing.assert_close(weights.sum(dim=-1), torch.ones(3, HEADS, TOKENS))
    if mask is not None:
        assert (weights[..., ~mask] == 0).all()
        assert (weights[..., mask] > 0).all()


@every_mask
def test_receptive_field_is_the_mask(mask):
    """Changing one token changes the outputs of exactly those that may look at it."""
    layer, x = attention_and_input()
    before = layer(x, mask=mask)
    for token in range(TOKENS):
        changed = x.clone()
        changed[:, token] += 1
        differs = (layer(changed, mask=mask) - before).abs().amax(dim=(0, 2)) > 1e-9
        sees = torch.ones(TOKENS, dtype=torch.bool) if mask is None else mask[:, token]
        assert torch.equal(differs, sees)


def test_stacked_windows_reach_as_far_as_their_sum():
    layer, x = attention_and_input()
    mask = sliding_window_mask(TOKENS, 2)

    def twice(tokens):
        return layer(layer(tokens, mask=mask), mask=mask)

    changed = x.clone()
    changed[:, 5] += 1
    differs = (twice(changed) - twice(x)).abs().amax(dim=(0, 2)) > 1e-9
    assert differs.nonzero().flatten().tolist() == list(range(1, 10))


def test_without_positions_a_permutation_passes_through():
    layer, x = attention_and_input(qk_norm=True)
    order = torch.randperm(TOKENS, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(layer(x[:, order]), layer(x)[:, order], rtol=1e-10, atol=1e-12)


def test_output_is_linear_in_the_values():
    layer, x = attention_and_input()
    before = layer(x)
    with torch.no_grad():
        layer.qkv.weight[2 * WIDTH :] *= 2
    torch.testing.assert_close(layer(x), 2 * before)


def test_scale_keeps_the_scores_of_unit_vectors_near_deviation_one():
    torch.manual_seed(0)
    layer = MultiHeadSelfAttention(256, 4)
    nn.init.normal_(layer.qkv.weight, std=256**-0.5)
    capture = Capture()
    layer(torch.randn(4, 49, 256), capture=capture)
    record = capture.layer(0)
    scores = (record.queries @ record.keys.transpose(-2, -1)).detach()
    assert 0.9 < float((scores * record.scale).std()) < 1.1
    assert float(scores.std()) > 7


@pytest.mark.parametrize("chunks", [(1,) * TOKENS, (4, 1, 5, 2), (TOKENS,)])
@pytest.mark.parametrize("rotary", [False, True])
def test_cache_equals_no_cache(chunks, rotary):
    layer, x = attention_and_input(qk_norm=True)
    mask = causal_mask(TOKENS)
    table = rotary_table(torch.arange(2 * TOKENS).view(TOKENS, 2).double(), WIDTH // HEADS)
    whole, parts = Capture(keep_values=True), Capture(keep_values=True)
    expected = layer(x, mask=mask, rotation=table if rotary else None, capture=whole)
    cache, outputs, start = KeyValueCache(TOKENS), [], 0
    for length in chunks:
        end = start + length
        rotation = tuple(part[start:end] for part in table) if rotary else None
        part_mask = None if length == 1 else mask[start:end, :end]
        outputs.append(
            layer(x[:, start:end], mask=part_mask, rotation=rotation, capture=parts, cache=cache)
        )
        start = end
        assert cache.length == end
    torch.testing.assert_close(torch.cat(outputs, dim=1), expected, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(parts.weights(0), whole.weights(0))
    for name in ("queries", "keys", "values", "outputs"):
        torch.testing.assert_close(getattr(parts.layer(0), name), getattr(whole.layer(0), name))


def test_a_full_cache_is_refused():
    layer, x = attention_and_input()
    cache = KeyValueCache(TOKENS)
    layer(x, cache=cache)
    with pytest.raises(ValueError, match="room for 12"):
        layer(x[:, :1], cache=cache)


@every_mask
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_capture_does_not_change_a_bit(mask, dtype):
    layer, x = attention_and_input(qk_norm=True)
    layer, x = layer.to(dtype), x.to(dtype)
    with_capture = layer(x, mask=mask, capture=Capture(keep_values=True))
    assert torch.equal(layer(x, mask=mask), with_capture)


def test_asked_rows_are_rows_of_the_whole():
    layer, x = attention_and_input()
    capture = Capture()
    layer(x, mask=causal_mask(TOKENS), capture=capture)
    whole = capture.weights(0)
    torch.testing.assert_close(capture.weights(0, head=2), whole[:, 2])
    torch.testing.assert_close(capture.weights(0, query=7), whole[:, :, 7])
    torch.testing.assert_close(capture.weights(0, head=1, query=3), whole[:, 1, 3])
    assert not torch.allclose(whole[:, 0], whole[:, 1])


def test_gradient_by_the_weights_comes_from_the_captured_outputs():
    """What a relevance map needs, without leaving the fused kernel."""
    layer, x = attention_and_input()
    capture = Capture(keep_values=True)
    loss = layer(x, capture=capture).square().sum()
    record = capture.layer(0)
    (by_output,) = torch.autograd.grad(loss, record.outputs)
    gradient = by_output @ record.values.transpose(-2, -1)

    weights = by_hand(layer, x, None)[1].detach().requires_grad_()
    heads = (weights @ record.values.detach()).transpose(1, 2).flatten(2)
    (expected,) = torch.autograd.grad(layer.output(heads).square().sum(), weights)
    torch.testing.assert_close(gradient, expected)


def test_capture_keeps_only_what_was_asked_for():
    layer, x = attention_and_input(layer=3)
    capture = Capture(layers={1})
    layer(x, capture=capture)
    with pytest.raises(ValueError, match="layer 3 was not captured"):
        capture.weights(3)
    capture = Capture(layers={3})
    layer(x, capture=capture)
    assert capture.layer(3).values is None
    assert capture.layer(3).outputs is None
    first = capture.weights(3)
    layer(x, capture=capture)  # a second pass starts anew
    assert torch.equal(capture.weights(3), first)


@pytest.mark.parametrize("asked", [{"head": 4}, {"head": -1}, {"query": TOKENS}])
def test_asking_for_what_is_not_there_is_refused(asked):
    layer, x = attention_and_input()
    capture = Capture()
    layer(x, capture=capture)
    with pytest.raises(ValueError, match="must be from 0 to"):
        capture.weights(0, **asked)


def test_bad_arguments_are_refused():
    layer, x = attention_and_input()
    with pytest.raises(ValueError, match="boolean"):
        layer(x, mask=torch.zeros(TOKENS, TOKENS, dtype=torch.float64))
    with pytest.raises(ValueError, match="multiple of heads"):
        MultiHeadSelfAttention(30, 4)


# ---------------------------------------------------------------------------------- rotations


def test_class_token_and_registers_are_not_rotated_but_every_patch_is():
    layout = TokenLayout(rows=3, columns=4, registers=2)
    coordinates = layout.coordinates()
    x = torch.randn(1, 1, layout.length, 16, generator=torch.Generator().manual_seed(0))
    turned = rotate(x, rotary_table(coordinates, 16))
    assert torch.equal(turned[:, :, :3], x[:, :, :3])
    assert ((turned - x)[:, :, 3:].abs().amax(dim=-1) > 0.1).all()
    assert len(coordinates[3:].unique(dim=0)) == 12


@settings(deadline=None, max_examples=40)
@given(st.tuples(*[st.integers(0, 20)] * 4), st.tuples(st.integers(0, 20), st.integers(0, 20)))
def test_rotated_products_depend_on_the_difference_of_positions(places, shift):
    generator = torch.Generator().manual_seed(0)
    q, k = torch.randn(2, 1, 1, 1, 16, generator=generator, dtype=torch.float64)
    at_q, at_k = torch.tensor([places[:2]]).double(), torch.tensor([places[2:]]).double()
    move = torch.tensor(shift).double()

    def product(position_q, position_k):
        turned_q = rotate(q, rotary_table(position_q, 16))
        return (turned_q * rotate(k, rotary_table(position_k, 16))).sum()

    torch.testing.assert_close(product(at_q, at_k), product(at_q + move, at_k + move))
    length = rotate(q, rotary_table(at_q, 16)).norm()
    torch.testing.assert_close(length, q.norm())


def test_rows_and_columns_are_told_apart():
    x = torch.ones(1, 1, 1, 8)
    row, column = (rotate(x, rotary_table(torch.tensor([at]), 8)) for at in ([1, 0], [0, 1]))
    assert not torch.allclose(row, column)


# ------------------------------------------------------------------------------------- layout


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 4))
def test_layout_positions_and_coordinates_agree(rows, columns, registers):
    layout = TokenLayout(rows=rows, columns=columns, registers=registers)
    coordinates = layout.coordinates()
    assert coordinates.shape == (layout.length, 2)
    for row in range(rows):
        for column in range(columns):
            position = layout.first_patch + row * columns + column
            assert coordinates[position].tolist() == [row + 1, column + 1]
    assert not coordinates[: layout.first_patch].any()
