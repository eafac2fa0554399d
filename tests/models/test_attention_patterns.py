import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from genimg.models.attention import KeyValueCache, MultiHeadSelfAttention, rotary_table
from genimg.models.attention_masks import causal_mask, sliding_window_mask
from genimg.models.attention_patterns import ATTENTIONS, Pattern, pattern_of, reach

WIDTH, HEADS = 16, 2
EXACT = {"rtol": 1e-10, "atol": 1e-12}

lengths = st.integers(1, 40)
patterns = st.one_of(
    st.integers(1, 50).map(Pattern),
    st.integers(1, 50).map(lambda window: Pattern(window, window, sliding=True)),
    st.builds(Pattern, st.integers(1, 50), st.integers(0, 50), recurrent=st.just(True)),
)


def random_parts(length, requires_grad=False):
    numbers = torch.Generator().manual_seed(length)
    return [
        torch.randn(2, 3, length, 4, dtype=torch.float64, generator=numbers).requires_grad_(
            requires_grad
        )
        for _ in range(3)
    ]


def dense(parts, pattern, memory=None):
    """The definition, over all pairs: two softmax weights of one row may have two gradients."""
    q, k, v = parts
    old_k, old_v = memory or (k, v)
    old = pattern.remembered(q.shape[2])
    scores = torch.where(old, q @ old_k.mT, q @ k.mT) * 0.3
    weights = scores.masked_fill(~pattern.rows(0, q.shape[2]), -torch.inf).softmax(dim=-1)
    return (weights * old) @ old_v + (weights * ~old) @ v


@given(length=lengths, pattern=patterns)
def test_equals_the_dense_masked_definition(length, pattern):
    parts = random_parts(length)
    expected = dense(parts, pattern)
    torch.testing.assert_close(pattern.attend(*parts, scale=0.3), expected, **EXACT)
    q, k, v = parts
    last = pattern.attend_last(q[:, :, -1:], k, v, scale=0.3)
    torch.testing.assert_close(last, expected[:, :, -1:], **EXACT)


@given(length=lengths, pattern=patterns)
def test_gradients_equal_those_of_the_definition(length, pattern):
    """Also where the memory keeps its numbers and loses its gradient."""
    found = []
    for attend in (lambda p, m: pattern.attend(*p, scale=0.3, memory=m), None):
        parts = random_parts(length, requires_grad=True)
        memory = tuple(x.detach() for x in parts[1:]) if pattern.recurrent else None
        y = attend(parts, memory) if attend else dense(parts, pattern, memory)
        y.square().sum().backward()
        found.append([x.grad for x in parts])
    torch.testing.assert_close(*found, **EXACT)


@given(length=lengths, segment=st.integers(1, 12))
def test_what_covers_everything_is_full_attention(length, segment):
    parts = random_parts(length)
    expected = F.scaled_dot_product_attention(*parts, is_causal=True, scale=0.3)
    covering = (
        Pattern(length),
        Pattern(length, length, sliding=True),
        Pattern(segment, length, recurrent=True),
    )
    for pattern in covering:
        torch.testing.assert_close(pattern.attend(*parts, scale=0.3), expected, **EXACT)


@given(length=lengths, window=st.integers(1, 40))
def test_a_sliding_window_is_the_causal_half_of_the_mask_of_that_name(length, window):
    rows = Pattern(window, window, sliding=True).rows(0, length)
    assert torch.equal(rows, sliding_window_mask(length, window, 1) & causal_mask(length))


@given(length=lengths, pattern=patterns, start=st.integers(0, 40))
def test_rows_of_a_part_are_those_of_the_whole(length, pattern, start):
    start = min(start, length)
    assert torch.equal(pattern.rows(start, length), pattern.rows(0, length)[start:])


def test_a_segment_sees_the_class_its_memory_and_itself():
    rows = Pattern(3, 2, recurrent=True).rows(0, 8)
    seen = [row.nonzero().flatten().tolist() for row in rows]
    assert seen[:4] == [[0], [0, 1], [0, 1, 2], [0, 1, 2, 3]]
    assert seen[4:] == [[0, 2, 3, 4], [0, 2, 3, 4, 5], [0, 2, 3, 4, 5, 6], [0, 5, 6, 7]]


def test_no_gradient_reaches_the_segment_before():
    torch.manual_seed(0)
    layer = MultiHeadSelfAttention(WIDTH, HEADS, qk_norm=True).double()
    x = torch.randn(1, 13, WIDTH, dtype=torch.float64, requires_grad=True)
    for pattern, last in ((Pattern(4, 4, recurrent=True), 12), (Pattern(13), 12)):
        (gradient,) = torch.autograd.grad(layer(x, pattern=pattern)[0, last].sum(), x)
        reached = gradient[0].abs().amax(dim=-1) > 0
        first = 9 if pattern.recurrent else 1  # the segment of token 12 is 9 to 12
        assert reached.tolist() == [True] + [False] * (first - 1) + [True] * (13 - first)


def test_who_explains_gets_the_whole_gradient():
    """Only learning stops at the memory: with all of it, recurrence is full attention."""
    torch.manual_seed(0)
    layer = MultiHeadSelfAttention(WIDTH, HEADS, qk_norm=True).double().eval()
    x = torch.randn(1, 13, WIDTH, dtype=torch.float64, requires_grad=True)
    gradients = [
        torch.autograd.grad(layer(x, pattern=pattern)[0, 12].sum(), x)[0]
        for pattern in (Pattern(13), Pattern(4, 12, recurrent=True))
    ]
    torch.testing.assert_close(*gradients)
    assert (gradients[0][0].abs().amax(dim=-1) > 0).all()


def test_the_weights_learn_from_the_memory_too():
    torch.manual_seed(0)
    layer = MultiHeadSelfAttention(WIDTH, HEADS).double()
    x = torch.randn(1, 9, WIDTH, dtype=torch.float64)
    gradients = []
    for memory in (0, 8):
        layer.zero_grad()
        layer(x, pattern=Pattern(4, memory, recurrent=True)).square().sum().backward()
        gradients.append(layer.qkv.weight.grad[WIDTH:])
    assert (gradients[0] - gradients[1]).abs().max() > 1e-3


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_a_layer_computes_alike_with_pattern_mask_and_cache(attention):
    torch.manual_seed(0)
    length = 23
    layer = MultiHeadSelfAttention(WIDTH, HEADS, qk_norm=True).double()
    x = torch.randn(2, length, WIDTH, dtype=torch.float64)
    pattern = pattern_of(attention, length=length, window=5, segment=4, memory=6)
    table = rotary_table(torch.arange(2 * length).view(length, 2).double(), WIDTH // HEADS)
    expected = layer(x, mask=pattern.rows(0, length), rotation=table)
    torch.testing.assert_close(layer(x, pattern=pattern, rotation=table), expected, **EXACT)
    cache, steps = KeyValueCache(length), []
    for t in range(length):
        turned = tuple(part[t : t + 1] for part in table)
        steps.append(layer(x[:, t : t + 1], pattern=pattern, rotation=turned, cache=cache))
    torch.testing.assert_close(torch.cat(steps, dim=1), expected, **EXACT)


def test_the_receptive_field_grows_by_a_window_a_layer():
    window, length = 3, 17
    found = reach(Pattern(window, window, sliding=True).rows(0, length), 4)
    for query in range(length):
        for key in range(1, query + 1):
            needed = max(1, -(-(query - key) // window))
            assert found[query, key] == (needed if needed <= 4 else 0)
        assert found[query, 0] == 1  # the class token is always seen
    assert not found.triu(1).any()


@given(length=st.integers(1, 16), pattern=patterns, layers=st.integers(1, 4))
def test_reach_is_where_a_change_arrives(length, pattern, layers):
    """Against a stack of layers that only pass on whether they heard of a token."""
    rows = pattern.rows(0, length)
    found = reach(rows, layers)
    for key in range(length):
        heard = torch.arange(length) == key
        for layer in range(1, layers + 1):
            heard = (rows & heard).any(dim=1)
            assert torch.equal(heard, (found[:, key] > 0) & (found[:, key] <= layer))
