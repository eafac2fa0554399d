import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genimg.training.randomness import batch_indices, derive, generator

SEEDS = st.integers(0, 2**31 - 1)


@given(SEEDS, st.text(max_size=12), st.integers(0, 2**40))
def test_the_same_triple_gives_the_same_seed_of_63_bits(seed, stream, step):
    assert derive(seed, stream, step) == derive(seed, stream, step)
    assert 0 <= derive(seed, stream, step) < 2**63


@given(SEEDS, st.integers(0, 10_000))
def test_another_seed_stream_or_step_gives_other_numbers(seed, step):
    triples = [(seed, "step", step), (seed, "order", step), (seed, "step", step + 1)]
    triples.append((seed + 1, "step", step))
    assert len({derive(*triple) for triple in triples}) == 4


def test_a_generator_repeats_itself_and_leaves_the_global_one_alone():
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    first = torch.rand(5, generator=generator(3, "x", 1))
    assert torch.equal(first, torch.rand(5, generator=generator(3, "x", 1)))
    assert torch.equal(torch.rand(3), expected)


@given(SEEDS, st.integers(1, 40), st.integers(1, 4))
def test_every_epoch_is_a_permutation(seed, total, epochs):
    order = batch_indices(seed, 0, total * epochs, total)
    assert order.dtype == torch.int64
    for epoch in order.view(epochs, total):
        assert sorted(epoch.tolist()) == list(range(total))


def test_epochs_are_shuffled_differently_and_by_the_seed():
    first, second = batch_indices(0, 0, 200, 100).view(2, 100)
    assert not torch.equal(first, second)
    assert not torch.equal(first, torch.arange(100))
    assert not torch.equal(first, batch_indices(1, 0, 100, 100))


@settings(max_examples=50)
@given(SEEDS, st.integers(1, 30), st.integers(0, 100), st.lists(st.integers(1, 50), max_size=8))
def test_any_split_of_the_counts_gives_the_same_sequence(seed, total, start, counts):
    parts, position = [torch.zeros(0, dtype=torch.int64)], start
    for count in counts:
        parts.append(batch_indices(seed, position, count, total))
        position += count
    whole = batch_indices(seed, 0, max(position, 1), total)
    assert torch.equal(torch.cat(parts), whole[start:position])
