import numpy as np
import pytest

from genimg import data
from genimg.explore import neighbours
from genimg.explore.local_data import feature_net
from genimg.explore.neighbours import TrainingPictures, training_pictures
from genimg.metrics.nearest import memorisation_ratio, nearest


@pytest.fixture(scope="module")
def splits():
    train, test = (data.load("fashion-mnist", size=32, split=x) for x in ("train", "test"))
    return train.subset(slice(300)), test.subset(slice(40))


@pytest.fixture(scope="module")
def known(splits):
    return TrainingPictures(*splits, feature_net("fashion-mnist"))


@pytest.mark.parametrize("by", ["pixels", "features"])
def test_a_training_picture_is_its_own_nearest_and_suspicious(known, splits, by):
    found = known.nearest(splits[0].pictures()[7], 3, by)
    assert found.numbers[0] == 7
    # By features 0 up to the rounding of another batch.
    assert found.distances[0] == pytest.approx(0, abs=1e-4)
    assert (found.ratio, found.share_nearer) == (pytest.approx(0, abs=1e-4), 0)
    assert found.is_suspicious
    np.testing.assert_array_equal(found.pictures, splits[0].pictures()[found.numbers])
    assert (np.diff(found.distances) >= 0).all()
    assert found.searched == 300


def test_pixels_are_compared_as_the_metric_does(known, splits):
    asked = splits[1].pictures()[:9]
    found = [known.nearest(picture, 2) for picture in asked]
    numbers, distances = nearest(asked, splits[0].images, 2)
    np.testing.assert_array_equal([each.numbers for each in found], numbers)
    np.testing.assert_allclose([each.distances for each in found], distances)
    expected = memorisation_ratio(asked, splits[0].images, splits[1].images)["ratio"]
    assert np.median([each.ratio for each in found]) == pytest.approx(expected)


def test_features_are_compared_by_their_distance(known, splits):
    net, picture = feature_net("fashion-mnist"), splits[1].pictures()[3]
    ours, theirs = net(picture[None])[0], net(splits[0].images)[0]
    distances = np.linalg.norm(theirs - ours, axis=1)
    found = known.nearest(picture, 4, "features")
    np.testing.assert_array_equal(found.numbers, distances.argsort()[:4])
    np.testing.assert_allclose(found.distances, np.sort(distances)[:4])


def test_without_a_feature_net_there_are_pixels(splits):
    known = TrainingPictures(*splits, None)
    assert known.ways == ("pixels",)
    with pytest.raises(ValueError, match="no feature net knows fashion-mnist"):
        known.nearest(splits[1].pictures()[0], 1, "features")


def test_what_is_not_there_is_refused(known, splits):
    picture = splits[0].pictures()[0]
    for count in (0, 301, 1.5):
        with pytest.raises(ValueError, match="count must be"):
            known.nearest(picture, count)
    with pytest.raises(ValueError, match="by must be pixels or features"):
        known.nearest(picture, 1, "smell")


def test_where_test_pictures_are_training_pictures_there_is_no_ratio(splits):
    known = TrainingPictures(splits[0], splits[0].subset(slice(20)), None)
    assert known.nearest(splits[1].pictures()[0]).ratio is None


@pytest.fixture
def few_here(splits, monkeypatch):
    """Make as if only a few pictures were on this machine."""
    here = dict(zip(("train", "test"), splits, strict=True))
    monkeypatch.setattr(neighbours, "pictures_here", lambda dataset, size, split: here[split])
    neighbours._made.cache_clear()
    yield
    neighbours._made.cache_clear()


def test_the_models_method_searches_all_that_is_here(make_model, splits, few_here, monkeypatch):
    model = make_model("stylegan", 0)
    monkeypatch.setattr(model, "info", {"dataset": "fashion-mnist"})
    pictures = splits[0].pictures()
    found = model.nearest(pictures[11], 1)
    assert (found.numbers[0], found.distances[0], found.searched) == (11, 0, len(pictures))
    assert training_pictures("fashion-mnist", 32) is training_pictures("fashion-mnist", 32)
    with pytest.raises(ValueError, match="32 x 32"):
        model.nearest(pictures[0][:28, :28])


def test_pictures_that_are_not_here_are_named(make_model):
    model = make_model("stylegan", 0)
    with pytest.raises(ValueError, match="not on this machine"):
        model.nearest(model.picture())
