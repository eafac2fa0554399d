import numpy as np
import pytest


@pytest.fixture(scope="module", params=["stylegan", "style-dcgan"])
def mapped(request, make_model):
    return make_model(request.param)


def test_the_noise_of_another_seed_and_none(mapped):
    own = mapped.picture(seed=3, label=1)
    off, other = mapped.with_noise("off"), mapped.with_noise(8)
    assert np.array_equal(mapped.with_noise(3).picture(seed=3, label=1), own)
    assert not np.array_equal(other.picture(seed=3, label=1), own)
    assert not np.array_equal(off.picture(seed=3, label=1), own)
    assert np.array_equal(off.with_noise("own").picture(seed=3, label=1), own)
    assert np.array_equal(mapped.picture(seed=3, label=1), own)  # and the first one stays


def test_without_noise_a_code_alone_decides(mapped):
    off = mapped.with_noise("off")
    code = np.full(mapped.config.style_dimensions, 0.5)
    assert np.array_equal(off.picture(seed=1, code=code), off.picture(seed=2, code=code))
    assert not np.array_equal(mapped.picture(seed=1, code=code), mapped.picture(seed=2, code=code))


def test_everything_that_makes_pictures_has_it(mapped):
    off = mapped.with_noise("off")
    alone = off.picture(seed=3, label=1)
    many = [
        off.neighbours(2, seed=3, label=1)[0],
        off.along(np.zeros((1, 1)), seed=3, label=1)[0],
        off.sample(1, seed=3, label=1)[0],
        off.interpolate([3, 4], steps=2, label=1)[0],
    ]
    assert all(np.abs(one.astype(int) - alone).max() <= 1 for one in many)


def test_a_model_without_noise_is_as_it_was(plain):
    assert np.array_equal(plain.with_noise("off").picture(seed=1), plain.picture(seed=1))


@pytest.mark.parametrize("noise", [None, True, -1, 2**32, "new", 1.5, [1]])
def test_no_such_noise(mapped, noise):
    with pytest.raises(ValueError, match=r"noise must be|seed must be"):
        mapped.with_noise(noise)
