import pytest
import torch

from genimg.devices import choose_device


@pytest.mark.parametrize("name", ["toaster", "cuda:x", ""])
def test_what_is_no_device_is_one_sentence(name):
    with pytest.raises(ValueError, match="is no device; use cpu, cuda"):
        choose_device(name)


@pytest.mark.parametrize("name", ["cuda:99", "meta", "cpu:1"])
def test_a_device_that_is_not_there_is_one_sentence(name):
    with pytest.raises(ValueError, match=f"no device '{name}'; use cpu or auto"):
        choose_device(name)


def test_the_processor_is_always_there():
    assert choose_device("cpu") == torch.device("cpu")
    assert choose_device("auto").type in ("cpu", "cuda", "mps")
