import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from genimg.training import objectives
from genimg.training.objectives import OBJECTIVES, gradient_penalty, squared_gradient_norm

ONES, ZEROS = torch.ones(16).double(), torch.zeros(16).double()


def _cross_entropy(logits, target):
    return F.binary_cross_entropy_with_logits(logits, target)


def _minimax_discriminator(real, fake):
    return _cross_entropy(real, ONES) + _cross_entropy(fake, ZEROS)


REFERENCES = {
    "minimax": (_minimax_discriminator, lambda real, fake: (1 - fake.sigmoid()).log().mean()),
    "nonsaturating": (_minimax_discriminator, lambda real, fake: _cross_entropy(fake, ONES)),
    "least-squares": (
        lambda real, fake: (F.mse_loss(real, ONES) + F.mse_loss(fake, ZEROS)) / 2,
        lambda real, fake: F.mse_loss(fake, ONES) / 2,
    ),
    "wasserstein": (
        lambda real, fake: -(real.mean() - fake.mean()),
        lambda real, fake: -fake.mean(),
    ),
    "hinge": (
        lambda real, fake: (
            F.hinge_embedding_loss(real, -ONES) + F.hinge_embedding_loss(-fake, -ONES)
        ),
        lambda real, fake: -fake.mean(),
    ),
    "relativistic": (
        lambda real, fake: _cross_entropy(real - fake, ONES),
        lambda real, fake: _cross_entropy(fake - real, ONES),
    ),
}


@pytest.fixture
def logits():
    random = torch.Generator().manual_seed(1)
    return torch.randn(2, 16, generator=random, dtype=torch.float64).mul(2).unbind()


@pytest.mark.parametrize("name", OBJECTIVES)
def test_equals_an_independent_formula(name, logits):
    for ours, reference in zip(
        (OBJECTIVES[name].discriminator, OBJECTIVES[name].generator), REFERENCES[name], strict=True
    ):
        torch.testing.assert_close(ours(*logits), reference(*logits), rtol=1e-12, atol=1e-12)


def _sure(logits):
    return logits.sigmoid()


# d loss / d logit of one picture, before the mean: of the discriminator's loss for a real and for a
# generated one, and of the generator's for a generated one; by the derivatives of the papers.
SLOPES = {
    "minimax": (
        lambda real, fake: _sure(real) - 1,
        lambda real, fake: _sure(fake),
        lambda real, fake: -_sure(fake),
    ),
    "nonsaturating": (
        lambda real, fake: _sure(real) - 1,
        lambda real, fake: _sure(fake),
        lambda real, fake: _sure(fake) - 1,
    ),
    "least-squares": (
        lambda real, fake: real - 1,
        lambda real, fake: fake,
        lambda real, fake: fake - 1,
    ),
    "wasserstein": (
        lambda real, fake: -torch.ones_like(real),
        lambda real, fake: torch.ones_like(fake),
        lambda real, fake: -torch.ones_like(fake),
    ),
    "hinge": (
        lambda real, fake: -(real < 1).double(),
        lambda real, fake: (fake > -1).double(),
        lambda real, fake: -torch.ones_like(fake),
    ),
    "relativistic": (
        lambda real, fake: _sure(real - fake) - 1,
        lambda real, fake: 1 - _sure(real - fake),
        lambda real, fake: _sure(fake - real) - 1,
    ),
}


@pytest.mark.parametrize("name", OBJECTIVES)
def test_the_gradients_are_those_of_the_papers(name, logits):
    real, fake = (each.requires_grad_() for each in logits)
    objective = OBJECTIVES[name]
    of_discriminator = torch.autograd.grad(objective.discriminator(real, fake), (real, fake))
    (of_generator,) = torch.autograd.grad(objective.generator(real, fake), fake)
    for got, slope in zip((*of_discriminator, of_generator), SLOPES[name], strict=True):
        expected = slope(real.detach(), fake.detach()) / len(real)
        torch.testing.assert_close(got, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_the_players_pull_in_opposite_directions(name):
    real = torch.full((4,), 0.25, dtype=torch.float64, requires_grad=True)
    fake = torch.full((4,), -0.5, dtype=torch.float64, requires_grad=True)
    down_real, _ = torch.autograd.grad(OBJECTIVES[name].discriminator(real, fake), (real, fake))
    assert (down_real < 0).all()  # descending the loss raises the logit of real pictures
    if name != "least-squares":  # whose target for fakes is 0, not minus infinity
        _, up_fake = torch.autograd.grad(OBJECTIVES[name].discriminator(real, fake), (real, fake))
        assert (up_fake > 0).all()
    (fake_gradient,) = torch.autograd.grad(OBJECTIVES[name].generator(real, fake), fake)
    assert (fake_gradient < 0).all()


def test_minimax_saturates_where_the_nonsaturating_generator_does_not():
    fake = torch.full((8,), -12.0, dtype=torch.float64, requires_grad=True)  # D is sure of itself
    (minimax,) = torch.autograd.grad(objectives.minimax_generator(fake, fake), fake)
    (nonsaturating,) = torch.autograd.grad(objectives.nonsaturating_generator(fake, fake), fake)
    assert minimax.norm() < 1e-4 * nonsaturating.norm()


@pytest.mark.parametrize("name", OBJECTIVES)
@given(shift=st.floats(-50, 50))
def test_only_the_relativistic_objective_depends_on_nothing_but_differences(name, shift):
    real, fake = torch.tensor([[0.3, -1.0], [0.7, 2.0]], dtype=torch.float64)
    for side in (OBJECTIVES[name].discriminator, OBJECTIVES[name].generator):
        if name == "relativistic":
            torch.testing.assert_close(side(real + shift, fake + shift), side(real, fake))
    if name != "relativistic" and abs(shift) > 1:
        moved = OBJECTIVES[name].generator(real + shift, fake + shift)
        assert not torch.isclose(moved, OBJECTIVES[name].generator(real, fake), atol=0, rtol=1e-9)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_extreme_logits_stay_finite(name):
    real, fake = torch.tensor([-1e4, 1e4]), torch.tensor([1e4, -1e4])
    assert torch.isfinite(OBJECTIVES[name].discriminator(real, fake))
    assert torch.isfinite(OBJECTIVES[name].generator(real, fake))


def test_squared_gradient_norm_of_a_linear_discriminator_is_its_squared_weight():
    weight = torch.randn(3, 4, 4, dtype=torch.float64)
    images = torch.randn(5, 3, 4, 4, dtype=torch.float64, requires_grad=True)
    penalty = squared_gradient_norm((images * weight).sum(dim=(1, 2, 3)), images)
    torch.testing.assert_close(penalty, weight.square().sum())


def test_squared_gradient_norm_can_be_trained_on():
    weight = torch.tensor([3.0], dtype=torch.float64, requires_grad=True)
    images = torch.tensor([[1.0], [2.0]], dtype=torch.float64, requires_grad=True)
    penalty = squared_gradient_norm((weight * images.square()).sum(dim=1), images)
    # d logit / d x = 2 w x, so the penalty is 4 w^2 mean(x^2) and its slope 8 w mean(x^2).
    torch.testing.assert_close(penalty, torch.tensor(4 * 9 * 2.5).double())
    (slope,) = torch.autograd.grad(penalty, weight)
    torch.testing.assert_close(slope, torch.tensor([8 * 3 * 2.5]).double())


@pytest.mark.parametrize("norm", [1.0, 0.25, 3.0])
def test_gradient_penalty_of_a_linear_critic_is_its_distance_from_norm_one(norm):
    weight = torch.randn(1, 4, 4, dtype=torch.float64)
    weight = norm * weight / weight.norm()
    real, fake = torch.randn(2, 6, 1, 4, 4, dtype=torch.float64)
    penalty = gradient_penalty(lambda x: (x * weight).sum(dim=(1, 2, 3)), real, fake)
    torch.testing.assert_close(penalty, torch.tensor((norm - 1) ** 2).double())


def test_gradient_penalty_looks_between_the_paired_pictures():
    seen = []

    def critic(x):
        seen.append(x.detach())
        return x.sum(dim=(1, 2, 3))

    real, fake = torch.zeros(64, 1, 2, 2), torch.ones(64, 1, 2, 2)
    gradient_penalty(critic, real, fake)
    assert (seen[0] >= 0).all()
    assert (seen[0] <= 1).all()
    assert (seen[0].flatten(1).std(dim=1) == 0).all()  # one mixture for a whole picture
    assert seen[0][:, 0, 0, 0].std() > 0.1  # and another for the next


@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_discriminator_that_has_reached_its_goal_is_always_right(name):
    objective = OBJECTIVES[name]
    logits = torch.randn(2, 64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    optimizer = torch.optim.Adam([logits], lr=0.05)
    for _ in range(300):
        optimizer.zero_grad()
        objective.discriminator(*logits).backward()
        optimizer.step()
    assert objective.accuracies(*logits.detach()) == (1, 1)


@pytest.mark.parametrize("name", ["wasserstein", "relativistic"])
def test_what_only_compares_is_judged_by_comparing(name):
    random = torch.Generator().manual_seed(0)
    real, fake = torch.randn(64, generator=random) + 1, torch.randn(64, generator=random)
    real_accuracy, fake_accuracy = OBJECTIVES[name].accuracies(real, fake)
    assert 0.5 < real_accuracy < 1
    assert 0.5 < fake_accuracy < 1
    assert OBJECTIVES[name].accuracies(real + 9, fake + 9) == (real_accuracy, fake_accuracy)


def test_the_boundary_is_where_the_objective_puts_it():
    real, fake = torch.tensor([0.4, 0.6, 0.9, 2.0]), torch.tensor([-1.0, 0.1, 0.2, 0.7])
    assert OBJECTIVES["least-squares"].accuracies(real, fake) == (0.75, 0.75)
    assert OBJECTIVES["hinge"].accuracies(real, fake) == (1, 0.25)
