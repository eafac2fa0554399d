import itertools

import pytest
import torch

from genimg.models.classifier import Classifier, ClassifierConfig


@pytest.fixture(
    params=itertools.product((28, 32, 64), (1, 3), (2, 10)), ids=lambda c: "-".join(map(str, c))
)
def classifier(request):
    size, channels, classes = request.param
    torch.manual_seed(0)
    return Classifier(
        ClassifierConfig(size=size, channels=channels, classes=classes, widths=(8, 12))
    )


def _images(config, count=4):
    numbers = torch.Generator().manual_seed(1)
    return torch.rand(count, config.channels, config.size, config.size, generator=numbers) * 2 - 1


def test_logits_are_the_head_of_the_features(classifier):
    classifier.eval()
    images = _images(classifier.config)
    features = classifier.features(images)
    assert features.shape == (4, classifier.config.widths[-1])
    assert features.min() >= 0
    assert classifier(images).shape == (4, classifier.config.classes)
    assert torch.equal(classifier(images), classifier.head(features))


def test_gradients_reach_every_parameter(classifier):
    labels = torch.tensor([0, 1, 1, 0])
    torch.nn.functional.cross_entropy(classifier(_images(classifier.config)), labels).backward()
    for name, parameter in classifier.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


def test_evaluation_treats_each_picture_alone(classifier, alive):
    classifier = alive(classifier)
    images = _images(classifier.config)
    alone = torch.cat([classifier(image[None]) for image in images])
    torch.testing.assert_close(alone, classifier(images), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("size", "stages", "fits"), [(16, 5, True), (16, 6, False), (64, 7, True)])
def test_as_many_stages_as_the_size_can_be_halved(size, stages, fits):
    if fits:
        config = ClassifierConfig(size=size, widths=(4,) * stages)
        assert Classifier(config).eval()(_images(config)).shape == (4, 10)
    else:
        with pytest.raises(ValueError, match=f"widths has {stages} entries, so size {size} would"):
            ClassifierConfig(size=size, widths=(4,) * stages)
