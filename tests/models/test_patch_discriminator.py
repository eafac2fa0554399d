import pytest
import torch

from genimg.models.patch_discriminator import PatchDiscriminator, PatchDiscriminatorConfig


@pytest.mark.parametrize("channels", [1, 3])
def test_one_logit_for_each_patch(channels):
    judge = PatchDiscriminator(PatchDiscriminatorConfig(channels=channels, width=8))
    assert judge(torch.zeros(2, channels, 32, 32)).shape == (2, 1, 8, 8)


def test_a_logit_sees_the_patch_the_docstring_promises():
    torch.manual_seed(0)
    judge = PatchDiscriminator(PatchDiscriminatorConfig(width=8)).double()
    picture = torch.randn(1, 1, 64, 64, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(judge(picture)[0, 0, 8, 8], picture)
    rows, columns = gradient[0, 0].nonzero().T
    assert int(rows.max() - rows.min()) + 1 == 18
    assert int(columns.max() - columns.min()) + 1 == 18


def test_images_do_not_influence_one_another_and_gradients_flow_twice():
    torch.manual_seed(0)
    judge = PatchDiscriminator(PatchDiscriminatorConfig(width=8)).double().eval()
    pictures = torch.randn(3, 1, 16, 16, dtype=torch.float64, requires_grad=True)
    torch.testing.assert_close(judge(pictures)[1:2], judge(pictures[1:2]))
    (gradient,) = torch.autograd.grad(judge(pictures).sum(), pictures, create_graph=True)
    gradient.square().sum().backward()  # the penalty R1
    assert judge.body[0].parametrizations.weight.original.grad.isfinite().all()
    assert judge.body[0].parametrizations.weight.original.grad.any()


def test_spectral_norm_bounds_each_layer():
    torch.manual_seed(0)
    judge = PatchDiscriminator(PatchDiscriminatorConfig(width=8)).double()
    with torch.no_grad():
        for layer in judge.body[::2]:
            layer.parametrizations.weight.original.mul_(100)
        for _ in range(200):  # each pass in training is one step of the power iteration
            judge(torch.zeros(1, 1, 16, 16, dtype=torch.float64))
    for layer in judge.eval().body[::2]:
        norm = torch.linalg.matrix_norm(layer.weight.flatten(1), ord=2)
        torch.testing.assert_close(norm, torch.ones_like(norm), rtol=0.02, atol=0)
