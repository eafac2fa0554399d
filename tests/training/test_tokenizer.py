import math

import numpy as np
import pytest
import torch

from genimg import checkpoints
from genimg.models.tokenizer import FsqTokenizer, FsqTokenizerConfig, vocabulary_use
from genimg.training.loop import Trainer
from genimg.training.publishing import publish, read_run
from genimg.training.task import Diverged
from genimg.training.tokenizer import TokenizerTask, TokenizerTrainingConfig

STEPS = 60
# Within the margins of the hinge loss, real and fake pull the very last bias equally: it rests.
RESTING = "body.6.bias"


def make_task(**changes) -> TokenizerTask:
    torch.manual_seed(0)
    model = FsqTokenizer(FsqTokenizerConfig(size=16, widths=(8, 8, 8), levels=(4, 3)))
    config = TokenizerTrainingConfig(**{"discriminator_width": 8} | changes)
    return TokenizerTask(model, config, torch.device("cpu"), "fp32")


def pictures(count: int = 8, seed: int = 0) -> torch.Tensor:
    """Bright rectangles on black, float (count, 1, 16, 16)."""
    random = np.random.default_rng(seed)
    images = torch.full((count, 1, 16, 16), -1.0)
    for image in images:
        top, left, height, width = random.integers(2, 8, 4)
        image[:, top : top + height, left : left + width] = float(random.uniform(0.2, 1))
    return images


def train(task, steps=STEPS, first=0) -> list[dict[str, float]]:
    reports = []
    for step in range(first, first + steps):
        torch.manual_seed(step)
        images = pictures(seed=step)
        seen, progress = 8 * (step + 1), (step + 1) / STEPS
        labels = torch.zeros(8, dtype=torch.long)
        reports.append(task.step(images, labels, step=step, images_seen=seen, progress=progress))
    return reports


@pytest.mark.parametrize("adversarial", [0.0, 0.05])
def test_the_error_falls(adversarial):
    task = make_task(adversarial=adversarial, learning_rate=3e-3)
    reports = train(task)
    assert reports[-1]["absolute_error"] < 0.5 * reports[0]["absolute_error"]
    with torch.no_grad():
        shown = task.average(pictures(seed=999))[0]
    assert (shown - pictures(seed=999)).abs().mean() < 0.5 * reports[0]["absolute_error"]


def test_the_discriminator_joins_when_it_should():
    task = make_task(adversarial_start=0.5)
    before = {k: v.clone() for k, v in task.model.discriminator.state_dict().items()}
    early, late = train(task, STEPS // 2), train(task, STEPS // 2, first=STEPS // 2)
    assert all("discriminator_loss" not in report for report in early)
    assert all("discriminator_loss" in report for report in late)
    after = task.model.discriminator.state_dict()
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    # The vector of the power iteration rests too where a layer has one output: it is 1 or -1.
    assert moved >= set(before) - {RESTING, "body.6.parametrizations.weight.0._u"}


def test_without_the_adversarial_term_the_discriminator_never_changes():
    task = make_task(adversarial=0.0, adversarial_start=0.0)
    before = {k: v.clone() for k, v in task.model.discriminator.state_dict().items()}
    assert all("discriminator_loss" not in report for report in train(task, 3))
    after = task.model.discriminator.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_the_adversarial_term_changes_what_the_tokenizer_learns():
    tasks = [make_task(adversarial=weight, adversarial_start=0.0) for weight in (0.0, 0.5)]
    for task in tasks:
        train(task, 2)
    plain, adversarial = (task.model.tokenizer.state_dict() for task in tasks)
    assert any(not torch.equal(plain[name], adversarial[name]) for name in plain)


def test_gradient_reaches_everything_that_is_trained():
    task = make_task(adversarial_start=0.0)
    train(task, 2)  # the residual blocks start as the identity, which hides their first layers
    for name, parameter in task.model.named_parameters():
        assert parameter.requires_grad, name
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0 or name.endswith(RESTING), name


def test_the_decoder_alone_learns_and_every_picture_keeps_its_tokens():
    task = make_task(trained="decoder", adversarial_start=0.0)
    before = {k: v.clone() for k, v in task.model.tokenizer.state_dict().items()}
    reports = train(task)
    assert reports[-1]["absolute_error"] < reports[0]["absolute_error"]
    for made in (task.model.tokenizer, task.published()):
        moved = {k for k, v in made.state_dict().items() if not torch.equal(v, before[k])}
        assert moved
        assert all(name.startswith("decoder.") for name in moved)


def test_recent_use_agrees_with_a_count():
    task = make_task()
    counts = torch.zeros(12, dtype=torch.float64)
    for step in range(3):
        tokens = task.model.tokenizer.encode(pictures(seed=step))
        report = train(task, 1, first=step)[0]
        counts = counts * 0.5 ** (8 / 20_000) + torch.bincount(tokens.flatten(), minlength=12)
    torch.testing.assert_close(task.model.recent_use.double(), counts, rtol=1e-5, atol=0)
    share = counts[counts > 0] / counts.sum()
    expected = math.exp(-(share * share.log()).sum())
    assert report["perplexity"] == pytest.approx(expected, rel=1e-5)
    assert report["codes_used"] == (counts >= 0.5).sum()


def test_one_batch_has_the_use_of_its_tokens():
    task = make_task()
    usage = vocabulary_use(task.model.tokenizer.encode(pictures()), 12)
    report = train(task, 1)[0]
    assert report["codes_used"] == usage.used
    assert report["perplexity"] == pytest.approx(usage.perplexity, rel=1e-5)


def test_a_broken_batch_changes_nothing():
    task = make_task(adversarial_start=0.0)
    train(task, 2)
    before = {k: v.clone() for k, v in task.model.tokenizer.state_dict().items()}
    images = pictures().masked_fill(torch.rand(8, 1, 16, 16) < 0.1, float("nan"))
    with pytest.raises(Diverged):
        task.step(images, torch.zeros(8), step=2, images_seen=24, progress=0.5)
    after = task.model.tokenizer.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert all(p.requires_grad for p in task.model.parameters())


def test_the_sheet_has_each_picture_above_its_reconstruction():
    task = make_task()
    task.examples = pictures(20)
    sheet = task.sheet(0)
    assert sheet.shape == (40, 16, 16, 1)
    assert sheet.dtype == np.uint8
    levels = ((task.examples + 1) * 127.5).round().numpy()[:, 0]
    np.testing.assert_array_equal(sheet[:10, ..., 0], levels[:10])
    np.testing.assert_array_equal(sheet[20:30, ..., 0], levels[10:])
    expected = task.average(task.examples)[0][10:]
    levels = ((expected + 1) * 127.5).round().numpy()[:, 0]
    np.testing.assert_array_equal(sheet[30:, ..., 0], levels)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_killed_run_ends_bitwise_like_one_that_was_not(make_run, dataset, ends_alike, precision):
    changes = {"adversarial_start": 0.4, "precision": precision}
    ends_alike(
        lambda name, **more: make_run(name, "fashion-tokenizer", **changes, **more),
        dataset,
        (14, 4),
    )


def test_a_published_tokenizer_is_the_averaged_one_alone(make_run, dataset, tmp_path):
    run = make_run(preset="fashion-tokenizer")
    trainer = Trainer(run, run.new_attempt(), dataset)
    trainer.run()
    preview = np.zeros((1, 32, 32, 1), np.uint8)
    publish(run.path, tmp_path / "mine", title="mine", preview=preview)
    checkpoint = checkpoints.read(tmp_path / "mine")
    assert checkpoint.kind == "fsq-tokenizer"
    assert checkpoint.class_names() == ()
    assert not any("discriminator" in name for name in checkpoint.model.state_dict())
    average = trainer.task.average.state_dict()
    for name, value in checkpoint.model.state_dict().items():
        torch.testing.assert_close(value, average[name], rtol=1e-3, atol=1e-4)
    read = read_run(run.path).model
    images = dataset.images[:4].float() / 127.5 - 1
    torch.testing.assert_close(read(images), trainer.task.average(images), rtol=0, atol=0)
