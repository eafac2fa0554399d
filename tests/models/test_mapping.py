import pytest
import torch

from genimg.models.mapping import MappingNetwork, linear, towards_mean
from genimg.models.style_dcgan import StyleDcganConfig


@pytest.mark.parametrize("layers", [0, 2, 8])
def test_styles_keep_the_spread_of_the_latents(layers):
    network = MappingNetwork(StyleDcganConfig(mapping_layers=layers, style_dimensions=256))
    styles = network(torch.randn(500, 64), torch.arange(500) % 10)
    assert styles.shape == (500, 256)
    assert styles.dtype == torch.float32
    assert 0.5 < styles.std() < 2  # else the generator learns to ignore z


def test_a_layer_varies_by_its_gain():
    outputs = linear(400, 400, gain=3.0)(torch.randn(200, 400))
    assert 2.5 < outputs.std() < 3.5


def test_truncation_moves_each_style_to_the_mean_of_its_class():
    style, means = torch.randn(3, 5), torch.randn(4, 5)
    labels = torch.tensor([2, 0, 2])
    assert towards_mean(style, means, labels, 1.0) is style
    torch.testing.assert_close(towards_mean(style, means, labels, 0.0), means[labels])
    torch.testing.assert_close(
        towards_mean(style, means, labels, 0.25), 0.25 * style + 0.75 * means[labels]
    )
    torch.testing.assert_close(towards_mean(style, means[:1], None, 0.0), means[:1].expand(3, -1))
