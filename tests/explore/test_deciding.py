import numpy as np
import pytest
import torch

from genimg.explore.deciding import convince, input_gradient, occlusion


@pytest.fixture
def looks_at_a_corner(make_model, monkeypatch):
    """A model whose discriminator gives ten times the mean of the upper left quarter."""
    model = make_model("style-dcgan")

    def judge(x, labels):
        return 10 * x[:, :, :16, :16].mean(dim=(1, 2, 3))

    monkeypatch.setattr(model, "discriminator", judge)
    return model


def lit():
    picture = np.zeros((32, 32, 1), np.uint8)
    picture[:16, :16] = 200
    return picture


def test_occlusion_finds_what_decides(looks_at_a_corner):
    falls = occlusion(looks_at_a_corner, lit(), 0)
    assert falls.shape == (32, 32)
    assert falls[:16, :16].min() > 0
    assert np.abs(falls[20:, 20:]).max() < 1e-5
    assert falls[:12, :12].mean() > 10 * abs(falls[20:, 20:].mean())


def test_the_gradient_finds_what_decides_and_has_the_unit_that_it_says(looks_at_a_corner):
    gradient = input_gradient(looks_at_a_corner, lit(), 0)
    brighter = lit()
    brighter[3, 4] += 10
    before, after = looks_at_a_corner.judge(np.stack([lit(), brighter]), 0)
    np.testing.assert_allclose(gradient[3, 4], (after - before) / 10, rtol=1e-3)
    assert gradient[20:].max() == 0


def test_a_walk_ends_where_the_discriminator_says_more(any_model):
    label = 1 if any_model.classes else None
    settings = {"seed": 3, "label": label}
    begun = [0.5, 0.0, -0.25]
    amounts = convince(any_model, **settings, directions=begun, count=6)
    assert amounts.shape == (6,)
    pictures = any_model.along(np.array([[*begun, 0, 0, 0], amounts]), **settings)
    before, after = any_model.judge(pictures, label)
    assert after > before
    assert np.abs(amounts - [*begun, 0, 0, 0]).max() <= 2


def test_it_is_the_same_each_time(any_model):
    assert np.array_equal(convince(any_model, seed=2), convince(any_model, seed=2))


def test_without_a_discriminator_nobody_is_convinced(make_model):
    model = make_model("dcgan")
    model.discriminator = None
    with pytest.raises(ValueError, match="ships without its discriminator"):
        convince(model)
    for ask in (occlusion, input_gradient):
        with pytest.raises(ValueError, match="ships without its discriminator"):
            ask(model, np.zeros((32, 32, 1), np.uint8), 0)


def test_moves_together_are_moves_one_by_one(any_model):
    label = 1 if any_model.classes else None
    rng = np.random.default_rng(0)
    amounts = rng.normal(size=(5, 4))
    together = any_model.along(amounts, seed=7, label=label)
    for one, row in zip(together, amounts, strict=True):
        alone = any_model.picture(seed=7, label=label, directions=list(row))
        assert np.abs(one.astype(int) - alone).max() <= 1  # a batch rounds differently


def test_no_gradient_is_left_behind(any_model):
    convince(any_model, seed=1)
    assert all(p.grad is None for p in any_model.generator.parameters())
    assert torch.is_grad_enabled()
