import numpy as np
import pytest
import torch

from genimg.checkpoints import Checkpoint
from genimg.explore.attributes import AttributeClassifierModel
from genimg.models import KINDS

ATTRIBUTES = ("shape: round, square, flat", "size: number", "hue: cyclic")


@pytest.fixture(scope="module")
def model(alive, tmp_path_factory):
    kind = KINDS["attribute-classifier"]
    config = kind.config(size=16, channels=3, attributes=ATTRIBUTES, widths=(8, 12))
    torch.manual_seed(0)
    network = alive(kind.build(config), 0.3).requires_grad_(False)
    return AttributeClassifierModel(
        Checkpoint(
            "mine", "attribute-classifier", config, network, {}, tmp_path_factory.mktemp("x")
        )
    )


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (7, 16, 16, 3), np.uint8)


def test_every_attribute_is_told_in_probabilities_or_numbers(model, images):
    found = model.attributes_of(images)
    assert list(found) == ["shape", "size", "hue"]
    assert all(values.dtype == np.float32 for values in found.values())
    assert found["shape"].shape == (7, 3)
    np.testing.assert_allclose(found["shape"].sum(axis=1), 1, rtol=1e-6)
    outputs = model.network.model(torch.from_numpy(images).permute(0, 3, 1, 2) / 127.5 - 1)
    np.testing.assert_allclose(found["shape"], outputs[:, :3].softmax(1).numpy(), atol=1e-5)
    hue = torch.atan2(outputs[:, 6], outputs[:, 5]) / (2 * torch.pi) % 1
    np.testing.assert_allclose(found["hue"], hue.numpy(), atol=1e-5)
    for name in ("size", "hue"):
        assert found[name].shape == (7,)
        assert 0 <= found[name].min() <= found[name].max() <= 1


def test_a_picture_is_told_alike_alone_and_among_others(model, images):
    together = model.attributes_of(images)
    for row, image in enumerate(images):
        for name, values in model.attributes_of(image[None]).items():
            np.testing.assert_allclose(values[0], together[name][row], atol=1e-5)


@pytest.mark.parametrize(
    "bad",
    [
        np.zeros((2, 16, 16, 1), np.uint8),
        np.zeros((2, 32, 32, 3), np.uint8),
        np.zeros((16, 16, 3), np.uint8),
        [[0]],
    ],
)
def test_pictures_of_another_shape_are_refused(model, bad):
    with pytest.raises(ValueError, match=r"mine takes pictures of shape \(N, 16, 16, 3\)"):
        model.attributes_of(bad)


def test_what_is_no_picture_is_refused(model):
    with pytest.raises(ValueError, match="uint8"):
        model.attributes_of(np.zeros((2, 16, 16, 3)))
