import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genimg.metrics.nearest import nearest
from genimg.metrics.picture_search import PictureSearch


@given(
    seed=st.integers(0, 1000),
    channels=st.sampled_from([1, 3]),
    size=st.sampled_from([4, 8, 28]),
    images=st.integers(1, 90),
    smooth=st.booleans(),
)
def test_it_finds_what_comparing_all_finds(seed, channels, size, images, smooth):
    numbers = np.random.default_rng(seed)
    bank = numbers.integers(0, 256, (images, size, size, channels), np.uint8)
    picture = numbers.integers(0, 256, (size, size, channels), np.uint8)
    if smooth:  # then blocks tell nearly everything, else nearly nothing
        bank = bank[:, :1, :1].repeat(size, 1).repeat(size, 2)
        picture = picture[:1, :1].repeat(size, 0).repeat(size, 1)
    count = min(5, images)
    indices, distances = PictureSearch(bank).nearest(picture, count)
    expected = nearest(picture[None], bank, count)[1][0]
    np.testing.assert_allclose(distances, expected, atol=1e-9)
    difference = bank[indices].astype(float) - picture
    np.testing.assert_allclose(np.sqrt(np.square(difference).mean((1, 2, 3))), distances)
    assert len(set(indices)) == count


def test_each_of_its_own_pictures_is_its_nearest():
    bank = np.random.default_rng(0).integers(0, 256, (50, 32, 32, 3), np.uint8)
    search = PictureSearch(bank)
    for i in (0, 17, 49):
        indices, distances = search.nearest(bank[i])
        assert (indices[0], distances[0]) == (i, 0.0)


def test_what_it_cannot_compare_is_refused():
    bank = np.zeros((3, 8, 8, 1), np.uint8)
    with pytest.raises(ValueError, match="multiples of 4"):
        PictureSearch(np.zeros((3, 6, 6, 1), np.uint8))
    search = PictureSearch(bank)
    with pytest.raises(ValueError, match="to be compared"):
        search.nearest(np.zeros((8, 8, 3), np.uint8))
    for count in (0, 4, True, 1.5):
        with pytest.raises(ValueError, match="count must be"):
            search.nearest(bank[0], count)
