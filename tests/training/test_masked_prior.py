import math

import numpy as np
import pytest
import torch

from genimg import checkpoints
from genimg.models.drawer import MaskedDrawer, MaskedDrawerConfig
from genimg.models.tokenizer import FsqTokenizer, FsqTokenizerConfig
from genimg.training.distributed import Group
from genimg.training.loop import Trainer
from genimg.training.masked_prior import MaskedPriorTask
from genimg.training.prior import PriorTrainingConfig
from genimg.training.publishing import publish

TOKENIZER = {"widths": (8, 8, 8), "levels": (4, 3)}
STEPS = 60


@pytest.fixture
def make_masked_run(make_run, tmp_path):
    torch.manual_seed(5)
    folder = checkpoints.write(
        tmp_path / "tokenizer",
        kind="fsq-tokenizer",
        model=FsqTokenizer(FsqTokenizerConfig(**TOKENIZER)),
        card={"title": "a tokenizer"},
        preview=b"none",
    )

    def make(name="run", **changes):
        return make_run(name, "fashion-maskgit", **{"tokenizer": str(folder)} | changes)

    return make


def make_task(**changes) -> MaskedPriorTask:
    torch.manual_seed(0)
    config = MaskedDrawerConfig(**TOKENIZER, size=16, width=16, layers=1, heads=2)
    training = PriorTrainingConfig(**changes)
    return MaskedPriorTask(MaskedDrawer(config), training, torch.device("cpu"), "fp32")


def batch(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Pictures as bright as their class says, with a little noise."""
    random = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 10, (16,), generator=random)
    noise = 0.1 * torch.randn(16, 1, 16, 16, generator=random)
    return (labels[:, None, None, None] / 5 - 1 + noise).clamp(-1, 1), labels


def train(task, steps=STEPS) -> list[dict[str, float]]:
    reports = []
    for step in range(steps):
        torch.manual_seed(step)
        images, labels = batch(step)
        seen, progress = 16 * (step + 1), (step + 1) / STEPS
        reports.append(task.step(images, labels, step=step, images_seen=seen, progress=progress))
    return reports


def test_the_loss_starts_at_that_of_guessing_and_falls():
    task = make_task(learning_rate=1e-2, average_half_life=50)
    at_first = task.validate(*batch(999))
    reports = train(task)
    assert reports[0]["loss"] == pytest.approx(math.log(12), abs=1e-5)
    assert at_first == pytest.approx(math.log(12), abs=1e-5)
    assert reports[-1]["loss"] < 0.6 * reports[0]["loss"]
    assert task.validate(*batch(999)) < 0.6 * at_first


def test_what_the_prior_is_given_is_masked_by_a_cosine(monkeypatch):
    task, given = make_task(), []
    original = task.model.prior.forward

    def watch(tokens, labels):
        given.append(tokens)
        return original(tokens, labels)

    monkeypatch.setattr(task.model.prior, "forward", watch)
    train(task, 40)
    tokens = torch.cat(given)
    masked = (tokens < 0).float()
    assert masked.any(dim=1).all()
    # The mean of cos(u pi / 2) is 2 / pi, and rounding up adds half a token of 16. The deviation
    # of a share is 0.31: 5 standard deviations of 640 are 0.06.
    assert masked.mean().item() == pytest.approx(2 / math.pi + 0.5 / 16, abs=0.06)
    true = torch.cat([task.model.tokenizer.encode(batch(step)[0]) for step in range(40)])
    assert torch.equal(tokens[tokens >= 0], true[tokens >= 0])


def test_the_loss_is_of_the_masked_tokens_alone():
    task = make_task(label_dropout=0)
    train(task, 5)
    images, labels = batch()
    tokens = task.model.tokenizer.encode(images)
    torch.manual_seed(3)
    torch.rand(1)
    loss = task._loss(task.average, tokens, labels, 16)
    torch.manual_seed(3)
    torch.rand(1)
    counts = (torch.cos(torch.rand(16) * math.pi / 2) * 16).ceil()
    masked = torch.rand(16, 16).argsort(dim=1).argsort(dim=1) < counts[:, None]
    with torch.no_grad():
        chances = task.average(tokens.masked_fill(masked, -1), labels).softmax(dim=-1)
    right = chances.gather(-1, tokens[..., None]).squeeze(-1)[masked]
    torch.testing.assert_close(loss, -right.log().mean())


def test_validation_is_the_same_every_time_and_of_the_average():
    task = make_task()
    train(task, 5)
    first = task.validate(*batch())
    torch.manual_seed(77)
    assert task.validate(*batch()) == first
    with torch.no_grad():
        task.average.head.weight.zero_()
    assert task.validate(*batch()) == pytest.approx(math.log(12), abs=1e-5)


class Share(Group):
    """One of two processes, as far as the loss sees it."""

    size = 2

    def __init__(self, rank: int) -> None:
        self.rank = rank

    def share(self, batch: torch.Tensor) -> torch.Tensor:
        return batch.chunk(2)[self.rank]


def test_the_mean_of_two_processes_losses_is_that_of_the_batch():
    task = make_task()
    train(task, 3)
    images, labels = batch()
    tokens = task.model.tokenizer.encode(images)

    def loss(group: Group) -> torch.Tensor:
        task.group = group
        torch.manual_seed(9)
        return task._loss(task.average, group.share(tokens), group.share(labels), 16)

    mean = (loss(Share(0)) + loss(Share(1))) / 2
    torch.testing.assert_close(mean, loss(Group()))


def test_the_sheet_is_always_drawn_by_the_same_numbers():
    task = make_task()
    train(task, 3)
    first = task.sheet(3)
    assert first.shape == (40, 16, 16, 1)
    np.testing.assert_array_equal(first, task.sheet(3))
    assert (first != task.sheet(4)).any()


def test_a_killed_run_ends_bitwise_like_one_that_was_not(make_masked_run, dataset, ends_alike):
    ends_alike(lambda name, **more: make_masked_run(name, dropout=0.1, **more), dataset, (5, 14, 4))


def test_a_published_maskgit_round_trips_with_its_tokenizer(make_masked_run, dataset, tmp_path):
    run = make_masked_run(patience=0, validations=0)
    trainer = Trainer(run, run.new_attempt(), dataset)
    trainer.run()
    preview = np.zeros((1, 32, 32, 1), np.uint8)
    publish(run.path, tmp_path / "mine", title="mine", preview=preview)
    checkpoint = checkpoints.read(tmp_path / "mine")
    assert (checkpoint.kind, checkpoint.config) == ("maskgit", trainer.spec.model)
    wanted = trainer.task.published().state_dict()
    got = checkpoint.model.state_dict()
    assert set(got) == set(wanted)
    for name in wanted:
        torch.testing.assert_close(got[name], wanted[name], rtol=1e-3, atol=1e-4)
