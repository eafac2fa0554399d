"""What all GANs have in common, whichever their architecture."""

import itertools

import pytest
import torch

from genimg.models import KINDS
from genimg.models.mapping import MappedGenerator

GANS = [name for name, kind in KINDS.items() if kind.task == "gan"]
CASES = [
    case
    for case in itertools.product(GANS, (28, 32, 64), (1, 3), (0, 10))
    if case[:2] != ("dcgan", 28)  # doubling from 4 pixels never gives 28
]
BATCH = 4


@pytest.fixture(params=CASES, ids=lambda case: "-".join(map(str, case)))
def gan(request, small_config):
    config = small_config(*request.param)
    torch.manual_seed(0)
    return KINDS[request.param[0]].build(config)


def _inputs(config):
    z = torch.randn(BATCH, config.latent_dimensions, generator=torch.Generator().manual_seed(1))
    return z, torch.tensor([0, 9, 3, 0]) if config.classes else None


def _generate(generator, z, labels):
    if isinstance(generator, MappedGenerator):
        return generator(z, labels, generator.draw_noise(len(z), torch.Generator().manual_seed(2)))
    return generator(z, labels)


def test_pictures_have_the_asked_shape_and_range(gan):
    z, labels = _inputs(gan.config)
    pictures = _generate(gan.generator, z, labels)
    assert pictures.shape == (BATCH, gan.config.channels, gan.config.size, gan.config.size)
    assert pictures.dtype == torch.float32
    assert pictures.abs().max() <= 1
    assert pictures.std(dim=0).max() > 0  # different z, different pictures


def test_no_weights_lead_out_of_the_range(gan):
    with torch.no_grad():
        for parameter in gan.generator.parameters():
            parameter *= 30
        pictures = _generate(gan.generator, *_inputs(gan.config))
    assert 0.9 < pictures.abs().max() <= 1


def test_there_is_one_finite_logit_for_each_picture(gan):
    z, labels = _inputs(gan.config)
    logits = gan.discriminator(_generate(gan.generator, z, labels), labels)
    assert logits.shape == (BATCH,)
    assert logits.dtype == torch.float32
    assert torch.isfinite(logits).all()


def test_gradients_reach_every_parameter(gan):
    z, labels = _inputs(gan.config)
    logits = gan.discriminator(_generate(gan.generator, z, labels), labels)
    (logits * torch.tensor([1.0, -2.0, 3.0, 0.5])).sum().backward()
    for name, parameter in gan.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().max() > 0, name


def test_evaluation_treats_each_picture_alone(gan, alive):
    gan = alive(gan)
    z, labels = _inputs(gan.config)
    with torch.inference_mode():
        together = gan.generator(z, labels)
        alone = [
            gan.generator(z[i : i + 1], None if labels is None else labels[i : i + 1])
            for i in range(BATCH)
        ]
        judged = gan.discriminator(together, labels)
        judged_alone = [
            gan.discriminator(together[i : i + 1], None if labels is None else labels[i : i + 1])
            for i in range(BATCH)
        ]
    torch.testing.assert_close(torch.cat(alone), together, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(torch.cat(judged_alone), judged, atol=1e-2, rtol=1e-3)


@pytest.mark.parametrize("gan", [case for case in CASES if case[3]], indirect=True, ids=str)
def test_the_class_changes_the_picture_and_the_verdict(gan, alive):
    gan = alive(gan)
    z, labels = _inputs(gan.config)
    other = (labels + 1) % 10
    with torch.inference_mode():
        pictures = gan.generator(z, labels)
        assert (gan.generator(z, other) - pictures).abs().amax(dim=(1, 2, 3)).min() > 1e-4
        verdicts = gan.discriminator(pictures, labels)
        assert (gan.discriminator(pictures, other) - verdicts).abs().min() > 1e-6


def test_the_state_is_that_of_the_two_players(gan):
    assert {name.split(".")[0] for name in gan.state_dict()} == {"generator", "discriminator"}


def test_the_discriminator_may_be_left_out(gan):
    gan.discriminator = None
    assert {name.split(".")[0] for name in gan.state_dict()} == {"generator"}
