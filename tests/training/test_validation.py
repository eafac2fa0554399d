import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genimg import checkpoints
from genimg.models.tokenizer import FsqTokenizer, FsqTokenizerConfig
from genimg.training import run_checkpoints
from genimg.training.loop import Trainer
from genimg.training.prior import PriorTask
from genimg.training.publishing import read_run
from genimg.training.validation import MOST_HELD_OUT, BestSoFar, split


@given(seed=st.integers(0, 2**31 - 1), total=st.integers(2, 60_000))
def test_every_picture_is_on_one_side(seed, total):
    training, held_out = split(seed, total)
    assert torch.equal(torch.cat((training, held_out)).sort().values, torch.arange(total))
    assert len(held_out) == min(max(1, total // 20), MOST_HELD_OUT)
    assert all(map(torch.equal, split(seed, total), (training, held_out)))


def test_seeds_hold_out_other_pictures():
    assert not torch.equal(split(0, 1000)[1], split(1, 1000)[1])


def test_one_picture_cannot_be_divided():
    with pytest.raises(ValueError, match="give at least 2"):
        split(0, 1)


@given(st.lists(st.sampled_from((1.0, 2.0, 3.0, float("nan"))), min_size=1))
def test_the_best_is_the_first_of_the_lowest(losses):
    best, numbers = BestSoFar(), [loss for loss in losses if loss == loss]
    for step, loss in enumerate(losses):
        assert best.note(step, loss) == (best.waited == 0)
    if numbers:
        assert best.best_loss == min(numbers)
        assert best.best == losses.index(min(numbers))
        assert best.waited == len(losses) - 1 - best.best
    else:
        assert best == BestSoFar(waited=len(losses))


@pytest.fixture
def make_gpt_run(make_run, tmp_path):
    torch.manual_seed(5)
    model = FsqTokenizer(FsqTokenizerConfig(widths=(8, 8, 8), levels=(4, 3)))
    tokenizer = checkpoints.write(
        tmp_path / "tokenizer", kind="fsq-tokenizer", model=model, card={}, preview=b"none"
    )

    def make(name="run", **changes):
        return make_run(name, "fashion-gpt", **{"tokenizer": str(tokenizer)} | changes)

    return make


@pytest.fixture
def losses(monkeypatch):
    """Replace what validations measure by a list of this test."""

    def use(values):
        remaining = iter(values)
        monkeypatch.setattr(PriorTask, "validate", lambda *_: next(remaining))

    return use


def validations(run) -> dict[int, float]:
    lines = run.read_metrics()
    return {
        line["images_seen"]: line["validation_loss"] for line in lines if "validation_loss" in line
    }


def test_a_run_ends_when_it_stops_improving_and_the_best_is_kept(make_gpt_run, dataset, losses):
    run = make_gpt_run(patience=2, checkpoint_seconds=0.05)
    losses([3.0, 2.0, 2.5, 2.0, 1.0])  # the third and the fourth are no better than the second
    trainer = Trainer(run, run.new_attempt(), dataset)
    assert trainer.run() == "succeeded"
    assert validations(run) == {40: 3.0, 80: 2.0, 120: 2.5, 160: 2.0}
    assert trainer.images_seen == 160
    steps = sorted(path.name for path in run.checkpoints.iterdir())
    assert "step-00000010" in steps
    assert "step-00000020" in steps

    checkpoint = read_run(run.path)
    best, _ = run_checkpoints.load(run.checkpoints / "step-00000010")
    got = checkpoint.model.prior.state_dict()
    assert all(torch.equal(got[name], best["ema"][name]) for name in got)
    assert checkpoint.card["images_seen"] == 80
    assert checkpoint.card["validation_loss"] == 2.0

    # Asking again does not train on.
    assert Trainer(run, run.new_attempt(), dataset).run() == "succeeded"
    assert validations(run) == {40: 3.0, 80: 2.0, 120: 2.5, 160: 2.0}


def test_patience_0_goes_to_the_end(make_gpt_run, dataset, losses):
    run = make_gpt_run(patience=0)
    losses([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    Trainer(run, run.new_attempt(), dataset).run()
    assert list(validations(run)) == [40, 80, 120, 160, 200, 240]
    assert read_run(run.path).card["images_seen"] == 40


def test_a_lost_best_is_replaced_by_the_newest(make_gpt_run, dataset, losses):
    run = make_gpt_run(patience=0)
    losses([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    Trainer(run, run.new_attempt(), dataset).run()
    (run.checkpoints / "step-00000005" / "ema.safetensors").unlink()
    assert read_run(run.path).card["images_seen"] == 240


def test_held_out_pictures_are_never_trained_on(make_gpt_run, dataset, monkeypatch):
    run, shown, checked = make_gpt_run(patience=0), [], []
    step, validate = PriorTask.step, PriorTask.validate

    def watch_step(self, images, labels, **more):
        shown.append(images.clone())
        return step(self, images, labels, **more)

    def watch_validate(self, images, labels):
        checked.append(images.clone())
        return validate(self, images, labels)

    monkeypatch.setattr(PriorTask, "step", watch_step)
    monkeypatch.setattr(PriorTask, "validate", watch_validate)
    trainer = Trainer(run, run.new_attempt(), dataset)
    trainer.run()
    held_out = {picture.numpy().tobytes() for images in checked for picture in images}
    trained = {picture.numpy().tobytes() for images in shown for picture in images}
    assert (len(held_out), len(trained)) == (3, 61)
    assert not held_out & trained


def test_an_early_end_survives_kills_bitwise(make_gpt_run, dataset, ends_alike, monkeypatch):
    # The averaged model gets worse for this measure from the start, so the first is the best.
    monkeypatch.setattr(
        PriorTask, "validate", lambda self, *_: float(self.average.head.weight.abs().sum())
    )
    ends_alike(lambda name, **more: make_gpt_run(name, patience=2, **more), dataset, (3, 6))


def test_without_validations_all_pictures_are_trained_on(make_run, dataset):
    run = make_run(preset="fashion-mlp")
    trainer = Trainer(run, run.new_attempt(), dataset)
    assert torch.equal(trainer.training, torch.arange(64))
    trainer.run()
    assert validations(run) == {}
    assert "validation_loss" not in read_run(run.path).card


@pytest.mark.parametrize("preset", ["fashion-mlp", "fashion-features", "fashion-tokenizer"])
def test_validations_are_refused_where_nothing_validates(make_run, dataset, preset):
    run = make_run(preset=preset, validations=3)
    with pytest.raises(ValueError, match="does not validate; set validations to 0"):
        Trainer(run, run.new_attempt(), dataset)
