import pytest
import torch

from genimg.explore.latents import near, seed_latents


def test_a_row_is_a_function_of_seed_and_number():
    z = seed_latents(3, range(5), 12)
    assert torch.equal(seed_latents(3, range(2, 4), 12), z[2:4])
    assert not torch.equal(seed_latents(4, range(5), 12), z)
    with pytest.raises(ValueError, match="seed"):
        seed_latents(-1, range(1), 12)


def test_what_is_near_keeps_the_distribution_and_the_distance():
    z = seed_latents(3, range(1), 10_000)
    around = near(z, 3, 0.35, 3)
    assert torch.equal(around[0], z[0])
    assert torch.equal(near(z, 2, 0.35, 3), around[:2])
    for one in around[1:]:
        assert one.std() == pytest.approx(1, abs=0.05)
        cosine = torch.cosine_similarity(one, z[0], dim=0)
        assert cosine == pytest.approx((1 - 0.35**2) ** 0.5, abs=0.02)
    assert torch.equal(near(z, 3, 0.0, 3), z.expand(3, -1))
