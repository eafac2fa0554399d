import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genimg.randomness import derive, generator

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


@pytest.fixture(scope="session")
def another_seed():
    torch.manual_seed(1)


@pytest.fixture(scope="session")
def seed_of_the_session(another_seed):
    return torch.initial_seed()


def test_what_fixtures_and_tests_build_is_the_same_every_time(seed_of_the_session):
    assert seed_of_the_session == torch.initial_seed() == 0
