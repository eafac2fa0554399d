import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genimg.training import augmentation
from genimg.training.augmentation import LIMIT, RISE, TARGET, adapted, augment, draw_changes
from genimg.training.building import build_task

CPU = torch.device("cpu")


def pictures(count=6, channels=3, size=16):
    numbers = torch.Generator().manual_seed(3)
    return torch.rand(count, channels, size, size, generator=numbers) * 1.8 - 0.9


@pytest.mark.parametrize("channels", [1, 3])
def test_without_a_change_pictures_come_back_to_the_bit(channels):
    images = pictures(channels=channels)
    assert torch.equal(augment(images, draw_changes(6, 0.0)), images)


@pytest.mark.parametrize("probability", [0.2, 0.7])
def test_each_change_is_made_as_often_as_asked_and_independently(probability):
    torch.manual_seed(0)
    changes = draw_changes(4000, probability)
    made = torch.stack(
        [
            (changes.shift != 0).any(dim=1),
            changes.scale != 1,
            changes.brightness != 0,
            changes.contrast != 1,
            changes.saturation != 1,
            (changes.middle < 1).all(dim=1),
        ]
    ).double()
    assert (made.mean(dim=1) - probability).abs().max() < 0.03
    together = torch.corrcoef(made) - torch.eye(len(made))
    assert together.abs().max() < 0.06


def test_a_shift_moves_a_cut_greys_and_a_grey_picture_has_no_saturation():
    still = draw_changes(1, 0.0)
    image = torch.zeros(1, 1, 16, 16)
    image[0, 0, 4, 9] = 1.0
    moved = augment(image, still._replace(shift=torch.tensor([[0.25, -0.5]])))  # of half a side
    assert moved[0, 0, 8, 7] == pytest.approx(1, abs=1e-5)
    assert moved.sum() == pytest.approx(1, abs=1e-4)
    cut = augment(torch.ones(1, 3, 16, 16), still._replace(middle=torch.tensor([[0.5, 0.25]])))
    expected = torch.ones(16, 16)
    expected[4:12, 0:8] = 0
    assert torch.equal(cut[0, 0], expected)
    grey = pictures(1, channels=1)
    assert torch.equal(augment(grey, still._replace(saturation=torch.tensor([3.0]))), grey)


def test_the_gradient_of_the_changes_is_right():
    torch.manual_seed(1)
    changes = draw_changes(2, 1.0)
    images = pictures(2, size=4).double().requires_grad_()
    weights = torch.randn(2, 3, 4, 4, dtype=torch.float64)

    def score(x):
        return (augment(x, changes).double() * weights).sum()

    (found,) = torch.autograd.grad(score(images), images)
    direction = torch.randn_like(images)
    step = 1e-2  # the changes are linear in the pixels, computed in float32
    with torch.no_grad():
        slope = (score(images + step * direction) - score(images - step * direction)) / (2 * step)
    assert slope.item() == pytest.approx((found * direction).sum().item(), rel=1e-3, abs=1e-3)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 4096)), max_size=60))
def test_the_probability_stays_in_range_and_goes_where_the_accuracy_says(history):
    probability = 0.0
    for accuracy, images in history:
        after = adapted(probability, accuracy, images)
        assert 0 <= after <= LIMIT
        assert after >= probability if accuracy > TARGET else after <= probability
        probability = after
    assert adapted(0.0, 1.0, RISE // 2) == pytest.approx(0.5)


def steps(task, images, count):
    labels = torch.zeros(len(images), dtype=torch.long)
    for step in range(count):
        torch.manual_seed(step)
        report = task.step(images, labels, step=step, images_seen=8 * (step + 1), progress=0.1)
    return report


def test_a_discriminator_that_knows_two_pictures_by_heart_sees_them_changed(small_spec):
    spec = small_spec("fashion-style", discriminator_learning_rate=1e-2)
    few = pictures(2, channels=1, size=28).repeat(4, 1, 1, 1)
    report = steps(build_task(spec, CPU, "fp32"), few, 60)
    assert (report["real_accuracy"] + report["fake_accuracy"]) / 2 > TARGET
    assert report["augmentation"] > 20 * 8 / RISE


def test_where_none_is_changed_the_run_is_that_without_augmentation_to_the_bit(small_spec):
    images = pictures(8, channels=1, size=28)
    ends = []
    for augmented in (True, False):
        task = build_task(small_spec("fashion-style", augment=augmented), CPU, "fp32")
        report = steps(task, images, 3)
        assert report.pop("augmentation", 0.0) == 0
        ends.append((report, task.model.state_dict()))
    assert ends[0][0] == ends[1][0]
    assert all(torch.equal(ends[0][1][name], ends[1][1][name]) for name in ends[0][1])


def test_a_killed_run_goes_on_with_the_same_changes(make_run, dataset, ends_alike, monkeypatch):
    monkeypatch.setattr(augmentation, "TARGET", -1.0)  # it always rises
    monkeypatch.setattr(augmentation, "RISE", 100)
    ends_alike(lambda name, **more: make_run(name, "fashion-style", **more), dataset, (5, 14, 4))
