import math

import pytest
import torch

from genimg.training.building import build_task
from genimg.training.objectives import OBJECTIVES, Objective
from genimg.training.task import Diverged

CPU = torch.device("cpu")
IMAGES, LABELS = torch.rand(8, 1, 32, 32) * 2 - 1, torch.arange(8) % 10


def step(task, number: int = 0):
    torch.manual_seed(number)
    return task.step(IMAGES.clone(), LABELS, step=number, images_seen=8, progress=0.25)


def weights(module):
    return [parameter.detach().clone() for parameter in module.parameters()]


def moved(before, module) -> bool:
    return any(not torch.equal(a, b) for a, b in zip(before, module.parameters(), strict=True))


@pytest.mark.parametrize("preset", ["fashion-mlp", "fashion-dcgan", "fashion-style"])
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_moves_both_players_and_reports_numbers(small_spec, preset, objective):
    penalties = {
        "wasserstein": {"gradient_penalty": 10.0},
        "relativistic": {"r1": 1.0, "r2": 1.0},
    }.get(objective, {})
    task = build_task(small_spec(preset, objective=objective, **penalties), CPU, "fp32")
    before = weights(task.model.generator), weights(task.model.discriminator)
    report = step(task)
    assert moved(before[0], task.model.generator)
    assert moved(before[1], task.model.discriminator)
    assert all(isinstance(value, float) for value in report.values())
    assert 0 <= report["real_accuracy"] <= 1
    assert report["generator_gradient"] > 0
    assert report["discriminator_gradient"] > 0


def test_the_relativistic_preset_judges_pairs_with_both_penalties(small_spec):
    spec = small_spec("fashion-relativistic")
    assert (spec.task.objective, spec.model.classes) == ("relativistic", 10)
    assert spec.task.r1 == spec.task.r2 > 0
    task = build_task(spec, CPU, "fp32")
    before = weights(task.model.generator), weights(task.model.discriminator)
    report = step(task)
    assert moved(before[0], task.model.generator)
    assert moved(before[1], task.model.discriminator)
    assert all(math.isfinite(value) for value in report.values())
    # The gradients of single pictures mean something only if no other picture has a part in them.
    judge = task.model.discriminator.eval()
    alone = torch.cat([judge(IMAGES[n : n + 1], LABELS[n : n + 1]) for n in range(len(IMAGES))])
    torch.testing.assert_close(alone, judge(IMAGES, LABELS))
    assert not any(isinstance(layer, torch.nn.BatchNorm2d) for layer in judge.modules())


def test_a_new_paired_objective_learns_from_the_real_pictures(small_spec, monkeypatch):
    squared = Objective(
        lambda real, fake: (real - fake - 1).square().mean(),
        lambda real, fake: (fake - real - 1).square().mean(),
        boundary=None,
        paired=True,
    )
    monkeypatch.setitem(OBJECTIVES, "hinge", squared)  # under a name that the settings allow
    rates = {"generator_learning_rate": 1e-2, "discriminator_learning_rate": 1e-3}
    task = build_task(small_spec("fashion-mlp", objective="hinge", **rates), CPU, "fp32")
    bright = torch.full_like(IMAGES, 0.9)
    losses = []
    for number in range(60):
        torch.manual_seed(number)
        report = task.step(bright, LABELS, step=number, images_seen=8 * number + 8, progress=0.25)
        losses.append(report["generator_loss"])
    # Against its own logits in place of the real ones the loss would be 1 in every step.
    assert max(losses) - min(losses) > 0.1
    with torch.no_grad():
        drawn = task.model.generator(torch.randn(8, task.model.config.latent_dimensions))
    assert drawn.mean() > 0.5


@pytest.mark.parametrize("penalty", ["r1", "r2", "gradient_penalty"])
def test_a_penalty_changes_what_the_discriminator_learns(small_spec, penalty):
    plain = build_task(small_spec(), CPU, "fp32")
    penalised = build_task(small_spec(**{penalty: 5.0}), CPU, "fp32")
    assert step(plain)["discriminator_loss"] == step(penalised)["discriminator_loss"]
    assert moved(weights(plain.model.discriminator), penalised.model.discriminator)


def test_only_adamw_pulls_weights_towards_zero(small_spec):
    def learned(optimizer, decay):
        rates = {"discriminator_learning_rate": 0.01, "weight_decay": decay, "hold": 1.0}
        task = build_task(small_spec("fashion-mlp", optimizer=optimizer, **rates), CPU, "fp32")
        before = weights(task.model.discriminator)
        step(task)
        return before, weights(task.model.discriminator)

    start, plain = learned("adam", 0.0)
    for optimizer, decay in (("adam", 0.5), ("adamw", 0.0), ("adamw", 0.5)):
        pull = 0.01 * decay if optimizer == "adamw" else 0.0
        for old, new, pulled in zip(start, plain, learned(optimizer, decay)[1], strict=True):
            torch.testing.assert_close(pulled, new - pull * old)
    assert any((a != b).any() for a, b in zip(plain, learned("adamw", 0.5)[1], strict=True))


def test_the_generator_moves_once_after_several_discriminator_steps(small_spec):
    task = build_task(small_spec(discriminator_steps=3), CPU, "fp32")
    for number in range(6):
        before = weights(task.model.generator), weights(task.model.discriminator)
        report = step(task, number)
        turn = number % 3 == 2
        assert moved(before[0], task.model.generator) == turn
        assert moved(before[1], task.model.discriminator)
        assert ("generator_loss" in report) == turn


def test_a_mapping_network_may_learn_slower(small_spec):
    def distance(share):
        """How far the mapping network and the rest of the generator go in one step of SGD."""
        settings = {"optimizer": "sgd", "generator_learning_rate": 0.1}
        settings["mapping_learning_rate"] = share
        task = build_task(small_spec("fashion-style", **settings), CPU, "fp32")
        generator = task.model.generator
        inside = {id(p) for p in generator.mapping.parameters()}
        before = weights(generator)
        step(task)
        went = [
            (id(p) in inside, (p.detach() - old).norm())
            for p, old in zip(generator.parameters(), before, strict=True)
        ]
        return [torch.stack([far for mine, far in went if mine is part]) for part in (True, False)]

    (slow, rest), (fast, same) = distance(0.125), distance(1.0)
    torch.testing.assert_close(slow, fast / 8, rtol=1e-3, atol=1e-7)
    torch.testing.assert_close(rest, same)
    assert fast.max() > 0


@pytest.mark.parametrize("steps", [1, 2, 5, 10])
def test_the_loss_of_the_generator_is_in_every_report(small_spec, steps):
    from genimg.training.loop import REPORT_STEPS

    task = build_task(small_spec("fashion-mlp", discriminator_steps=steps), CPU, "fp32")
    reports = [step(task, number) for number in range(REPORT_STEPS)]
    assert "generator_loss" in reports[-1]


def test_a_diverged_generator_leaves_a_discriminator_that_can_learn(small_spec):
    task = build_task(small_spec(), CPU, "fp32")
    hinge = OBJECTIVES["hinge"]
    task.objective = Objective(hinge.discriminator, lambda real, fake: fake.mean() * float("nan"))
    before = weights(task.model.generator)
    with pytest.raises(Diverged, match="generator"):
        step(task)
    assert not moved(before, task.model.generator)
    assert all(parameter.requires_grad for parameter in task.model.discriminator.parameters())


def test_the_discriminator_gathers_no_gradient_from_the_generators_step(small_spec):
    task = build_task(small_spec(), CPU, "fp32")
    step(task)
    before = [p.grad.clone() for p in task.model.discriminator.parameters()]
    torch.manual_seed(1)
    fakes = task._generate(LABELS)
    task._generator_step(IMAGES, fakes, LABELS)
    after = [p.grad for p in task.model.discriminator.parameters()]
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_the_average_carries_the_running_statistics_of_batch_norm(small_spec):
    task = build_task(small_spec("fashion-dcgan"), CPU, "fp32")
    step(task)
    new = dict(task.model.generator.named_buffers())
    kept = dict(task.average.named_buffers())
    assert kept["body.1.num_batches_tracked"] == 1
    assert all(torch.equal(kept[name], new[name]) for name in new)


@pytest.mark.parametrize("preset", ["fashion-mlp", "fashion-dcgan", "fashion-style"])
def test_a_sheet_is_forty_fixed_pictures_and_changes_nothing(small_spec, alive, preset):
    task = build_task(small_spec(preset), CPU, "fp32")
    alive(task.average)
    before = {name: tensor.clone() for name, tensor in task.average.state_dict().items()}
    state = torch.get_rng_state()
    first, second = task.sheet(0), task.sheet(0)
    assert first.shape == (40, 32, 32, 1)
    assert first.dtype == "uint8"
    assert (first == second).all()
    assert (first != task.sheet(1)).any()
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(before[n], t) for n, t in task.average.state_dict().items())


def test_more_pictures_than_fit_at_once_are_drawn_one_after_the_other(small_spec, alive):
    task = build_task(small_spec(), CPU, "fp32")
    alive(task.average)
    labels = task.labels_in_turn(130)
    assert labels.tolist() == [*range(10)] * 13
    pictures = task.draw(labels, 3)
    assert pictures.shape == (130, 32, 32, 1)
    assert len({picture.tobytes() for picture in pictures}) == 130
    assert (pictures == task.draw(labels, 3)).all()
    assert (task.draw(labels.flip(0), 3) != pictures).any()


def test_what_is_published_has_the_averaged_generator(small_spec):
    task = build_task(small_spec(), CPU, "fp32")
    for number in range(3):
        step(task, number)
    model = task.published()
    assert not model.training
    assert not moved(weights(task.average), model.generator)
    assert moved(weights(task.model.generator), model.generator)
    assert not moved(weights(task.model.discriminator), model.discriminator)
    step(task, 4)
    assert moved(weights(task.model.discriminator), model.discriminator)  # it is a copy
