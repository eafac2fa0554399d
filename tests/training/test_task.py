import copy
import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genimg.training.building import build_task
from genimg.training.task import Diverged, learning_rate_factor, make_optimizer

CPU = torch.device("cpu")


def batch(seed: int = 0):
    random = torch.Generator().manual_seed(seed)
    return torch.rand(8, 1, 32, 32, generator=random) * 2 - 1, torch.arange(8) % 10


def step(task, number: int = 0):
    torch.manual_seed(number)
    images, labels = batch(number)
    return task.step(images, labels, step=number, images_seen=8 * (number + 1), progress=0.25)


def bits(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    return copy.deepcopy(dict(module.state_dict()))


def assert_equal(first: dict, second: dict) -> None:
    assert set(first) == set(second)
    for name, tensor in first.items():
        assert torch.equal(tensor, second[name]), name


@given(st.floats(0, 1), st.floats(0, 0.4), st.floats(0.4, 1))
def test_the_schedule_stays_between_zero_and_one(progress, warm_up, hold):
    assert 0 <= learning_rate_factor(progress, warm_up=warm_up, hold=hold) <= 1


def test_the_schedule_rises_holds_and_falls():
    schedule = [learning_rate_factor(i / 100, warm_up=0.2, hold=0.5, final=0.1) for i in range(101)]
    assert schedule[0] == 0
    assert schedule[10] == 0.5
    assert schedule[20:51] == [1.0] * 31
    assert all(later < earlier for earlier, later in itertools.pairwise(schedule[50:]))
    assert math.isclose(schedule[75], 0.55)  # half of the cosine
    assert math.isclose(schedule[100], 0.1)
    assert learning_rate_factor(1.5, final=0.1) == pytest.approx(0.1)
    assert learning_rate_factor(1.0, hold=1.0) == 1.0


def _by_hand(kind, weight, gradients, rate, betas, decay):
    """The update rules of the papers, one step after the other, in float64."""
    mean = square = torch.zeros_like(weight)
    for step, gradient in enumerate(gradients, start=1):
        if kind == "sgd":
            mean = betas[0] * mean + gradient
            weight = weight - rate * mean
            continue
        if kind == "adamw":
            weight = weight - rate * decay * weight
        mean = betas[0] * mean + (1 - betas[0]) * gradient
        square = betas[1] * square + (1 - betas[1]) * gradient.square()
        corrected = (square / (1 - betas[1] ** step)).sqrt() + 1e-8
        weight = weight - rate * (mean / (1 - betas[0] ** step)) / corrected
    return weight


@pytest.mark.parametrize("kind", ["sgd", "adam", "adamw"])
@pytest.mark.parametrize("beta1", [0.0, 0.9])
def test_optimizers_step_as_in_the_papers(kind, beta1):
    random = torch.Generator().manual_seed(0)
    start, *gradients = torch.randn(6, 4, generator=random, dtype=torch.float64)
    weight = torch.nn.Parameter(start.clone())
    options = {"weight_decay": 0.3} if kind == "adamw" else {}
    optimizer = make_optimizer(kind, [weight], learning_rate=0.05, betas=(beta1, 0.99), **options)
    for gradient in gradients:
        weight.grad = gradient.clone()
        optimizer.step()
    expected = _by_hand(kind, start, gradients, 0.05, (beta1, 0.99), 0.3)
    torch.testing.assert_close(weight.detach(), expected, rtol=1e-12, atol=1e-12)


def test_optimizers_are_what_they_are_called():
    parameter = torch.nn.Parameter(torch.ones(3))
    sgd = make_optimizer("sgd", [parameter], learning_rate=0.1, betas=(0.9, 0.99))
    assert sgd.defaults["momentum"] == 0.9
    assert sgd.param_groups[0]["base"] == 0.1
    adam = make_optimizer("adam", [parameter], learning_rate=0.1, betas=(0.5, 0.99))
    assert type(adam) is torch.optim.Adam
    assert adam.defaults["betas"] == (0.5, 0.99)
    assert type(
        make_optimizer("adamw", [parameter], learning_rate=1.0, betas=(0.0, 0.0))
    ).__name__ == ("AdamW")


def test_the_learning_rate_is_scaled_from_where_it_started(small_spec):
    task = build_task(small_spec(generator_learning_rate=0.5), CPU, "fp32")
    task.learning_rate_scale = 0.5
    task.set_learning_rate(0.5)
    task.set_learning_rate(0.5)
    rates = {group["lr"] for group in task.optimizers["generator"].param_groups}
    assert rates == {0.125, 0.00125}  # the mapping network learns slower


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("where", ["loss", "gradient"])
def test_nothing_that_is_not_finite_reaches_an_optimizer(small_spec, value, where):
    task = build_task(small_spec(optimizer="adam"), CPU, "fp32")
    step(task)
    weights, moments = bits(task.model), copy.deepcopy(task.optimizer_tensors())
    weight = next(task.model.generator.parameters())
    if where == "loss":
        loss = weight.sum() * value
    else:
        loss = weight.sum()
        weight.register_hook(lambda gradient: gradient * value)
    with pytest.raises(Diverged, match=f"the {where} of the generator is not finite"):
        task.guarded_step("generator", loss)
    assert_equal(weights, bits(task.model))
    assert_equal(moments, task.optimizer_tensors())


def test_guarded_step_returns_the_norm_of_the_gradient(small_spec):
    task = build_task(small_spec(), CPU, "fp32")
    weight = next(task.model.generator.parameters())
    expected = math.sqrt(weight.numel()) * 3
    assert task.guarded_step("generator", 3 * weight.sum()) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("preset", "changes"),
    [
        ("fashion-style", {}),
        ("fashion-style", {"optimizer": "sgd", "beta1": 0.9}),
        ("fashion-style", {"optimizer": "sgd", "beta1": 0.0}),
        ("fashion-dcgan", {"spectral_norm": True}),
        ("fashion-features", {}),
        ("fashion-features", {"optimizer": "adamw"}),
    ],
    ids=str,
)
def test_a_restored_task_goes_on_bitwise(small_spec, preset, changes):
    spec = small_spec(preset, **changes)
    task = build_task(spec, CPU, "fp32")
    for number in range(3):
        step(task, number)
    again = build_task(spec, CPU, "fp32")
    again.model.load_state_dict(bits(task.model))
    again.average.load_state_dict(bits(task.average))
    saved = {k: v.detach().clone().contiguous() for k, v in task.optimizer_tensors().items()}
    again.load_optimizer_tensors(saved)
    assert_equal(saved, again.optimizer_tensors())
    if spec.task.optimizer != "sgd":  # the moments, and the count of steps that corrects them
        moments = saved.keys() - {"augmentation"}
        assert {name.rsplit(".", 1)[1] for name in moments} == {"step", "exp_avg", "exp_avg_sq"}
    for number in range(3, 6):
        assert step(task, number) == step(again, number)
    assert_equal(bits(task.model), bits(again.model))
    assert_equal(bits(task.average), bits(again.average))
    assert_equal(task.optimizer_tensors(), again.optimizer_tensors())
