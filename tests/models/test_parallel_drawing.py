import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genimg.models.maskgit import MaskGit, MaskGitConfig
from genimg.models.parallel_drawing import masked_after, parallel_steps
from genimg.models.sampling import draw_by_uniforms
from genimg.models.token_orders import fixed_ranks

LABELS = torch.tensor([0, 3, 3, 4])  # 4 is any class
SIZE = 6


@pytest.fixture(scope="module")
def prior():
    torch.manual_seed(0)
    config = MaskGitConfig(
        vocabulary_size=7, rows=2, columns=3, classes=4, width=16, layers=2, heads=2
    )
    prior = MaskGit(config).double().eval()
    for parameter in prior.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.5)
    return prior


def numbers(steps: int, count: int = 4) -> torch.Tensor:
    return torch.rand(count, steps, 2, SIZE, generator=torch.Generator().manual_seed(1))


@given(count=st.integers(1, 300), steps=st.integers(1, 400))
def test_every_step_leaves_fewer_masked_and_the_last_none(count, steps):
    left = masked_after(count, steps)
    assert len(left) == min(steps, count)
    assert left[-1] == 0
    assert all(after < before for before, after in zip([count, *left], left, strict=False))
    for step, masked in enumerate(left, start=1):
        assert masked <= count * math.cos(math.pi / 2 * step / len(left)) + 1e-9


def test_as_many_steps_as_tokens_keep_one_each():
    assert masked_after(49, 49) == list(range(48, -1, -1))
    assert masked_after(49, 8) == [48, 45, 40, 34, 27, 18, 9, 0]
    for count, steps in ((0, 3), (3, 0)):
        with pytest.raises(ValueError, match="steps and tokens must be 1 or more"):
            masked_after(count, steps)


@torch.no_grad()
def test_one_step_draws_each_token_from_its_marginal(prior):
    """Nothing is known of the others, so each is drawn as if it were alone; in float64."""
    count = 4000
    labels = torch.full((count,), 2)
    uniforms = numbers(1, count)
    [step] = parallel_steps(prior, labels, uniforms, noise=3.0)
    marginal = prior(torch.full((1, SIZE), -1), labels[:1]).softmax(dim=-1)[0]  # (N, V)
    for place in range(SIZE):
        rows = marginal[place].expand(count, -1)
        alone = draw_by_uniforms(rows.float(), uniforms[:, 0, 0, place])
        assert (alone == step.tokens[:, place]).float().mean() > 0.999  # float32 at a border
        share = step.tokens[:, place].bincount(minlength=7) / count
        # Of 4000 draws 5 standard deviations are at most 0.04.
        torch.testing.assert_close(share.double(), marginal[place], rtol=0, atol=0.04)
    expected = marginal.expand(count, -1, -1).gather(-1, step.tokens[..., None]).squeeze(-1)
    torch.testing.assert_close(step.confidence.double(), expected, rtol=1e-4, atol=1e-6)
    pairs = (step.tokens[:, 0] * 7 + step.tokens[:, 5]).bincount(minlength=49) / count
    product = (marginal[0][:, None] * marginal[5]).flatten()
    torch.testing.assert_close(pairs.double(), product, rtol=0, atol=0.04)


@given(steps=st.integers(1, 8), noise=st.floats(0, 5), guidance=st.sampled_from([1.0, 2.0]))
def test_masks_only_shrink_and_what_is_kept_stays(prior, steps, noise, guidance):
    made = list(parallel_steps(prior, LABELS, numbers(steps), noise=noise, guidance=guidance))
    assert len(made) == min(steps, SIZE)
    before = torch.full((4, SIZE), -1)
    for step, left in zip(made, masked_after(SIZE, steps), strict=True):
        assert ((step.tokens < 0).sum(dim=1) == left).all()
        kept = before >= 0
        assert torch.equal(step.tokens[kept], before[kept])
        assert torch.equal(step.tokens[step.tokens >= 0], step.proposals[step.tokens >= 0])
        assert (step.proposals >= 0).all()
        assert ((step.confidence > 0) & (step.confidence <= 1)).all()
        before = step.tokens
    assert (before >= 0).all()
    assert (before < 7).all()


@torch.no_grad()
def test_each_step_keeps_the_surest_of_what_the_model_says_then(prior):
    before = torch.full((4, SIZE), -1)
    for step, made in enumerate(parallel_steps(prior, LABELS, numbers(3))):
        chances = prior(before, LABELS).softmax(dim=-1)
        masked = before < 0
        drawn = draw_by_uniforms(
            chances.float().flatten(0, 1), numbers(3)[:, step, 0].flatten()
        ).view(4, SIZE)
        assert torch.equal(made.proposals[masked], drawn[masked])
        sure = chances.gather(-1, made.proposals[..., None]).squeeze(-1)
        torch.testing.assert_close(made.confidence[masked].double(), sure[masked])
        kept, again = masked & (made.tokens >= 0), made.tokens < 0
        for row in range(4):
            if again[row].any():
                assert sure[row][kept[row]].min() >= sure[row][again[row]].max()
        before = made.tokens


def test_ranks_decide_the_order(prior):
    ranks = fixed_ranks("spiral", 2, 3)
    for step, made in enumerate(parallel_steps(prior, LABELS, numbers(SIZE), ranks=ranks)):
        assert torch.equal(made.tokens >= 0, (ranks <= step).expand(4, -1))
    own = torch.stack([ranks, ranks.flip(0), ranks, ranks])
    first = next(parallel_steps(prior, LABELS, numbers(SIZE), ranks=own))
    assert torch.equal(first.tokens >= 0, own == 0)


@torch.no_grad()
def test_one_at_a_time_draws_from_the_chain_of_conditionals(prior):
    ranks, before = torch.arange(SIZE), torch.full((4, SIZE), -1)
    for place, made in enumerate(parallel_steps(prior, LABELS, numbers(SIZE), ranks=ranks)):
        chances = prior(before, LABELS)[:, place].softmax(dim=-1)
        drawn = draw_by_uniforms(chances.float(), numbers(SIZE)[:, place, 0, place])
        assert torch.equal(made.tokens[:, place], drawn)
        before = made.tokens


def test_noise_changes_the_order_and_not_what_is_proposed_first(prior):
    quiet = list(parallel_steps(prior, LABELS, numbers(4)))
    loud = list(parallel_steps(prior, LABELS, numbers(4), noise=20.0))
    assert torch.equal(quiet[0].proposals, loud[0].proposals)
    assert not torch.equal(quiet[0].tokens < 0, loud[0].tokens < 0)


@torch.no_grad()
def test_guidance_goes_away_from_what_any_class_says(prior):
    masked = torch.full((4, SIZE), -1)
    conditional = prior(masked, LABELS)
    unconditional = prior(masked, torch.full_like(LABELS, 4))
    logits = unconditional + 2.5 * (conditional - unconditional)
    first = next(parallel_steps(prior, LABELS, numbers(2), guidance=2.5))
    sure = logits.softmax(dim=-1).gather(-1, first.proposals[..., None]).squeeze(-1)
    torch.testing.assert_close(first.confidence.double(), sure, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("guidance", [1.0, 2.0])
def test_a_picture_does_not_depend_on_the_others_of_its_batch(prior, guidance):
    *_, together = parallel_steps(prior, LABELS, numbers(4), noise=1.0, guidance=guidance)
    for row in range(4):
        part = slice(row, row + 1)
        *_, alone = parallel_steps(
            prior, LABELS[part], numbers(4)[part], noise=1.0, guidance=guidance
        )
        assert torch.equal(together.tokens[part], alone.tokens)


def test_given_tokens_stay_and_the_others_are_drawn(prior):
    known = torch.full((4, SIZE), -1)
    known[:, [0, 3, 5]] = torch.tensor([6, 0, 2])
    made = list(parallel_steps(prior, LABELS, numbers(8), known=known))
    assert len(made) == 3
    for step in made:
        assert (step.tokens[:, [0, 3, 5]] == torch.tensor([6, 0, 2])).all()
        assert (step.confidence[:, [0, 3, 5]] == 1).all()
    assert (made[-1].tokens >= 0).all()
    [whole] = parallel_steps(prior, LABELS, numbers(8), known=made[-1].tokens)
    assert torch.equal(whole.tokens, made[-1].tokens)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"uniforms": torch.rand(4, 3, SIZE)}, "uniforms must be"),
        ({"uniforms": torch.rand(4, 3, 1, SIZE)}, "uniforms must be"),
        ({"uniforms": torch.rand(3, 3, 2, SIZE)}, "uniforms must be"),
        ({"known": torch.zeros(4, 5, dtype=int)}, "known must be"),
        ({"known": torch.eye(4, SIZE).long() * torch.tensor([[1], [1], [-1], [-1]])}, "as many"),
        ({"guidance": math.nan}, "guidance must be"),
        ({"noise": math.inf}, "noise must be"),
        ({"temperature": -1}, "temperature must be"),
    ],
)
def test_bad_arguments_are_refused(prior, changes, reason):
    with pytest.raises(ValueError, match=reason):
        list(parallel_steps(prior, **{"labels": LABELS, "uniforms": numbers(3)} | changes))
