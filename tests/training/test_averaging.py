import pytest
import torch
from torch import nn

from genimg.training.averaging import update_average


def _pair(value: float) -> tuple[nn.Module, nn.Module]:
    model, average = nn.Linear(3, 2).double(), nn.Linear(3, 2).double()
    nn.init.constant_(model.weight, value)
    nn.init.zeros_(average.weight)
    return average, model


@pytest.mark.parametrize("images", [1, 10, 250, 1000])
def test_after_one_half_life_old_weights_count_half(images):
    average, model = _pair(1.0)
    for _ in range(1000 // images):
        update_average(average, model, images=images, images_seen=10**9, half_life=1000)
    torch.testing.assert_close(average.weight, torch.full((2, 3), 0.5).double())


def test_the_half_life_is_ramped_up_as_a_twentieth_of_what_was_seen():
    average, model = _pair(1.0)
    update_average(average, model, images=8, images_seen=160, half_life=1000)  # half-life 8
    torch.testing.assert_close(average.weight, torch.full((2, 3), 0.5).double())
    early, late = _pair(1.0)[0], _pair(1.0)[0]
    update_average(early, model, images=8, images_seen=200, half_life=1000)
    update_average(late, model, images=8, images_seen=20_000, half_life=1000)
    assert early.weight[0, 0] > late.weight[0, 0]
    capped = _pair(1.0)[0]
    update_average(capped, model, images=8, images_seen=10**9, half_life=1000)
    assert torch.equal(capped.weight, late.weight)  # 0.05 * 20 000 is the half-life itself


def test_a_model_that_stands_still_is_its_own_average():
    average, model = _pair(2.0)
    average.load_state_dict(model.state_dict())
    update_average(average, model, images=64, images_seen=64, half_life=1000)
    assert torch.equal(average.weight, model.weight)


def test_buffers_are_copied_and_nothing_learns():
    average, model = nn.BatchNorm2d(3).eval(), nn.BatchNorm2d(3).train()
    model(torch.randn(8, 3, 4, 4))
    update_average(average, model, images=8, images_seen=8, half_life=10)
    assert torch.equal(average.running_mean, model.running_mean)
    assert torch.equal(average.running_var, model.running_var)
    assert average.num_batches_tracked == 1
    assert average.weight.grad_fn is None
