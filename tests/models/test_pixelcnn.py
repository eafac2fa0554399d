import math

import pytest
import torch
import torch.nn.functional as F

from genimg.jobs.estimate import count_weights
from genimg.models.pixelcnn import GatedPixelCnn, GatedPixelCnnConfig
from genimg.training.presets import make_spec

SIZE = 8


@pytest.fixture
def model(alive):
    config = GatedPixelCnnConfig(size=SIZE, greys=4, classes=3, width=8, layers=4)
    return alive(GatedPixelCnn(config), 0.3).double()


def batch():
    numbers = torch.Generator().manual_seed(0)
    return torch.randint(4, (2, SIZE**2 - 1), generator=numbers), torch.tensor([0, 2])


def test_a_pixel_changes_what_comes_after_it_and_nothing_before(model):
    tokens, labels = batch()
    before = model(tokens, labels)
    assert before.shape == (2, SIZE**2, 4)
    for place in range(0, SIZE**2 - 1, 5):
        changed = tokens.clone()
        changed[:, place] = (changed[:, place] + 1) % 4
        differs = (model(changed, labels) - before).abs().amax(dim=(0, 2)) > 1e-12
        assert not differs[: place + 1].any()
        assert differs[place + 1]


def test_the_two_stacks_leave_no_blind_spot(model):
    """The pixel in the last row, of which every pixel above within reach is seen."""
    tokens, labels = batch()
    before = model(tokens, labels)[:, -4]  # row 7, column 4
    for row in range(SIZE):
        for column in range(SIZE if row < SIZE - 1 else 4):
            changed = tokens.clone()
            place = SIZE * row + column
            changed[:, place] = (changed[:, place] + 1) % 4
            assert (model(changed, labels)[:, -4] - before).abs().max() > 1e-12, (row, column)


def test_every_pixel_hears_of_the_class(model):
    tokens, labels = batch()
    other = model(tokens, (labels + 1) % 4) - model(tokens, labels)
    assert (other.abs().amax(dim=2) > 1e-9).all()


def test_learns_from_the_uniform_distribution_on():
    torch.manual_seed(0)
    model = GatedPixelCnn(GatedPixelCnnConfig(size=SIZE, greys=4, classes=3, width=8, layers=2))
    tokens = (torch.arange(SIZE**2) // 3 % 4).repeat(2, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(60):
        logits = model(tokens[:, :-1], torch.tensor([0, 2]))
        losses.append(F.cross_entropy(logits.flatten(0, 1), tokens.flatten()))
        optimizer.zero_grad()
        losses[-1].backward()
        optimizer.step()
    assert losses[0].item() == pytest.approx(math.log(4), abs=1e-6)
    assert losses[-1] < 0.3 * losses[0]


def test_is_as_large_as_the_recipe_it_is_compared_with():
    weights = sum(p.numel() for p in GatedPixelCnn(GatedPixelCnnConfig()).parameters())
    assert weights == pytest.approx(count_weights(make_spec("fashion-pixels")), rel=0.01)


def test_other_shapes_are_refused(model):
    tokens, labels = batch()
    with pytest.raises(ValueError, match=r"tokens must be \(batch, 63\), not \(2, 62\)"):
        model(tokens[:, 1:], labels)
