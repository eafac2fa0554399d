import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genimg.models.attribute_classifier import (
    AttributeClassifier,
    AttributeClassifierConfig,
    AttributeHead,
    read_head,
)

ATTRIBUTES = ("shape: round, square, flat", "size: number", "hue: cyclic")


def images_of(config, count=4):
    numbers = torch.Generator().manual_seed(1)
    return torch.rand(count, config.channels, config.size, config.size, generator=numbers) * 2 - 1


@pytest.fixture(params=itertools.product((28, 32, 48, 64), (1, 3)), ids=lambda c: f"{c[0]}-{c[1]}")
def network(request):
    size, channels = request.param
    torch.manual_seed(0)
    return AttributeClassifier(
        AttributeClassifierConfig(
            size=size, channels=channels, attributes=ATTRIBUTES, widths=(8, 12)
        )
    )


def test_outputs_are_the_head_of_the_features(network):
    network.eval()
    images = images_of(network.config)
    features = network.features(images)
    assert features.shape == (4, 12)
    assert features.min() >= 0
    assert network(images).shape == (4, 3 + 2 + 2)
    assert torch.equal(network(images), network.head(features))


def test_gradients_reach_every_parameter(network):
    (network(images_of(network.config)) - 1).square().mean().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


def test_evaluation_treats_each_picture_alone(network, alive):
    network = alive(network)
    images = images_of(network.config)
    alone = torch.cat([network(image[None]) for image in images])
    torch.testing.assert_close(alone, network(images), atol=1e-5, rtol=1e-4)


def test_the_configuration_explains_the_outputs():
    heads = AttributeClassifierConfig(attributes=ATTRIBUTES).heads()
    assert heads == (
        AttributeHead("shape", ("round", "square", "flat")),
        AttributeHead("size"),
        AttributeHead("hue", cyclic=True),
    )
    assert [head.outputs for head in heads] == [3, 2, 2]
    assert [head.turns for head in heads[1:]] == [0.5, 1.0]


WORD = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=8)


@given(WORD, st.lists(WORD, min_size=2, max_size=5, unique=True), st.booleans(), st.booleans())
def test_what_is_written_is_read(name, values, named, cyclic):
    head = AttributeHead(name, tuple(values)) if named else AttributeHead(name, cyclic=cyclic)
    assert read_head(str(head)) == head


@pytest.mark.parametrize(
    "text",
    [
        "",
        "shape",
        "shape:",
        ": round, square",
        "shape: round",
        "shape: round, round",
        "shape: round, ",
        "shape: round, squ\x1bare",
        "shape: " + ", ".join(map(str, range(101))),
    ],
)
def test_what_describes_no_attribute_is_refused(text):
    with pytest.raises(ValueError, match="write NAME: VALUE"):
        AttributeClassifierConfig(attributes=(text,))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"attributes": ("a: x, y", "a: number")}, "different names"),
        ({"attributes": ()}, "list of 1 to 16 texts"),
        ({"attributes": (1, 2)}, "list of 1 to 16 texts"),
        ({"attributes": "a: x, y"}, "list of 1 to 16 texts"),
        ({"size": 16, "widths": (4,) * 5}, "would shrink to nothing"),
    ],
)
def test_what_cannot_be_built_is_refused(fields, sentence):
    with pytest.raises(ValueError, match=sentence):
        AttributeClassifierConfig(**fields)


def test_as_many_stages_as_the_size_can_be_halved():
    config = AttributeClassifierConfig(size=16, widths=(4,) * 4)
    assert AttributeClassifier(config).eval()(images_of(config)).shape == (4, 6)


def test_a_configuration_goes_to_json_and_back():
    config = AttributeClassifierConfig(attributes=ATTRIBUTES)
    assert AttributeClassifierConfig.from_dict(config.to_dict()) == config


def test_texture_is_the_mean_and_deviation_of_the_first_two_stages(network, alive):
    network = alive(network)
    images = images_of(network.config).double()
    network.double()
    first = network.body[:6](images)
    second = network.body[6:12](first)
    expected = []
    for stage in (first, second):
        places = stage.flatten(2)
        mean = places.sum(2) / places.shape[2]
        deviation = (places - mean[..., None]).square().sum(2) / (places.shape[2] - 1)
        expected += [mean, deviation.sqrt()]
    torch.testing.assert_close(network.texture(images), torch.cat(expected, dim=1))
    assert network.texture(images).shape == (4, 2 * (8 + 12))


def test_there_are_two_stages_at_least():
    with pytest.raises(ValueError, match="widths must have at least 2 entries"):
        AttributeClassifierConfig(widths=(8,))
