from types import SimpleNamespace

import pytest
import torch

from genimg.jobs.devices import Device, engine_of, list_devices, resolve_wanted, worker_device

CPU, FIRST, SECOND = (Device(name=name, title=name) for name in ("cpu", "cuda:0", "cuda:1"))


def test_the_cpu_is_always_there_with_its_memory():
    cpu = list_devices()[-1]
    assert (cpu.name, cpu.kind) == ("cpu", "cpu")
    assert 0 < cpu.free_memory <= cpu.total_memory


def test_every_gpu_is_listed_first(monkeypatch):
    facts = SimpleNamespace(name="A card", total_memory=8 * 2**30)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: facts)
    devices = list_devices()
    assert [device.name for device in devices] == ["cuda:0", "cuda:1", "cpu"]
    assert devices[1].total_memory == 8 * 2**30
    assert len({device.lock_name for device in devices}) == 3


def test_which_device_serves_whom():
    assert FIRST.serves("cuda")
    assert FIRST.serves("cuda:0")
    assert not FIRST.serves("cuda:1")
    assert not CPU.serves("cuda")


def test_what_is_asked_for():
    assert resolve_wanted("auto", [FIRST, CPU]) == "cuda"
    assert resolve_wanted("auto", [CPU]) == "cpu"
    assert resolve_wanted("cuda:1", [FIRST, SECOND, CPU]) == "cuda:1"
    with pytest.raises(ValueError, match="no device 'cuda:1'; it has cuda:0, cpu"):
        resolve_wanted("cuda:1", [FIRST, CPU])


def test_what_is_elsewhere_is_asked_for_by_its_engine():
    there = [Device(name=f"ray/{kind}", title=kind, places=4) for kind in ("cuda", "cpu")]
    assert resolve_wanted("auto", [CPU, *there]) == "cpu"
    assert resolve_wanted("ray", [CPU, *there]) == "ray/cuda"
    assert resolve_wanted("ray/cpu", [CPU, *there]) == "ray/cpu"
    with pytest.raises(ValueError, match="no device 'slurm'; it has cpu, ray/cuda, ray/cpu"):
        resolve_wanted("slurm", [CPU, *there])
    assert not any(device.serves("cpu") for device in there)
    assert [engine_of(name) for name in ("ray/cuda", "cuda:1")] == ["ray", ""]
    assert [*map(worker_device, ("ray/cuda", "cuda:1", "cpu"))] == ["cuda", "cuda", "cpu"]
