import itertools

import numpy as np
import pytest

from genimg.explore.mixing import layers_of, mix


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
