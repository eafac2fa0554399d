import pytest
import torch
from torch import nn

from genimg.models.dcgan import DcganConfig, DcganDiscriminator, DcganGenerator


@pytest.mark.parametrize("size", [32, 64])
def test_each_convolution_doubles_or_halves_the_size(size):
    config = DcganConfig(size=size, width=8)
    x = torch.randn(2, config.latent_dimensions, 1, 1)
    sizes = []
    for layer in DcganGenerator(config).body:
        x = layer(x)
        if isinstance(layer, nn.ConvTranspose2d):
            sizes.append(x.shape[-1])
    assert sizes == [side for side in (4, 8, 16, 32, 64) if side <= size]

    halved = []
    for layer in DcganDiscriminator(config).body:
        x = layer(x)
        if isinstance(layer, nn.Conv2d):
            halved.append(x.shape[-1])
    assert halved == [*sizes[-2::-1], 1]


def test_width_is_that_of_the_last_hidden_layer():
    convolutions = [
        layer
        for layer in DcganGenerator(DcganConfig(size=64, width=8)).body
        if isinstance(layer, nn.ConvTranspose2d)
    ]
    assert [layer.out_channels for layer in convolutions] == [64, 32, 16, 8, 1]


def test_weights_start_as_published():
    torch.manual_seed(0)
    weight = DcganGenerator(DcganConfig(width=32)).body[0].weight
    assert weight.mean().abs() < 1e-3
    assert weight.std().item() == pytest.approx(0.02, rel=0.02)


def test_spectral_norm_makes_the_largest_singular_value_one():
    torch.manual_seed(0)
    discriminator = DcganDiscriminator(
        DcganConfig(width=8, channels=3, classes=10, spectral_norm=True)
    )
    images, labels = torch.randn(2, 3, 32, 32), torch.tensor([1, 2])
    with torch.no_grad():
        for convolution in discriminator.body:
            if isinstance(convolution, nn.Conv2d):  # far from one at first
                convolution.parametrizations.weight.original.mul_(10)
        discriminator.train()
        for _ in range(100):  # each pass takes one step of the power iteration
            discriminator(images, labels)
        discriminator.eval()
        convolutions = [layer for layer in discriminator.body if isinstance(layer, nn.Conv2d)]
        largest = [
            torch.linalg.matrix_norm(layer.weight.flatten(1), ord=2).item()
            for layer in convolutions
        ]
    assert len(convolutions) == 4
    assert largest == pytest.approx([1.0] * 4, rel=0.03)


@pytest.mark.parametrize("spectral", [False, True])
def test_spectral_norm_takes_the_place_of_batch_norm(spectral):
    modules = list(DcganDiscriminator(DcganConfig(spectral_norm=spectral)).modules())
    assert any(isinstance(module, nn.BatchNorm2d) for module in modules) is not spectral
    assert any(hasattr(module, "parametrizations") for module in modules) is spectral


@pytest.mark.parametrize("size", [28, 48, 128])
def test_sizes_that_doubling_cannot_reach_are_refused(size):
    with pytest.raises(ValueError, match=f"size must be one of 32, 64, not {size}"):
        DcganConfig(size=size)
