import numpy as np
import pytest
import torch

from genimg.metrics.random_features import FEATURES, RandomFeatureNet, RandomFeatures


def pictures(count: int, size: int = 32, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 256, (count, size, size, channels), np.uint8)


@pytest.mark.parametrize(("size", "channels"), [(28, 1), (32, 3), (64, 3), (48, 1)])
def test_any_pictures_have_features(size, channels):
    features = RandomFeatures(channels)(pictures(5, size, channels))
    assert features.shape == (5, FEATURES)
    assert features.dtype == np.float64
    assert np.isfinite(features).all()
    assert features.std(0).min() > 0


def test_they_depend_on_the_seed_and_the_picture_and_nothing_else():
    images = pictures(7)
    torch.manual_seed(5)
    features = RandomFeatures(3)(images)
    state = torch.get_rng_state()
    again = RandomFeatures(3)(torch.from_numpy(images).permute(0, 3, 1, 2), batch_size=2)
    np.testing.assert_allclose(again, features, rtol=1e-4, atol=1e-5)
    assert torch.equal(torch.get_rng_state(), state)  # training goes on with its own numbers
    assert not np.allclose(RandomFeatures(3, seed=1)(images), features)


def test_colour_and_place_can_be_told():
    red, green, moved = (np.zeros((1, 32, 32, 3), np.uint8) for _ in range(3))
    red[:, 4:12, 4:12, 0] = green[:, 4:12, 4:12, 1] = moved[:, 16:24, 16:24, 0] = 255
    net = RandomFeatures(3)
    a, b, c = (net(image)[0] for image in (red, green, moved))
    assert np.linalg.norm(a - b) > 0.1
    assert np.linalg.norm(a - c) > 0.1


def test_what_is_no_picture_is_refused():
    with pytest.raises(ValueError, match="uint8 pictures"):
        RandomFeatures(1)(np.zeros((2, 8, 8, 1)))


def test_it_stands_in_for_a_feature_net_and_says_so():
    net, images = RandomFeatureNet(3), pictures(7)
    features, outputs = net(images)
    np.testing.assert_array_equal(features, RandomFeatures(3)(images))
    np.testing.assert_array_equal(net.manifold(images), features)
    assert outputs.shape == (7, 0)
    assert net.class_logits(outputs, ("a", "b")) is None
    assert (net.name, net.heads) == ("random-features", ())
    assert "compare only with figures in the same features" in net.note
