import dataclasses
import os
from types import SimpleNamespace

import pytest
import torch

from genimg.devices import choose_device
from genimg.training import planning as module
from genimg.training.building import build_task
from genimg.training.hardware import choose_precision
from genimg.training.planning import resolve
from genimg.training.task import Task


def test_a_complete_request_is_resolved_without_a_probe(small_spec, dataset, monkeypatch):
    monkeypatch.setattr(module, "images_per_second", None)
    resolved = resolve(small_spec(images=100, batch_size=8), dataset).resolved
    assert resolved["images"] == 104  # whole batches
    assert resolved["precision"] == "fp32"
    assert resolved["threads"] == 1
    assert resolved["device"] == "cpu"
    assert resolved["dataset_images"] == 64
    assert resolved["classes"] == list("0123456789")


def test_minutes_become_pictures_at_the_measured_speed(small_spec, dataset, monkeypatch):
    monkeypatch.setattr(module, "images_per_second", lambda *given: 50.0)
    spec = resolve(small_spec(images=0, minutes=2), dataset)
    assert spec.resolved["images"] == 50 * 120
    assert spec.resolved["plans"] == 0


@pytest.mark.parametrize("speed", [1.0, 1000.0])
@pytest.mark.parametrize("length", [{"images": 80}, {"images": 0, "minutes": 1}])
def test_the_clock_decides_nothing_but_the_number_of_pictures(
    small_spec, dataset, monkeypatch, speed, length
):
    monkeypatch.setattr(module, "images_per_second", lambda *given: speed)
    spec = small_spec(precision="auto", threads=0, device="auto", **length)
    resolved = resolve(spec, dataset).resolved
    device = choose_device("auto")
    assert resolved["device"] == str(device)
    assert resolved["threads"] == os.cpu_count()
    assert resolved["precision"] == choose_precision(spec.kind, device)


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
    assert resolve(spec, dataset).resolved["probe_images_per_second"] > 0
    weights.append(build_task(spec, torch.device("cpu"), "fp32").model.state_dict())
    for name, tensor in weights[0].items():
        assert torch.equal(tensor, weights[1][name])
    assert torch.equal(dataset.images, pictures)


@pytest.mark.parametrize(("seconds", "steps"), [(0.25, 5), (2.0, 3)])
def test_the_probe_takes_about_a_second(small_spec, dataset, monkeypatch, seconds, steps):
    made = []
    task = SimpleNamespace(
        step=lambda *batch, step, **place: made.append(step), targets=Task.targets
    )
    clock = SimpleNamespace(perf_counter=lambda: seconds * len(made))
    monkeypatch.setattr(module, "build_task", lambda *given: task)
    monkeypatch.setattr(module, "time", clock)
    spec = small_spec(batch_size=8)
    assert module.images_per_second(spec, dataset, torch.device("cpu"), "fp32") == 8 / seconds
    assert made == list(range(steps))
