import math
from dataclasses import replace

import pytest
import torch

from genimg.data.attributes import take
from genimg.metrics.attributes import read_outputs
from genimg.models.attribute_classifier import AttributeClassifierConfig, AttributeHead
from genimg.training.attributes import AttributeTask, attribute_loss
from genimg.training.batches import batch_tensors
from genimg.training.building import build_task
from genimg.training.learner import Learner
from genimg.training.loop import Trainer
from genimg.training.planning import resolve

CPU = torch.device("cpu")
PRESET = "portraits-features"


def targets_of(spec, dataset):
    return AttributeTask.targets(spec.model, dataset)


def test_targets_are_the_attributes_in_the_order_of_the_configuration(small_spec, drawn):
    spec = small_spec(PRESET, attributes=("hue: cyclic", "shape: round, square"))
    targets = targets_of(spec, drawn)
    assert targets.dtype == torch.float32
    assert torch.equal(targets[:, 0], drawn.attributes["hue"].data)
    assert torch.equal(targets[:, 1], drawn.attributes["shape"].data.float())


@pytest.mark.parametrize(
    "attribute", ["colour: red, blue", "shape: square, round", "size: cyclic", "hue: number"]
)
def test_data_without_such_an_attribute_are_refused_before_anything_is_trained(
    small_spec, drawn, attribute
):
    with pytest.raises(ValueError, match=r"choose a data set with that attribute") as error:
        resolve(small_spec(PRESET, attributes=(attribute,)), drawn)
    assert attribute in str(error.value)
    assert "hue: cyclic" in str(error.value)


def test_pictures_without_attributes_are_refused(small_spec, dataset):
    with pytest.raises(ValueError, match=r"attributes of fashion-mnist are none"):
        resolve(small_spec(PRESET, channels=1), dataset)


def test_the_loss_is_the_mean_over_attributes_in_float64():
    heads = (AttributeHead("a", ("x", "y", "z")), AttributeHead("b"), AttributeHead("c", (), True))
    outputs = torch.randn(5, 7, dtype=torch.float64)
    targets = torch.tensor([[0, 0.1, 0.9], [2, 0.7, 0.2], [1, 0, 0], [1, 1, 0.5], [0, 0.5, 1]])
    total = 0.0
    for row, (name, number, hue) in zip(outputs.tolist(), targets.double().tolist(), strict=True):
        logits = row[:3]
        entropy = math.log(sum(math.exp(logit) for logit in logits)) - logits[int(name)]
        total += entropy / math.log(3)
        for (x, y), angle in ((row[3:5], math.pi * number), (row[5:], 2 * math.pi * hue)):
            total += (x - math.cos(angle)) ** 2 + (y - math.sin(angle)) ** 2
    found = attribute_loss(outputs, targets.double(), heads)
    assert found.item() == pytest.approx(total / 3 / 5, rel=1e-6)


def test_who_knows_nothing_has_a_loss_of_one_and_who_knows_all_of_none():
    heads = AttributeClassifierConfig().heads()
    targets = torch.tensor([[0, 0.3, 0.8], [1, 0.9, 0.1]])
    assert attribute_loss(torch.zeros(2, 6), targets, heads) == pytest.approx(1)
    angles = 2 * math.pi * targets[:, 1:] * torch.tensor([0.5, 1.0])
    points = torch.stack([angles.cos(), angles.sin()], dim=2).flatten(1)
    sure = 100 * torch.eye(2)[targets[:, 0].long()]
    assert attribute_loss(torch.cat([sure, points], 1), targets, heads) == pytest.approx(
        0, abs=1e-6
    )


def test_names_numbers_and_hues_are_learnt(small_spec, drawn):
    spec = small_spec(PRESET, widths=(16, 24, 32), average_half_life=200, learning_rate=3e-3)
    task, targets = build_task(spec, CPU, "fp32"), targets_of(spec, drawn)
    for step in range(150):
        chosen = (torch.arange(32) + 32 * step) % 200
        images, labels = batch_tensors(drawn, targets, chosen, CPU)
        task.step(images, labels, step=step, images_seen=32 * (step + 1), progress=step / 150)
    held_out = torch.arange(200, 256)
    images, labels = batch_tensors(drawn, targets, held_out, CPU)
    found = read_outputs(task.published()(images).numpy(), spec.model.heads())
    shape, size, hue = labels.T.numpy()
    assert (found["shape"].values == shape).mean() > 0.95
    assert abs(found["size"].values - size).mean() < 0.08
    difference = abs(found["hue"].values - hue)
    assert torch.tensor(difference).minimum(torch.tensor(1 - difference)).mean() < 0.08


def test_a_killed_run_ends_bitwise_like_one_that_was_not(make_run, drawn, ends_alike):
    ends_alike(lambda name, **more: make_run(name, PRESET, **more), drawn, (5, 14, 4))


def test_every_step_gets_the_attributes_of_its_pictures(make_run, drawn, monkeypatch):
    seen = []

    def step(self, images, labels, **progress):
        seen.append((images, labels))
        return {"attribute_loss": 0.0}

    monkeypatch.setattr(AttributeTask, "step", step)
    run = make_run("run", PRESET, images=512)
    Trainer(run, run.new_attempt(), drawn).run()
    rows = {image.numpy().tobytes(): row for row, image in enumerate(drawn.images)}
    wanted = targets_of(run.read_spec(), drawn)
    for images, labels in seen:
        for image, label in zip(images, labels, strict=True):
            pixels = ((image + 1) * 127.5).round().to(torch.uint8).contiguous()
            assert torch.equal(label, wanted[rows[pixels.numpy().tobytes()]])
    assert len(seen) == 64


def test_other_tasks_still_learn_labels(make_run, dataset):
    run = make_run("run", "fashion-features")
    trainer = Trainer(run, run.new_attempt(), dataset)
    assert isinstance(trainer, Learner)
    assert trainer.targets is dataset.labels


def test_a_part_of_the_pictures_keeps_its_attributes(small_spec, drawn):
    rows = torch.tensor([7, 3])
    part = replace(drawn, images=drawn.images[rows], attributes=take(drawn.attributes, rows))
    spec = small_spec(PRESET)
    assert torch.equal(targets_of(spec, part), targets_of(spec, drawn)[rows])


def test_a_classifier_draws_no_sheet(small_spec):
    assert len(build_task(small_spec(PRESET), CPU, "fp32").sheet(0)) == 0
