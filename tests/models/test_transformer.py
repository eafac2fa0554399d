import math

import pytest
import torch

from genimg.models.transformer import (
    INITIAL_DEVIATION,
    NORMS,
    SwiGlu,
    Transformer,
    TransformerBlock,
    TransformerConfig,
    check_heads,
    initialise,
    sinusoidal_table,
)


def config(**changes):
    return TransformerConfig(**{"width": 32, "heads": 4, "dropout": 0.0} | changes)


def block(**changes):
    return TransformerBlock(config(**changes), layer=0).double()


def tokens():
    return torch.randn(2, 6, 32, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("norm", ["pre-rms", "pre-layer", "none"])
def test_with_silent_sublayers_only_the_residual_is_left(norm):
    part, x = block(norm=norm), tokens()
    for layer in (part.attention.output, part.feed_forward.output):
        torch.nn.init.zeros_(layer.weight)
    assert torch.equal(part(x), x)
    without = block(norm=norm, residual=False)
    without.load_state_dict(part.state_dict())
    assert not without(x).any()


def test_each_norm_is_where_its_name_says():
    torch.manual_seed(0)
    x = tokens()
    pre, post, none = (block(norm=norm) for norm in ("pre-rms", "post-layer", "none"))

    def feed(part, y):
        return part.feed_forward(y)

    y = x + pre.attention(pre.attention_norm(x))
    torch.testing.assert_close(pre(x), y + feed(pre, pre.feed_forward_norm(y)))
    y = post.attention_norm(x + post.attention(x))
    torch.testing.assert_close(post(x), post.feed_forward_norm(y + feed(post, y)))
    y = x + none.attention(x)
    torch.testing.assert_close(none(x), y + feed(none, y))


@pytest.mark.parametrize("norm", NORMS)
def test_last_output_is_normalised_unless_there_is_no_norm(norm):
    torch.manual_seed(0)
    output = Transformer(config(layers=2, norm=norm)).double()(tokens() * 7)
    size = output.square().mean(dim=-1)
    assert torch.allclose(size, torch.ones_like(size), atol=1e-3) == (norm != "none")


def test_swiglu_equals_its_formula_and_has_the_classic_size():
    torch.manual_seed(0)
    layer, x = SwiGlu(192), torch.randn(2, 3, 192)
    gate, value = layer.gate_and_value.weight.chunk(2)
    a, b = x @ gate.T, x @ value.T
    expected = (a * torch.sigmoid(a) * b) @ layer.output.weight.T
    torch.testing.assert_close(layer(x), expected, rtol=1e-4, atol=1e-6)
    assert sum(p.numel() for p in layer.parameters()) == 8 * 192**2


def test_dropout_acts_in_training_only():
    torch.manual_seed(0)
    part, x = block(dropout=0.5), tokens()
    part.train()
    assert not torch.equal(part(x), part(x))
    part.eval()
    assert torch.equal(part(x), part(x))


def test_sinusoidal_positions_differ_and_shift_by_a_rotation():
    table = sinusoidal_table(64, 32)
    assert table.shape == (64, 32)
    assert torch.pdist(table).min() > 0.01
    deviation = float(table.square().mean().sqrt())
    assert deviation == pytest.approx(INITIAL_DEVIATION, rel=1e-4)
    # The products depend on the distance alone, as the paper wants it.
    products = table @ table.T
    for distance in (1, 5, 20):
        diagonal = products.diagonal(distance)
        torch.testing.assert_close(diagonal, diagonal[:1].expand_as(diagonal))


def test_initial_deviations():
    torch.manual_seed(0)
    model = Transformer(config(width=128, layers=8)).requires_grad_(False)
    initialise(model, 8)
    inner = model.blocks[3]
    assert float(inner.attention.qkv.weight.std()) == pytest.approx(0.02, rel=0.05)
    for layer in (inner.attention.output, inner.feed_forward.output):
        assert float(layer.weight.std()) == pytest.approx(0.02 / math.sqrt(16), rel=0.05)


def test_widths_that_do_not_split_are_refused():
    check_heads(32, 4, "rope")
    check_heads(24, 4, "learned")
    with pytest.raises(ValueError, match="multiple of heads"):
        check_heads(30, 4, "none")
    with pytest.raises(ValueError, match="multiple of 4"):
        check_heads(24, 4, "rope")
