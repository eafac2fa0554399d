import dataclasses
from types import SimpleNamespace

import pytest
import torch

from genimg.data import Dataset
from genimg.training import resolve as module
from genimg.training.resolve import batch_tensors, build_task, choose_device, resolve


def test_a_complete_request_is_resolved_without_a_probe(small_spec, dataset, monkeypatch):
    monkeypatch.setattr(module, "_images_per_second", None)
    resolved = resolve(small_spec(images=100, batch_size=8), dataset).resolved
    assert resolved["images"] == 104  # whole batches
    assert resolved["precision"] == "fp32"
    assert resolved["threads"] == 1
    assert resolved["device"] == "cpu"
    assert resolved["dataset_images"] == 64
    assert resolved["classes"] == list("0123456789")


def test_minutes_become_pictures_at_the_measured_speed(small_spec, dataset, monkeypatch):
    speeds = {"bf16": 30.0, "fp32": 50.0}
    monkeypatch.setattr(module, "_images_per_second", lambda *given, best: speeds[given[-1]])
    spec = resolve(small_spec(images=0, minutes=2, precision="auto"), dataset)
    assert spec.resolved["precision"] == "fp32"
    assert spec.resolved["images"] == 50 * 120
    speeds["bf16"] = 80.0
    spec = resolve(small_spec(images=0, minutes=2, precision="auto"), dataset)
    assert spec.resolved["precision"] == "bf16"
    assert spec.resolved["images"] == 80 * 120


def test_what_is_resolved_stays(small_spec, dataset, monkeypatch):
    spec = resolve(small_spec(), dataset)
    monkeypatch.setattr(module, "choose_device", None)
    assert resolve(spec, dataset) is spec
    with pytest.raises(dataclasses.FrozenInstanceError):
        spec.resolved = {}


@pytest.mark.parametrize("preset", ["fashion-style", "fashion-features"])
def test_the_probe_measures_and_disturbs_nothing(small_spec, dataset, monkeypatch, preset):
    monkeypatch.setattr(module, "_PROBE_SECONDS", 0.02)
    pictures = dataset.images.clone()
    spec = small_spec(preset, images=0, minutes=0.01, precision="auto")
    weights = [build_task(spec, torch.device("cpu"), "fp32").model.state_dict()]
    assert all(
        speed > 0 for speed in resolve(spec, dataset).resolved["probe_images_per_second"].values()
    )
    weights.append(build_task(spec, torch.device("cpu"), "fp32").model.state_dict())
    for name, tensor in weights[0].items():
        assert torch.equal(tensor, weights[1][name])
    assert torch.equal(dataset.images, pictures)


@pytest.mark.parametrize(
    ("seconds", "best", "steps"), [(0.25, 0.0, 5), (2.0, 0.0, 3), (0.25, 1e6, 2), (2.0, 1e6, 1)]
)
def test_a_candidate_without_a_chance_is_soon_given_up(
    small_spec, dataset, monkeypatch, seconds, best, steps
):
    made = []
    task = SimpleNamespace(step=lambda *batch, step, **place: made.append(step))
    clock = SimpleNamespace(perf_counter=lambda: seconds * len(made))
    monkeypatch.setattr(module, "build_task", lambda *given: task)
    monkeypatch.setattr(module, "time", clock)
    spec = small_spec(batch_size=8)
    speed = module._images_per_second(spec, dataset, torch.device("cpu"), "fp32", best=best)
    assert speed == 8 / seconds
    assert made == list(range(steps))


def test_devices_that_are_not_there_are_one_sentence(small_spec, dataset):
    with pytest.raises(ValueError, match="'toaster' is no device"):
        choose_device("toaster")
    with pytest.raises(ValueError, match="no device 'cuda:99'"):
        choose_device("cuda:99")
    with pytest.raises(ValueError, match="no device 'meta'"):
        resolve(small_spec(device="meta"), dataset)
    assert choose_device("cpu") == torch.device("cpu")
    assert choose_device("auto").type in ("cpu", "cuda", "mps")


def test_data_that_do_not_fit_the_model_are_one_sentence(small_spec, dataset):
    with pytest.raises(ValueError, match=r"3 colour channels .* set it to 1"):
        resolve(small_spec(channels=3), dataset)
    with pytest.raises(ValueError, match=r"4 classes .* set it to 10"):
        resolve(small_spec(classes=4), dataset)
    assert resolve(small_spec(classes=0), dataset).resolved


def test_batches_are_floats_from_minus_one_to_one():
    images = torch.tensor([0, 255], dtype=torch.uint8).view(2, 1, 1, 1).expand(2, 1, 2, 2)
    data = Dataset("x", images, torch.tensor([4, 7]), ("a",) * 8, "made up")
    pictures, labels = batch_tensors(data, torch.tensor([1, 0, 1]), torch.device("cpu"))
    assert pictures[:, 0, 0, 0].tolist() == [1.0, -1.0, 1.0]
    assert labels.tolist() == [7, 4, 7]


def test_the_seed_decides_the_first_weights(small_spec):
    def first_weight(seed):
        torch.rand(seed + 1)  # the global generator's state must not matter
        task = build_task(small_spec(seed=seed), torch.device("cpu"), "fp32")
        return next(task.model.generator.parameters())

    assert torch.equal(first_weight(1), first_weight(1))
    assert not torch.equal(first_weight(1), first_weight(2))
