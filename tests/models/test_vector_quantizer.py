import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from genimg.models.vector_quantizer import (
    LearnedQuantizer,
    VqTokenizer,
    VqTokenizerConfig,
    codebook_usage,
)

SMALL = {"size": 16, "widths": (8, 16, 24), "codebook_size": 32, "codebook_dimensions": 4}
NO_REMEDY = {"unit_length": False, "start_from_data": False, "reseed_below": 0.0}
variants = pytest.mark.parametrize(
    "changes",
    [
        {},
        {"update": "gradient"},
        {"unit_length": False},
        NO_REMEDY,
        NO_REMEDY | {"update": "gradient"},
    ],
    ids=str,
)


def small_tokenizer(**changes):
    torch.manual_seed(0)
    return VqTokenizer(VqTokenizerConfig(**(SMALL | changes)))


def images(count=6):
    generator = torch.Generator().manual_seed(1)
    return torch.rand(count, 1, 16, 16, generator=generator) * 2 - 1


def vectors(count=16):
    return torch.randn(count, 4, 4, 4, generator=torch.Generator().manual_seed(2))


@variants
def test_has_the_interface_of_the_fsq_tokenizer(changes):
    tokenizer = small_tokenizer(**changes).eval()
    assert (tokenizer.grid, tokenizer.num_tokens, tokenizer.vocabulary_size) == ((4, 4), 16, 32)
    tokens = tokenizer.encode(images())
    assert tokens.shape == (6, 16)
    assert tokens.dtype == torch.int64
    reconstruction, again = tokenizer(images())
    assert torch.equal(tokens, again)
    torch.testing.assert_close(tokenizer.decode(tokens), reconstruction)
    assert reconstruction.shape == (6, 1, 16, 16)
    assert reconstruction.abs().max() <= 1


@variants
def test_trains(changes):
    tokenizer = small_tokenizer(**changes).train()
    optimizer = torch.optim.Adam(tokenizer.parameters(), 1e-3)
    for _ in range(3):
        reconstruction, _, loss = tokenizer.forward_with_loss(images())
        total = F.mse_loss(reconstruction, images()) + loss
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
    assert total.isfinite()
    for name, parameter in tokenizer.named_parameters():
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name


@variants
def test_picks_the_nearest_entry(changes):
    quantizer = LearnedQuantizer(VqTokenizerConfig(**(SMALL | changes))).eval()
    torch.nn.init.normal_(quantizer.codebook)
    codes, tokens, _ = quantizer(vectors())
    flat = vectors().permute(0, 2, 3, 1).flatten(0, 2)
    entries = quantizer.codebook.detach()
    if quantizer.config.unit_length:
        flat, entries = F.normalize(flat, dim=1), F.normalize(entries, dim=1)
    assert torch.equal(tokens.flatten(), torch.cdist(flat, entries).argmin(dim=1))
    torch.testing.assert_close(quantizer.codes(tokens.view(16, 4, 4)), codes)


def test_the_encoder_gets_the_decoders_gradient():
    quantizer = LearnedQuantizer(VqTokenizerConfig(**(SMALL | NO_REMEDY))).eval()
    z = vectors().requires_grad_()
    codes, _, _ = quantizer(z)
    assert torch.equal(torch.autograd.grad(codes.sum(), z)[0], torch.ones_like(z))


def test_evaluation_changes_nothing_and_training_is_the_same_twice():
    quantizer = LearnedQuantizer(VqTokenizerConfig(**SMALL)).eval()
    before = {name: value.clone() for name, value in quantizer.state_dict().items()}
    quantizer(vectors())
    for name, value in quantizer.state_dict().items():
        assert torch.equal(value, before[name]), name
    states = []
    for _ in range(2):
        torch.manual_seed(7)
        quantizer = LearnedQuantizer(VqTokenizerConfig(**SMALL)).train()
        torch.manual_seed(len(states))  # no random number is drawn after the building
        for _ in range(3):
            quantizer(vectors())
        states.append(quantizer.state_dict())
    for name, value in states[0].items():
        assert torch.equal(value, states[1][name]), name


def test_moving_average_goes_to_the_mean_of_the_cluster():
    config = VqTokenizerConfig(
        **(SMALL | NO_REMEDY | {"codebook_size": 2, "decay": 0.5, "codebook_dimensions": 2})
    )
    quantizer = LearnedQuantizer(config).train()
    quantizer.codebook.copy_(torch.tensor([[1.0, 0.0], [-1.0, 0.0]]))
    points = torch.tensor([[2.0, 1.0], [4.0, 3.0], [-3.0, 5.0], [-5.0, 7.0]])
    for _ in range(40):
        quantizer(points.view(4, 2, 1, 1))
    expected = torch.tensor([[3.0, 2.0], [-4.0, 6.0]])
    torch.testing.assert_close(quantizer.codebook, expected)


def test_dead_entries_come_back_where_they_are_needed():
    config = VqTokenizerConfig(**(SMALL | NO_REMEDY | {"reseed_below": 0.5, "decay": 0.5}))
    quantizer = LearnedQuantizer(config).train()
    quantizer.codebook.fill_(1000.0)  # all entries alike and far from everything
    for _ in range(12):
        _, tokens, _ = quantizer(vectors())
    assert codebook_usage(tokens, 32).used == 32
    assert quantizer.codebook.abs().max() < 10


def test_a_plain_codebook_collapses_and_the_remedies_prevent_it():
    """Encoder vectors far from the origin, as an untrained encoder easily makes them."""
    z = vectors() + 5
    used = {}
    for name, changes in {
        "plain": NO_REMEDY,
        "start": NO_REMEDY | {"start_from_data": True},
        "reseed": NO_REMEDY | {"reseed_below": 0.1, "decay": 0.8},
    }.items():
        torch.manual_seed(0)
        quantizer = LearnedQuantizer(VqTokenizerConfig(**(SMALL | changes))).train()
        for _ in range(60):
            _, tokens, _ = quantizer(z)
        used[name] = codebook_usage(tokens, 32).used
    assert used["plain"] <= 3
    assert used["start"] >= 30
    assert used["reseed"] >= 30


def test_autocast_does_not_change_the_tokens():
    quantizer = LearnedQuantizer(VqTokenizerConfig(**SMALL)).eval()
    torch.nn.init.normal_(quantizer.codebook)
    with torch.autocast("cpu", torch.bfloat16):
        inside = quantizer(vectors())[1]
    assert torch.equal(inside, quantizer(vectors())[1])


@variants
def test_can_be_built_without_data_and_filled_later(changes):
    tokenizer = small_tokenizer(**changes)
    tokenizer.train()(images())  # moves the codebook away from where it started
    with torch.device("meta"):
        empty = VqTokenizer(tokenizer.config)
    filled = empty.to_empty(device="cpu").eval()
    filled.load_state_dict(tokenizer.state_dict(), strict=True, assign=True)
    assert torch.equal(filled(images())[0], tokenizer.eval()(images())[0])


def test_wrong_tokens_are_refused():
    with pytest.raises(ValueError, match="from 0 to 31"):
        small_tokenizer().decode(torch.full((1, 16), 32))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=50))
def test_usage_counts_and_perplexity_is_between_one_and_used(tokens):
    usage = codebook_usage(torch.tensor(tokens), 10)
    assert usage.used == len(set(tokens))
    assert 1 - 1e-9 <= usage.perplexity <= usage.used + 1e-9


def test_usage_of_known_frequencies():
    assert codebook_usage(torch.arange(8).repeat(5), 8).perplexity == pytest.approx(8)
    assert codebook_usage(torch.zeros(2, 3, dtype=torch.long), 8).perplexity == pytest.approx(1)
    half = codebook_usage(torch.tensor([0, 0, 1, 2]), 8)
    assert half.perplexity == pytest.approx(2 * math.sqrt(2))
    for wrong in (torch.tensor([], dtype=torch.long), torch.tensor([8]), torch.tensor([-1])):
        with pytest.raises(ValueError, match="at least one token"):
            codebook_usage(wrong, 8)
