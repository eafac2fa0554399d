import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genimg.models.image_gpt import ImageGpt, ImageGptConfig
from genimg.models.sampling import (
    draw_by_uniforms,
    draw_steps,
    draw_tokens,
    next_token_distribution,
)

logit_rows = st.lists(st.floats(-30, 30, width=32), min_size=1, max_size=20).map(torch.tensor)
temperatures = st.floats(0.05, 5)


@settings(deadline=None)
@given(logit_rows, temperatures)
def test_without_filters_it_is_softmax_of_the_scaled_logits(logits, temperature):
    expected = (logits.double() / temperature).softmax(dim=-1).float()
    result = next_token_distribution(logits, temperature)
    torch.testing.assert_close(result, expected, rtol=1e-4, atol=1e-6)


@settings(deadline=None)
@given(logit_rows, temperatures, st.integers(0, 25), st.floats(0.01, 1))
def test_is_a_distribution_that_keeps_the_likeliest(logits, temperature, top_k, top_p):
    result = next_token_distribution(logits, temperature, top_k, top_p)
    assert (result >= 0).all()
    assert float(result.sum()) == pytest.approx(1, abs=1e-5)
    kept, dropped = logits[result > 0], logits[result == 0]
    assert not len(dropped) or kept.min() >= dropped.max() - 1e-5  # nearer logits tie in float32
    if top_k:
        assert len(kept) <= top_k


@settings(deadline=None)
@given(logit_rows, st.floats(0.01, 0.99))
def test_top_p_keeps_the_smallest_set_that_reaches_it(logits, top_p):
    probabilities = logits.double().softmax(dim=-1)
    kept = next_token_distribution(logits, top_p=top_p) > 0
    assert float(probabilities[kept].sum()) >= top_p - 1e-5
    without_least = probabilities[kept].sort().values[1:]
    assert float(without_least.sum()) < top_p + 1e-5


@settings(deadline=None)
@given(logit_rows, st.integers(1, 25))
def test_top_k_keeps_exactly_k_in_their_old_proportions(logits, top_k):
    result = next_token_distribution(logits / 10, top_k=top_k)
    kept = result > 0
    assert int(kept.sum()) == min(top_k, len(logits))
    expected = (logits[kept] / 10).softmax(dim=-1)
    torch.testing.assert_close(result[kept], expected, rtol=1e-4, atol=1e-6)


@settings(deadline=None)
@given(logit_rows)
def test_temperature_zero_is_the_limit(logits):
    result = next_token_distribution(logits, temperature=0)
    assert result.sum() == 1
    assert int(result.argmax()) == int((logits == logits.max()).nonzero()[0])
    for tiny in (1e-30, 1e-40, 1e-114, 5e-324):
        assert float(next_token_distribution(logits, temperature=tiny).sum()) == pytest.approx(1)


def test_top_p_counts_beyond_the_first_fifty():
    result = next_token_distribution(torch.zeros(1000), top_p=0.5)
    assert int((result > 0).sum()) == pytest.approx(500, abs=1)


def test_top_k_comes_before_top_p():
    # The two kept tokens have 0.6 and 0.4 of what is left, so the first alone reaches 0.55.
    result = next_token_distribution(torch.tensor([0.3, 0.2, 0.5]).log() * 1, top_k=2, top_p=0.55)
    assert result.tolist() == [0.0, 0.0, 1.0]


def test_rows_of_a_batch_are_independent_and_the_logits_stay_as_they_were():
    logits = torch.randn(2, 3, 11, generator=torch.Generator().manual_seed(0))
    before = logits.clone()
    result = next_token_distribution(logits, 0.7, 5, 0.8)
    assert torch.equal(logits, before)
    for row in range(2):
        for column in range(3):
            alone = next_token_distribution(logits[row, column], 0.7, 5, 0.8)
            torch.testing.assert_close(result[row, column], alone)


@pytest.mark.parametrize(
    "controls",
    [
        {"temperature": -0.1},
        {"temperature": float("nan")},
        {"temperature": float("inf")},
        {"top_k": -1},
        {"top_p": 0.0},
        {"top_p": 1.1},
        {"top_p": float("nan")},
    ],
)
def test_controls_out_of_range_are_refused(controls):
    with pytest.raises(ValueError, match=next(iter(controls))):
        next_token_distribution(torch.zeros(4), **controls)


@pytest.fixture(scope="module")
def prior():
    torch.manual_seed(0)
    config = ImageGptConfig(
        vocabulary_size=7, rows=2, columns=3, classes=4, width=16, layers=2, heads=2
    )
    prior = ImageGpt(config).eval()
    torch.nn.init.normal_(prior.head.weight)
    return prior


def numbers(count: int) -> torch.Tensor:
    return torch.rand(count, 6, generator=torch.Generator().manual_seed(1))


LABELS = torch.tensor([0, 3, 3, 4])


@pytest.mark.parametrize("guidance", [1.0, 0.0, 2.5])
def test_each_step_draws_from_the_distribution_of_the_whole_model(prior, guidance):
    controls = {"temperature": 0.8, "top_k": 5, "top_p": 0.9}
    steps = list(draw_steps(prior, LABELS, numbers(4), guidance=guidance, **controls))
    tokens = torch.stack([drawn for drawn, _ in steps], dim=1)
    assert tokens.shape == (4, 6)
    with torch.no_grad():  # without a cache, all positions at once
        conditional = prior(tokens[:, :-1], LABELS)
        unconditional = prior(tokens[:, :-1], torch.full_like(LABELS, prior.unconditional))
    logits = unconditional + guidance * (conditional - unconditional)
    for position, (drawn, probabilities) in enumerate(steps):
        expected = next_token_distribution(logits[:, position], **controls)
        torch.testing.assert_close(probabilities, expected, rtol=1e-3, atol=1e-5)
        assert (probabilities.gather(1, drawn[:, None]) > 0).all()


@pytest.mark.parametrize("guidance", [1.0, 2.0])
def test_an_image_does_not_depend_on_the_others_of_its_batch(prior, guidance):
    together = draw_tokens(prior, LABELS, numbers(4), guidance=guidance)
    for row in range(4):
        alone = draw_tokens(
            prior, LABELS[row : row + 1], numbers(4)[row : row + 1], guidance=guidance
        )
        assert torch.equal(together[row], alone[0])


def test_known_tokens_stay_and_the_rest_is_drawn_after_them(prior):
    free = draw_tokens(prior, LABELS, numbers(4))
    known = torch.full((4, 6), -1)
    known[:, 2:4] = (free[:, 2:4] + 1) % 7
    completed = draw_tokens(prior, LABELS, numbers(4), known=known)
    assert torch.equal(completed[:, 2:4], known[:, 2:4])
    assert torch.equal(completed[:, :2], free[:, :2])
    assert not torch.equal(completed[:, 4:], free[:, 4:])
    assert torch.equal(draw_tokens(prior, LABELS, numbers(4), known=free), free)


@given(
    st.lists(st.floats(0, 1, width=32), min_size=1, max_size=9).filter(lambda row: sum(row) > 1e-3),
    st.floats(0, 1, exclude_max=True, width=32),
)
def test_the_drawn_token_is_where_the_sum_passes_the_number(row, uniform):
    probabilities = torch.tensor([row])
    token = int(draw_by_uniforms(probabilities, torch.tensor([uniform])))
    sums = probabilities.double().cumsum(dim=1)[0]
    assert probabilities[0, token] > 0
    assert sums[token] > uniform * sums[-1]
    assert token == 0 or sums[token - 1] <= uniform * sums[-1]


def test_drawn_tokens_are_as_frequent_as_they_are_probable():
    probabilities = torch.tensor([0.1, 0.0, 0.6, 0.3])
    uniforms = (torch.arange(10_000) + 0.5) / 10_000
    drawn = draw_by_uniforms(probabilities.expand(10_000, 4), uniforms)
    share = drawn.bincount(minlength=4) / 10_000
    torch.testing.assert_close(share, probabilities, rtol=0, atol=2e-4)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"uniforms": torch.zeros(4, 5)}, r"uniforms must be \(4, 6\), not \(4, 5\)"),
        ({"known": torch.zeros(3, 6)}, r"known must be \(4, 6\), not \(3, 6\)"),
        ({"guidance": float("nan")}, "guidance must be a finite number"),
    ],
)
def test_what_cannot_be_drawn_is_refused(prior, changes, sentence):
    arguments = {"uniforms": numbers(4)} | changes
    with pytest.raises(ValueError, match=sentence):
        draw_tokens(prior, LABELS, **arguments)
