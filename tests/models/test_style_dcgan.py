import pytest
import torch

from genimg.models import KINDS
from genimg.models.style_dcgan import (
    PlainDiscriminator,
    StyleDcganConfig,
    halvings,
    minibatch_deviation,
)


@pytest.fixture
def generator(small_config, alive):
    torch.manual_seed(0)
    return alive(KINDS["style-dcgan"].build(small_config("style-dcgan", 32, 3, 10))).generator


@pytest.fixture
def style(generator):
    return generator.map(torch.randn(3, 12), torch.tensor([1, 2, 2]))  # (3, W)


@pytest.fixture
def noise(generator):
    return generator.draw_noise(3, torch.Generator().manual_seed(2))


def _captured(generator, style, noise):
    capture = {}
    generator.synthesise(style, noise, capture=capture)
    return capture


def test_capture_changes_nothing_and_receives_the_documented_names(generator, style, noise):
    capture = {}
    pictures = generator.synthesise(style, noise, capture=capture)
    assert torch.equal(pictures, generator.synthesise(style, noise))
    assert list(capture) == [f"layer{i}" for i in range(generator.num_layers)]
    for layer, plane in zip(capture.values(), noise, strict=True):
        assert layer.shape[2:] == plane.shape[2:]


@pytest.mark.parametrize("changed", range(4))
@pytest.mark.parametrize("what", ["style", "noise"])
def test_a_layers_style_and_noise_change_only_what_follows(generator, style, noise, changed, what):
    styles = style[:, None].repeat(1, generator.num_layers, 1)
    before = _captured(generator, styles, noise)
    if what == "style":
        styles[:, changed] = styles[[1, 0, 0], changed]
    else:
        noise[changed] = torch.randn_like(noise[changed])
    after = _captured(generator, styles, noise)
    for index in range(generator.num_layers):
        same = torch.equal(before[f"layer{index}"], after[f"layer{index}"])
        assert same is (index < changed), f"layer{index}"


def test_one_style_is_the_same_style_in_every_layer(generator, style, noise):
    repeated = style[:, None].expand(-1, generator.num_layers, -1).contiguous()
    assert torch.equal(generator.synthesise(style, noise), generator.synthesise(repeated, noise))


def test_no_noise_is_noise_of_zero(generator, style, noise):
    silent = [torch.zeros_like(layer) for layer in noise]
    torch.testing.assert_close(generator.synthesise(style), generator.synthesise(style, silent))
    assert not torch.equal(generator.synthesise(style), generator.synthesise(style, noise))


@pytest.mark.parametrize(("size", "count"), [(28, 2), (32, 3), (48, 3), (64, 4)])
def test_every_size_of_the_data_sets_can_be_made(size, count):
    assert halvings(size) == count
    StyleDcganConfig(size=size)


@pytest.mark.parametrize("size", [18, 30, 36, 44, 50, 62])
def test_a_size_that_cannot_be_halved_often_enough_is_refused(size):
    with pytest.raises(ValueError, match="such as 28, 32, 48 or 64"):
        StyleDcganConfig(size=size)


def test_no_layer_has_more_channels_than_allowed(small_config):
    model = KINDS["style-dcgan"].build(small_config("style-dcgan", 64, 3, 0))
    convolutions = [m for m in model.modules() if isinstance(m, torch.nn.Conv2d)]
    assert max(m.out_channels for m in convolutions) == 12


def test_deviation_is_that_of_its_own_group():
    x = torch.randn(16, 3, 4, 4, dtype=torch.float64)
    x[8:] *= 3
    found = minibatch_deviation(x)
    for rows in (slice(0, 8), slice(8, 16)):
        expected = x[rows].std(dim=0, unbiased=False).mean().float()
        torch.testing.assert_close(found[rows], expected.expand(8), rtol=1e-4, atol=1e-5)


def test_deviation_of_equal_pictures_is_almost_zero():
    assert minibatch_deviation(torch.ones(5, 2, 4, 4)).max() < 1e-3


def test_in_training_the_verdict_depends_on_the_company_and_in_evaluation_not(small_config):
    torch.manual_seed(0)
    judge = PlainDiscriminator(small_config("style-dcgan", 32, 3, 0)).train()
    varied = torch.rand(8, 3, 32, 32) * 2 - 1
    alike = varied[:1].expand(8, -1, -1, -1)
    assert judge(varied)[0] != judge(alike)[0]
    assert judge.usual_deviation > 0
    judge.eval()
    torch.testing.assert_close(judge(varied)[:1], judge(alike)[:1])
    torch.testing.assert_close(judge(varied)[:1], judge(varied[:1]))
