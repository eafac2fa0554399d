from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from genimg.explore.mistakes import (
    DEPTH,
    DEPTHS,
    HEADS,
    MISTAKES,
    TOKENS,
    WIDTH,
    Attention,
    examine,
    gradients_by_depth,
    test_code,
)
from genimg.models.attention import MultiHeadSelfAttention
from genimg.models.attention_masks import causal_mask

each_mistake = pytest.mark.parametrize("name", MISTAKES)
test_code.__test__ = False


def tokens():
    return torch.randn(2, TOKENS, WIDTH, dtype=torch.float64)


def test_the_right_module_is_what_the_package_computes_with():
    right, real = Attention().double(), MultiHeadSelfAttention(WIDTH, HEADS).double()
    layers = (right.query, right.key, right.value)
    real.qkv.weight.data = torch.cat([layer.weight.data for layer in layers])
    real.output.weight.data = right.output.weight.data
    x = tokens()
    expected = real(right.place(x), mask=causal_mask(TOKENS))
    torch.testing.assert_close(right(x)[0], expected)


def test_the_right_module_is_pytorchs():
    right, x = Attention().double(), tokens()
    q, k, v = map(right.split, right.project(right.place(x)))
    y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    torch.testing.assert_close(right(x)[0], right.output(right.merge(y)))


@each_mistake
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_test_passes_on_the_right_module_and_fails_on_the_mistake(name, seed):
    right, wrong = examine(name, seed)
    assert right.passes
    assert not wrong.passes


@each_mistake
def test_one_step_alone_is_done_otherwise(name):
    mistake = MISTAKES[name]
    assert {step for step in vars(mistake.module) if step[0] != "_"} == {mistake.step}
    right, wrong = examine(name)
    assert right.code != wrong.code
    for code in (right.code, wrong.code, test_code(name)):
        compile(code, name, "exec")


def test_the_numbers_show_the_symptoms():
    right, _ = examine("never-called")
    assert right.row_sums == pytest.approx((1, 1), abs=1e-5)
    assert right.leak == 0
    found = {name: examine(name)[1] for name in MISTAKES}
    assert "unsupported operand" in found["never-called"].error
    assert found["never-called"].weights is None
    assert found["not-scaled"].entropy < 0.2 < 1 < right.entropy
    assert np.isnan(found["wrong-axis"].entropy)  # its rows are no distributions
    assert found["masked-after"].row_sums[0] < 0.5
    assert found["masked-after"].leak > 0.1
    assert found["wrong-axis"].row_sums[1] > 2
    assert found["wrong-axis"].weights[-1].sum() > 2 > 0.5 > found["wrong-axis"].weights[0].sum()
    assert found["not-transposed"].leak > 0.1
    for name in ("never-projected", "no-positions", "never-split"):
        assert found[name].leak == 0


def test_residual_connections_and_normalisation_carry_the_gradient():
    right, after, bare, alone, neither = map(gradients_by_depth, DEPTHS)
    for kept in (right, after, bare):
        assert kept.shape == (DEPTH,)
        assert 0.5 < kept[0] / kept[-1] < 2
    assert alone[0] / alone[-1] > 20  # it explodes
    assert neither[0] == 0  # it vanishes


def test_the_seed_decides_and_the_global_random_numbers_stay():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    with ThreadPoolExecutor(4) as pool:  # as visitors do
        many = list(pool.map(lambda _: examine("wrong-axis", 5)[0].weights, range(40)))
        deep = list(pool.map(lambda _: gradients_by_depth(DEPTHS[0]), range(20)))
    assert all(np.array_equal(weights, many[0]) for weights in many)
    assert all(np.array_equal(each, deep[0]) for each in deep)
    first, again = examine("wrong-axis", 5)[0], examine("wrong-axis", 5)[0]
    assert np.array_equal(first.weights, again.weights)
    assert not np.array_equal(first.weights, examine("wrong-axis", 6)[0].weights)
    gradients_by_depth(DEPTHS[0])
    assert torch.equal(torch.rand(2), expected)


@pytest.mark.parametrize("name", ["", "x", None, 3, ["never-split"]])
def test_what_is_no_mistake(name):
    with pytest.raises(ValueError, match="choose one of never-called"):
        examine(name)
