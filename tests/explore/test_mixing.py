import itertools

import numpy as np
import pytest

from genimg.explore.mixing import layers_of, mix, mix_layers


@pytest.fixture(scope="module", params=["stylegan", "style-dcgan"])
def mapped(request, make_model):
    return make_model(request.param)


def close(a, b):
    return np.abs(a.astype(int) - b.astype(int)).max() <= 1  # a batch rounds differently


def test_all_layers_of_one_are_that_one(mapped):
    rows = mix(mapped, [1, 2], [3, 4, 5], layers=layers_of(mapped), label=1, truncation=0.7)
    assert rows.shape == (2, 3, 32, 32, 1)
    for row, seed in zip(rows, (1, 2), strict=True):
        alone = mapped.picture(seed=seed, label=1, truncation=0.7)
        assert all(close(picture, alone) for picture in row)


def test_a_picture_with_itself_is_itself(mapped):
    for layers in range(layers_of(mapped) + 1):
        same = mix(mapped, [1, 6], [1, 6], layers=layers)
        assert close(same[0, 0], mapped.picture(seed=1))
        assert close(same[1, 1], mapped.picture(seed=6))


def test_each_layer_counts(mapped):
    mixed = [mix(mapped, [1, 2], [3, 4], layers=i)[0, 0] for i in range(layers_of(mapped) + 1)]
    for before, after in itertools.pairwise(mixed):
        assert not np.array_equal(before, after)


def test_what_cannot_be_mixed_is_refused(mapped, plain):
    with pytest.raises(ValueError, match="no mapping network"):
        mix(plain, [1, 2], [3, 4], layers=1)
    with pytest.raises(ValueError, match="layers"):
        mix(mapped, [1, 2], [3, 4], layers=99)
    with pytest.raises(ValueError, match="seed"):
        mix(mapped, [1], [3, 4], layers=1)


def test_each_layer_has_the_style_of_its_seed(mapped):
    count = layers_of(mapped)
    given = {"label": 1, "truncation": 0.7}
    for first in range(count + 1):
        row = mix_layers(mapped, [1] * first + [4] * (count - first), **given)
        expected = mix(mapped, [1, 2], [3, 4], layers=first, **given)[0, 1]
        # With no layer of it the first seed is not named, and the noise is that of the other.
        assert close(row, expected) or first == 0
    assert np.array_equal(mix_layers(mapped, [4] * count, **given), mapped.picture(seed=4, **given))


def test_mixing_works_without_noise(mapped):
    off = mapped.with_noise("off")
    same = mix(off, [1, 6], [1, 6], layers=2)
    assert close(same[0, 0], off.picture(seed=1))
    assert close(mix_layers(off, [6] * layers_of(off)), off.picture(seed=6))


def test_layers_without_a_seed_are_refused(mapped, plain):
    for seeds in ([1], [1] * 17, 5, "12345678", [-1] * layers_of(mapped)):
        with pytest.raises(ValueError, match="seed"):
            mix_layers(mapped, seeds)
    with pytest.raises(ValueError, match="no mapping network"):
        mix_layers(plain, [1, 2])
