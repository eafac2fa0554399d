import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genimg.data import Dataset
from genimg.training.batches import batch_indices, batch_tensors

SEEDS = st.integers(0, 2**31 - 1)


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


def test_batches_are_floats_from_minus_one_to_one():
    images = torch.tensor([0, 255], dtype=torch.uint8).view(2, 1, 1, 1).expand(2, 1, 2, 2)
    data = Dataset("x", images, torch.tensor([4, 7]), ("a",) * 8, "made up")
    pictures, labels = batch_tensors(
        data, data.labels, torch.tensor([1, 0, 1]), torch.device("cpu")
    )
    assert pictures[:, 0, 0, 0].tolist() == [1.0, -1.0, 1.0]
    assert labels.tolist() == [7, 4, 7]
