from types import SimpleNamespace

import pytest
import torch

from genimg.jobs.devices import Device, list_devices, resolve_wanted

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
