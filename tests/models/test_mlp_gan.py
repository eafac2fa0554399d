import pytest
import torch
from torch import nn

from genimg.models.mlp_gan import MlpDiscriminator, MlpGanConfig, MlpGenerator


def _widths(module):
    return [layer.out_features for layer in module.body if isinstance(layer, nn.Linear)]


def test_widths_are_the_layers():
    config = MlpGanConfig(size=16, generator_widths=(5, 6), discriminator_widths=(8, 7, 6, 5))
    assert _widths(MlpGenerator(config)) == [5, 6, 16 * 16]
    assert _widths(MlpDiscriminator(config)) == [8, 7, 6, 5, 1]


def test_the_article_has_four_layers_on_each_side():
    assert len(_widths(MlpGenerator(MlpGanConfig()))) == 4
    assert len(_widths(MlpDiscriminator(MlpGanConfig()))) == 4


def test_the_last_layer_has_no_activation():
    for module in (MlpGenerator(MlpGanConfig()), MlpDiscriminator(MlpGanConfig())):
        assert isinstance(module.body[-1], nn.Linear)


def test_without_classes_labels_are_ignored():
    generator = MlpGenerator(MlpGanConfig(size=16, classes=0))
    z = torch.randn(3, 64)
    assert torch.equal(generator(z), generator(z, torch.tensor([5, 6, 7])))


def test_the_generator_knows_nothing_of_neighbouring_pixels():
    # Shuffling the rows of the last layer shuffles the pixels and changes nothing else.
    generator = MlpGenerator(MlpGanConfig(size=16))
    z, order = torch.randn(3, 64), torch.randperm(256)
    pictures = generator(z).flatten(1)
    last = generator.body[-1]
    with torch.no_grad():
        last.weight.copy_(last.weight[order])
        last.bias.copy_(last.bias[order])
    torch.testing.assert_close(generator(z).flatten(1), pictures[:, order])


@pytest.mark.parametrize("fields", [{"size": 15}, {"size": 65}, {"channels": 2}, {"classes": -1}])
def test_what_it_cannot_make_is_refused(fields):
    with pytest.raises(ValueError, match=f"^{next(iter(fields))} must be "):
        MlpGanConfig(**fields)
