import pytest
import torch
import torch.nn.functional as F

from genimg.models.attention import Capture
from genimg.models.vision_transformer import VisionTransformer, VisionTransformerConfig

SMALL = {"size": 16, "width": 32, "layers": 2, "heads": 4, "classes": 5}
variants = pytest.mark.parametrize(
    "changes",
    [
        {},
        {"position": "rope"},
        {"registers": 3},
        {"registers": 3, "position": "rope"},
        {"stem": "convolutional"},
    ],
    ids=str,
)


def small_vit(**changes):
    torch.manual_seed(0)
    vit = VisionTransformer(VisionTransformerConfig(**(SMALL | changes))).eval()
    for parameter in vit.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.2)
    return vit


def images(count=3, channels=1):
    generator = torch.Generator().manual_seed(1)
    return torch.rand(count, channels, 16, 16, generator=generator) * 2 - 1


@variants
def test_trains(changes):
    vit = VisionTransformer(VisionTransformerConfig(**(SMALL | changes)))
    loss = F.cross_entropy(vit(images()), torch.tensor([0, 1, 2]))
    loss.backward()
    for name, parameter in vit.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name


@variants
def test_capture_does_not_change_a_bit_and_knows_the_layout(changes):
    vit = small_vit(**changes)
    capture = Capture()
    assert torch.equal(vit(images()), vit(images(), capture=capture))
    layout = capture.layout
    assert layout.first_patch == 1 + changes.get("registers", 0)
    assert (layout.rows, layout.columns) == (4, 4)
    weights = capture.weights(1)
    assert weights.shape == (3, 4, layout.length, layout.length)
    torch.testing.assert_close(weights.sum(dim=-1), torch.ones(weights.shape[:-1]))
    assert (weights > 0).all()  # everyone looks at everyone


def test_layout_says_which_patch_is_where():
    """Changing the pixels of one patch changes the first layer's key of that token only."""
    vit = small_vit(registers=2)
    before, after = Capture(), Capture()
    changed = images()
    vit.features(changed, capture=before)
    changed[:, :, 8:12, 4:8] *= -1
    vit.features(changed, capture=after)
    difference = (after.layer(0).keys - before.layer(0).keys).abs().amax(dim=(0, 1, 3))
    assert difference.nonzero().flatten().tolist() == [
        before.layout.first_patch + 2 * before.layout.columns + 1
    ]


def test_with_a_convolutional_stem_a_token_sees_its_patch_and_the_pixels_around():
    vit = small_vit(stem="convolutional")
    picture = images(1).requires_grad_()
    token = vit.patch_embedding(picture)[0, :, 2, 1]
    (gradient,) = torch.autograd.grad(token.abs().sum(), picture)
    rows, columns = gradient[0, 0].nonzero().T
    assert (int(rows.min()), int(rows.max())) == (4, 12)
    assert (int(columns.min()), int(columns.max())) == (0, 8)


@variants
def test_every_patch_and_its_place_count(changes):
    vit = small_vit(**changes).double()
    picture = images().double()
    before = vit(picture)
    for row in range(4):
        for column in range(4):
            changed = picture.clone()
            changed[:, :, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4] *= -1
            assert ((vit(changed) - before).abs().amax(dim=1) > 1e-9).all()
    assert not torch.allclose(vit(picture.roll(4, dims=3)), before)


def test_head_reads_the_features():
    vit = small_vit()
    features = vit.features(images())
    assert features.shape == (3, 32)
    assert torch.equal(vit.head(features), vit(images()))


def test_default_size():
    vit = VisionTransformer(VisionTransformerConfig())
    assert 2e5 < sum(p.numel() for p in vit.parameters()) < 4e5
    assert vit(torch.zeros(1, 1, 32, 32)).shape == (1, 10)


@variants
def test_can_be_built_without_data_and_filled_later(changes):
    vit = small_vit(**changes)
    with torch.device("meta"):
        empty = VisionTransformer(vit.config)
    assert set(dict(empty.named_buffers())) <= set(vit.state_dict())  # none is computed
    filled = empty.to_empty(device="cpu").eval()
    filled.load_state_dict(vit.state_dict(), strict=True, assign=True)
    assert torch.equal(filled(images()), vit(images()))


def test_wrong_images_and_configurations_are_refused():
    vit = small_vit()
    for wrong in (images(channels=3), images()[0], torch.zeros(1, 1, 28, 28)):
        with pytest.raises(ValueError, match="images must be"):
            vit(wrong)
    with pytest.raises(ValueError, match="multiple of patch"):
        VisionTransformerConfig(size=30)
    with pytest.raises(ValueError, match="2, 4, 8 or 16"):
        VisionTransformerConfig(size=30, patch=5, stem="convolutional")
    with pytest.raises(ValueError, match="multiple of heads"):
        VisionTransformerConfig(width=66)
    with pytest.raises(ValueError, match="multiple of 4"):
        VisionTransformerConfig(width=24, position="rope")
