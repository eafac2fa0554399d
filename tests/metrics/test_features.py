import numpy as np
import pytest
import torch
from torch import nn

from genimg.metrics.features import FeatureNet


class Probe(nn.Module):
    """Features are the pixels as the net sees them; the dropout shows the mode."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(2 * 3 * 3, 4)
        self.dropout = nn.Dropout(0.5)
        self.batches = []

    def features(self, x):
        self.batches.append(len(x))
        return self.dropout(x.flatten(1))


def test_net_sees_minus_one_to_one_channels_first():
    images = np.zeros((2, 3, 3, 2), np.uint8)
    images[1, :, :, 1] = 255
    features, logits = FeatureNet("probe", Probe())(images)
    assert features.dtype == np.float64
    assert logits.dtype == np.float32
    assert logits.shape == (2, 4)
    np.testing.assert_array_equal(features[0], -np.ones(18))
    np.testing.assert_array_equal(features[1], [-1] * 9 + [1] * 9)


def test_logits_are_those_of_the_head():
    model = Probe()
    features, logits = FeatureNet("probe", model)(torch.full((5, 2, 3, 3), 200, dtype=torch.uint8))
    expected = model.head(torch.from_numpy(features).float()).detach().numpy()
    np.testing.assert_allclose(logits, expected, rtol=1e-5, atol=1e-6)


def test_batches_and_forms_do_not_change_the_features():
    images = np.random.default_rng(0).integers(0, 256, (11, 3, 3, 2), dtype=np.uint8)
    model = Probe()
    net = FeatureNet("probe", model)
    whole, _ = net(images)
    parts, _ = net(torch.from_numpy(images).permute(0, 3, 1, 2), batch_size=4)
    np.testing.assert_array_equal(whole, parts)
    assert model.batches == [11, 4, 4, 3]


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((2, 3, 3, 2)),
        np.zeros((3, 3, 2), np.uint8),
        np.zeros((0, 3, 3, 2), np.uint8),
        torch.zeros(2, 2, 3, 3),
        torch.zeros(2, 3, 3, dtype=torch.uint8),
        torch.zeros(0, 2, 3, 3, dtype=torch.uint8),
    ],
)
def test_other_images_are_refused(images):
    with pytest.raises(ValueError, match="uint8"):
        FeatureNet("probe", Probe())(images)
