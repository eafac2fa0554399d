import pytest
import torch
import torch.nn.functional as F

from genimg.models import KINDS
from genimg.models.stylegan import StyleGanConfig, upsample


@pytest.fixture
def gan(small_config, alive):
    torch.manual_seed(0)
    return alive(KINDS["stylegan"].build(small_config("stylegan", 32, 1, 10)))


@pytest.fixture
def generator(gan):
    return gan.generator


@pytest.fixture
def style(generator):
    z = torch.randn(3, 12, generator=torch.Generator().manual_seed(1))
    return generator.map(z, torch.tensor([1, 2, 2]))  # (3, W)


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
    resolutions = generator.num_layers // 2
    assert set(capture) == {f"layer{i}" for i in range(generator.num_layers)} | {
        f"pixels{i}" for i in range(resolutions)
    }
    for index in range(generator.num_layers):
        layer, pixels = capture[f"layer{index}"], capture[f"pixels{index // 2}"]
        assert layer.shape == (3, 12, *noise[index].shape[2:])
        assert pixels.shape[2:] == layer.shape[2:]
    assert torch.equal(torch.tanh(capture[f"pixels{resolutions - 1}"]), pictures)


def test_the_discriminators_capture_changes_nothing(gan):
    images, labels = torch.rand(3, 1, 32, 32) * 2 - 1, torch.tensor([0, 5, 9])
    capture = {}
    logits = gan.discriminator(images, labels, capture=capture)
    assert torch.equal(logits, gan.discriminator(images, labels))
    assert set(capture) == {f"block{i}" for i in range(len(gan.discriminator.blocks))}


def test_each_resolution_doubles_the_one_before(generator, noise):
    sizes = [layer.shape[-1] for layer in noise]
    assert sizes[::2] == sizes[1::2]
    assert all(after == 2 * before for before, after in zip(sizes[::2], sizes[2::2], strict=False))
    assert sizes[-1] == 32


def test_truncation_goes_from_the_mean_style_of_the_class_to_the_style(generator):
    z = torch.randn(4, 12, generator=torch.Generator().manual_seed(3))
    labels = torch.tensor([0, 9, 4, 4])
    mean, style = generator.mean_style[labels], generator.mapping(z, labels)
    assert torch.equal(generator.map(z, labels, 1.0), style)
    torch.testing.assert_close(generator.map(z, labels, 0.0), mean)
    torch.testing.assert_close(generator.map(z, labels, 0.25), 0.75 * mean + 0.25 * style)
    torch.testing.assert_close(generator.map(z, labels, 2.0), 2 * style - mean)


def test_truncation_without_classes_goes_to_the_one_mean_style(small_config, alive):
    generator = alive(KINDS["stylegan"].build(small_config("stylegan", 32, 1, 0))).generator
    styles = generator.map(torch.randn(2, 12), None, 0.0)
    torch.testing.assert_close(styles, generator.mean_style.expand(2, -1))


def test_only_the_direction_of_z_counts(generator):
    z, labels = torch.randn(4, 12), torch.tensor([0, 1, 2, 3])
    torch.testing.assert_close(
        generator.map(1000 * z, labels), generator.map(z, labels), atol=1e-4, rtol=1e-4
    )


def test_one_style_is_the_same_style_in_every_layer(generator, style, noise):
    repeated = style[:, None].expand(-1, generator.num_layers, -1)
    assert torch.equal(
        generator.synthesise(style, noise), generator.synthesise(repeated.contiguous(), noise)
    )


def test_no_noise_is_noise_of_zero(generator, style, noise):
    silent = [torch.zeros_like(layer) for layer in noise]
    torch.testing.assert_close(generator.synthesise(style), generator.synthesise(style, silent))
    assert not torch.equal(generator.synthesise(style), generator.synthesise(style, noise))


def test_noise_is_repeatable(generator):
    first = generator.draw_noise(2, torch.Generator().manual_seed(5))
    again = generator.draw_noise(2, torch.Generator().manual_seed(5))
    assert len(first) == generator.num_layers
    assert all(map(torch.equal, first, again))


@pytest.mark.parametrize("changed", range(6))
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
    for index in range(generator.num_layers // 2):
        same = torch.equal(before[f"pixels{index}"], after[f"pixels{index}"])
        assert same is (2 * index + 1 < changed), f"pixels{index}"


def test_upsampling_is_doubling_followed_by_the_filter_1_2_1():
    x = torch.randn(2, 3, 5, 7, dtype=torch.float64)
    doubled = x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    line = torch.tensor([1.0, 2.0, 1.0], dtype=torch.float64) / 4
    kernel = torch.outer(line, line).expand(3, 1, 3, 3)
    # Beyond the border the border's own pixels continue.
    expected = F.conv2d(F.pad(doubled, (1, 1, 1, 1), mode="replicate"), kernel, groups=3)
    torch.testing.assert_close(upsample(x), expected)


def test_the_verdict_is_linear_in_the_class_embedding(small_config, alive):
    # 40 classes and 12 features: the logits of one picture, as a function of the class, lie on a
    # plane through the embeddings only if the class enters by projection.
    discriminator = alive(KINDS["stylegan"].build(small_config("stylegan", 32, 1, 40)))
    discriminator = discriminator.discriminator
    with torch.no_grad():
        embeddings = discriminator.label.weight.double()  # (40, F)
        image = torch.rand(1, 1, 32, 32) * 2 - 1
        logits = discriminator(image.expand(40, -1, -1, -1), torch.arange(40)).double()
    differences = logits[1:] - logits[0]
    plane = embeddings[1:] - embeddings[0]
    features = torch.linalg.lstsq(plane, differences[:, None]).solution
    torch.testing.assert_close(plane @ features, differences[:, None], atol=1e-4, rtol=1e-4)
    assert differences.std() > 1e-3


@pytest.mark.parametrize("name", ["generator_widths", "discriminator_widths"])
def test_widths_that_do_not_fit_the_size_are_refused(name):
    with pytest.raises(ValueError, match=f"^{name} has 9 entries, so size "):
        StyleGanConfig(**{name: (8,) * 9})


def test_a_size_that_cannot_be_halved_is_refused():
    with pytest.raises(ValueError, match="generator_widths has 4 entries, so size 30 would start"):
        StyleGanConfig(size=30, generator_widths=(8, 8, 8, 8))
