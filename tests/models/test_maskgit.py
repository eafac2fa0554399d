import math

import pytest
import torch
import torch.nn.functional as F

from genimg.models.image_gpt import ImageGpt, ImageGptConfig
from genimg.models.maskgit import MaskGit, MaskGitConfig

SMALL = {
    "vocabulary_size": 20,
    "rows": 3,
    "columns": 4,
    "classes": 5,
    "width": 32,
    "layers": 2,
    "heads": 4,
}


def small(**changes) -> MaskGit:
    """A float64 model in which every token matters to every other."""
    torch.manual_seed(0)
    model = MaskGit(MaskGitConfig(**(SMALL | changes))).double().eval()
    for parameter in model.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.3)
    return model


def batch(count=2) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    tokens = torch.randint(20, (count, 12), generator=generator)
    return tokens, torch.randint(5, (count,), generator=generator)


@torch.no_grad()
def test_every_place_sees_every_place():
    model, (tokens, labels) = small(), batch(1)
    tokens[:, [0, 5, 11]] = -1
    before = model(tokens, labels)
    for place in (1, 4, 10):
        changed = tokens.clone()
        changed[:, place] = (tokens[:, place] + 1) % 20
        moved = (model(changed, labels) - before).abs().amax(dim=-1)[0]
        assert (moved[[0, 5, 11]] > 1e-6).all()
    other = model(tokens, (labels + 1) % 5)
    assert ((other - before).abs().amax(dim=-1) > 1e-6).all()


@torch.no_grad()
def test_a_masked_token_cannot_be_seen():
    model, (tokens, labels) = small(), batch()
    masked = tokens.masked_fill(torch.arange(12) % 3 == 0, -1)
    same = masked.masked_fill(masked < 0, -1)
    assert torch.equal(model(masked, labels), model(same, labels))
    assert not torch.equal(model(masked, labels), model(tokens, labels))


@torch.no_grad()
def test_where_all_is_masked_places_still_differ():
    model, (_, labels) = small(), batch()
    logits = model(torch.full((2, 12), -1), labels)
    distances = torch.cdist(logits[0], logits[0]) + torch.eye(12)
    assert distances.min() > 1e-3


def test_training_starts_at_guessing_and_reaches_all_parameters():
    torch.manual_seed(0)
    model = MaskGit(MaskGitConfig(**SMALL))
    tokens, labels = batch(4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    losses = []
    for _ in range(2):  # the head starts at zero, so the trunk gets its first gradient second
        masked = tokens.masked_fill(torch.arange(12) % 2 == 0, -1)
        losses.append(F.cross_entropy(model(masked, labels).mT, tokens))
        optimizer.zero_grad()
        losses[-1].backward()
        optimizer.step()
    assert losses[0].item() == pytest.approx(math.log(20), abs=1e-5)
    assert losses[1] < losses[0]
    for name, parameter in model.named_parameters():
        assert parameter.grad.any(), name


def test_the_weights_of_an_image_gpt_fit_but_for_the_mask_token():
    gpt, model = ImageGpt(ImageGptConfig(**SMALL)), MaskGit(MaskGitConfig(**SMALL))
    theirs, mine = gpt.state_dict(), model.state_dict()
    different = [name for name in mine if mine[name].shape != theirs[name].shape]
    assert set(mine) == set(theirs)
    assert different == ["token_embedding.weight"]
    assert len(mine[different[0]]) == len(theirs[different[0]]) + 1


@pytest.mark.parametrize(
    ("tokens", "labels"),
    [((2, 11), (2,)), ((2, 12), (3,)), ((12,), (1,)), ((2, 12), (2, 1)), ((2, 3, 4), (2,))],
)
def test_wrong_shapes_are_refused(tokens, labels):
    with pytest.raises(ValueError, match=r"tokens must be \(batch, 12\)"):
        small()(torch.zeros(tokens, dtype=int), torch.zeros(labels, dtype=int))


def test_a_head_that_cannot_turn_is_refused():
    with pytest.raises(ValueError, match="multiple of 4"):
        MaskGitConfig(**SMALL | {"width": 24})
