import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from genimg import checkpoints
from genimg.checkpoints import CheckpointError
from genimg.data import Dataset
from genimg.models.classifier import Classifier, ClassifierConfig
from genimg.models.drawer import Drawer, DrawerConfig, PixelDrawerConfig
from genimg.models.tokenizer import FsqTokenizer, FsqTokenizerConfig
from genimg.training.loop import Trainer
from genimg.training.prior import (
    NextTokenTask,
    NextTokenTrainingConfig,
    PriorTask,
    PriorTrainingConfig,
)
from genimg.training.publishing import find_tokenizer, publish, read_run
from genimg.training.requesting import request_run

TOKENIZER = {"widths": (8, 8, 8), "levels": (4, 3)}
STEPS = 60


def write_tokenizer(folder, kind="fsq-tokenizer", model=None) -> str:
    if model is None:
        torch.manual_seed(5)
        model = FsqTokenizer(FsqTokenizerConfig(**TOKENIZER))
    card = {"title": "a tokenizer"}
    return str(checkpoints.write(folder, kind=kind, model=model, card=card, preview=b"none"))


@pytest.fixture
def tokenizer(tmp_path) -> str:
    return write_tokenizer(tmp_path / "tokenizer")


@pytest.fixture
def make_prior_run(make_run, tokenizer):
    def make(name="run", **changes):
        return make_run(name, "fashion-gpt", **{"tokenizer": tokenizer} | changes)

    return make


def make_task(**changes) -> PriorTask:
    torch.manual_seed(0)
    config = DrawerConfig(**TOKENIZER, size=16, width=16, layers=1, heads=2)
    return PriorTask(Drawer(config), PriorTrainingConfig(**changes), torch.device("cpu"), "fp32")


@pytest.fixture
def small_pictures(dataset) -> Dataset:
    """Those of `dataset` at 28 pixels, at which they are read one by one."""
    return replace(dataset, images=dataset.images[:, :, 2:30, 2:30].contiguous())


def batch(seed: int = 0, size: int = 16) -> tuple[torch.Tensor, torch.Tensor]:
    """Pictures as bright as their class says, with a little noise."""
    random = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 10, (16,), generator=random)
    noise = 0.1 * torch.randn(16, 1, size, size, generator=random)
    return (labels[:, None, None, None] / 5 - 1 + noise).clamp(-1, 1), labels


def train(task, steps=STEPS, pictures=batch) -> list[dict[str, float]]:
    reports = []
    for step in range(steps):
        torch.manual_seed(step)
        images, labels = pictures(step)
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


def test_validation_is_the_mean_negative_log_likelihood_of_the_average():
    task = make_task()
    train(task, 5)
    images, labels = batch()
    tokens = task.model.tokenizer.encode(images)
    with torch.no_grad():
        logits = task.average.double()(tokens[:, :-1], labels)
    probabilities = logits.softmax(dim=-1).gather(-1, tokens[..., None])
    expected = -probabilities.log().mean()
    task.average.float()
    assert task.validate(images, labels) == pytest.approx(float(expected), rel=1e-5)


def test_gradient_reaches_the_prior_and_only_the_prior():
    task = make_task(label_dropout=0.5)
    frozen = {k: v.clone() for k, v in task.model.tokenizer.state_dict().items()}
    train(task, 2)  # the head starts at zero, which hides everything before it
    for name, parameter in task.model.prior.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name
    for name, parameter in task.model.tokenizer.named_parameters():
        assert not parameter.requires_grad, name
        assert parameter.grad is None, name
    after = task.model.tokenizer.state_dict()
    assert all(torch.equal(frozen[name], after[name]) for name in frozen)


def test_every_trained_parameter_is_in_one_group_and_only_matrices_decay():
    task = make_task(weight_decay=0.05)
    decaying, others = task.optimizers["prior"].param_groups
    assert decaying["weight_decay"] == 0.05
    assert others["weight_decay"] == 0
    assert min(p.dim() for p in decaying["params"]) == 2
    assert max(p.dim() for p in others["params"]) == 1
    grouped = [id(p) for group in (decaying, others) for p in group["params"]]
    assert sorted(grouped) == sorted(id(p) for p in task.model.prior.parameters())


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_that_share_of_labels_is_hidden(share, monkeypatch):
    task, given = make_task(label_dropout=share), []
    original = task.model.prior.forward

    def watch(tokens, labels):
        given.append(labels)
        return original(tokens, labels)

    monkeypatch.setattr(task.model.prior, "forward", watch)
    train(task, 40)
    true = torch.cat([batch(step)[1] for step in range(40)])
    given = torch.cat(given)
    hidden = given == task.model.prior.unconditional
    assert torch.equal(given[~hidden], true[~hidden])
    # 640 labels: 5 standard deviations are 0.09 at a share of 0.3.
    assert float(hidden.float().mean()) == pytest.approx(share, abs=0.09 if share % 1 else 0)


def test_a_long_gradient_is_shortened():
    task = make_task(clip=1e-3)
    report = train(task, 1)[0]
    parameters = list(task.model.prior.parameters())
    after = torch.stack([p.grad.norm() for p in parameters if p.grad is not None]).norm()
    assert report["gradient"] > 1e-2
    assert float(after) == pytest.approx(1e-3, rel=1e-3)


def test_the_sheet_is_always_drawn_by_the_same_numbers():
    task = make_task()
    first = task.sheet(3)
    assert first.shape == (40, 16, 16, 1)
    assert first.dtype == np.uint8
    np.testing.assert_array_equal(first, task.sheet(3))
    assert (first != task.sheet(4)).any()


def test_a_fresh_run_takes_the_tokenizer_and_a_resumed_one_has_it(make_prior_run, dataset):
    run = make_prior_run()
    trainer = Trainer(run, run.new_attempt(), dataset, should_stop=lambda: True)
    expected = checkpoints.read(trainer.task.config.tokenizer).model.state_dict()
    assert trainer.run() == "paused"
    checkpoints.find(trainer.task.config.tokenizer).joinpath("model.safetensors").unlink()
    resumed = Trainer(run, run.new_attempt(), dataset)
    got = resumed.task.model.tokenizer.state_dict()
    assert all(torch.equal(got[name], expected[name]) for name in expected)
    published = read_run(run.path).model.tokenizer.state_dict()
    assert all(torch.equal(published[name], expected[name]) for name in expected)


def test_a_killed_run_ends_bitwise_like_one_that_was_not(make_prior_run, dataset, ends_alike):
    ends_alike(lambda name, **more: make_prior_run(name, dropout=0.1, **more), dataset, (5, 14, 4))


@pytest.mark.parametrize("attention", ["full", "window", "recurrent"])
def test_a_killed_run_over_pixels_ends_bitwise_like_one_that_was_not(
    attention, make_run, small_pictures, ends_alike
):
    shape = {"attention": attention, "window": 9 if attention == "window" else 0}

    def make(name, **more):
        fields = {"segment": 16, "memory": 16, "dropout": 0.1, "images": 96, "sheets": 1}
        return make_run(name, "fashion-pixels", **fields | {"size": 28} | shape | more)

    ends_alike(make, small_pictures, (3, 5))


def test_pixels_need_no_tokenizer_and_learn(small_pictures):
    torch.manual_seed(0)
    config = PixelDrawerConfig(size=8, width=16, layers=1, heads=2, attention="recurrent")
    task = NextTokenTask(
        Drawer(config), NextTokenTrainingConfig(learning_rate=1e-2), torch.device("cpu"), "fp32"
    )
    assert not task.needs_tokenizer
    reports = train(task, pictures=lambda step: batch(step, size=8))
    assert reports[0]["loss"] == pytest.approx(math.log(16), abs=1e-5)
    assert reports[-1]["loss"] < 0.8 * reports[0]["loss"]
    for name, parameter in task.model.prior.named_parameters():
        assert parameter.grad.abs().sum() > 0, name
    with pytest.raises(NotImplementedError):
        task.take_tokenizer(task.model.tokenizer)


def test_a_published_model_of_pixels_round_trips(make_run, small_pictures, tmp_path):
    run = make_run(preset="fashion-pixels", size=28, images=32, validations=0, patience=0)
    trainer = Trainer(run, run.new_attempt(), small_pictures)
    trainer.run()
    preview = np.zeros((1, 28, 28, 1), np.uint8)
    publish(run.path, tmp_path / "mine", title="mine", preview=preview)
    checkpoint = checkpoints.read(tmp_path / "mine")
    assert (checkpoint.kind, checkpoint.config) == ("pixel-gpt", trainer.spec.model)
    with pytest.raises(ValueError, match="of the kind pixel-gpt; an image GPT needs"):
        find_tokenizer(str(tmp_path / "mine"))


def test_a_published_prior_round_trips_with_its_tokenizer(make_prior_run, dataset, tmp_path):
    run = make_prior_run(patience=0, validations=0)
    trainer = Trainer(run, run.new_attempt(), dataset)
    trainer.run()
    preview = np.zeros((1, 32, 32, 1), np.uint8)
    publish(run.path, tmp_path / "mine", title="mine", preview=preview)
    checkpoint = checkpoints.read(tmp_path / "mine")
    assert (checkpoint.kind, checkpoint.config) == ("image-gpt", trainer.spec.model)
    assert len(checkpoint.class_names()) == 10
    wanted = trainer.task.published().state_dict()
    average = trainer.task.average.state_dict()
    assert all(torch.equal(wanted[f"prior.{name}"], average[name]) for name in average)
    got = checkpoint.model.state_dict()
    assert set(got) == set(wanted)
    for name in wanted:
        torch.testing.assert_close(got[name], wanted[name], rtol=1e-3, atol=1e-4)


def test_a_run_of_a_tokenizer_serves_as_well(make_run, dataset):
    run = make_run("first", "fashion-tokenizer", images=16)
    Trainer(run, run.new_attempt(), dataset).run()
    read = find_tokenizer(str(run.path)).state_dict()
    expected = read_run(run.path).model.state_dict()
    assert all(torch.equal(read[name], expected[name]) for name in expected)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"levels": (4, 4)}, r"has levels \(4, 3\), .* with \(4, 4\); set levels to \(4, 3\)"),
        ({"widths": (8, 16, 8)}, r"has widths \(8, 8, 8\), .* with \(8, 16, 8\)"),
    ],
)
def test_an_unfitting_tokenizer_is_refused(make_prior_run, dataset, changes, sentence):
    run = make_prior_run(**changes)
    with pytest.raises(ValueError, match=sentence):
        Trainer(run, run.new_attempt(), dataset)


def test_a_request_takes_its_shape_from_its_tokenizer(tokenizer, tmp_path):
    run = request_run("fashion-gpt", tmp_path / "run", tokenizer=tokenizer, width=24)
    model = run.read_spec().model
    assert (model.size, model.widths, model.levels) == (32, (8, 8, 8), (4, 3))
    assert model.width == 24
    # What is asked for is never overruled.
    with pytest.raises(ValueError, match=r"has levels \(4, 3\), .* with \(4, 4\)"):
        request_run("fashion-gpt", tmp_path / "other", tokenizer=tokenizer, levels=(4, 4))
    assert not (tmp_path / "other").exists()


def test_a_request_without_its_tokenizer_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="there is no checkpoint"):
        request_run("fashion-gpt", tmp_path / "run", tokenizer=str(tmp_path / "nothing"))
    assert not (tmp_path / "run").exists()


def test_what_is_no_fsq_tokenizer_is_refused(tmp_path):
    model = Classifier(ClassifierConfig(widths=(8, 8)))
    name = write_tokenizer(tmp_path / "judge", "classifier", model)
    with pytest.raises(ValueError, match="kind classifier; an image GPT needs an fsq-tokenizer"):
        find_tokenizer(name)


def test_a_missing_tokenizer_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="there is no checkpoint"):
        find_tokenizer(str(tmp_path / "nothing"))


@pytest.mark.parametrize("name", ["x" * 5000, "x/" * 3000, "a\0b", "\ud800"])
def test_impossible_names_are_one_sentence(name):
    with pytest.raises(ValueError, match="there is no checkpoint"):
        find_tokenizer(name)
