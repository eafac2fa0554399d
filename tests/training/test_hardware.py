from types import MappingProxyType

import pytest
import torch

from genimg.devices import choose_device
from genimg.models import KINDS
from genimg.training.hardware import choose_precision

CPU, CUDA, MPS = torch.device("cpu"), torch.device("cuda:1"), torch.device("mps")
NEITHER = {"avx512_f": True, "avx512_bf16": False, "amx_bf16": False}


@pytest.fixture
def machine(monkeypatch):
    """A function that gives this machine other features."""

    def become(capability=(7, 5), hip=None, **features) -> None:
        given = MappingProxyType(NEITHER | features)
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: given, raising=False)
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
        monkeypatch.setattr(torch.version, "hip", hip)

    return become


@pytest.mark.parametrize("feature", ["avx512_bf16", "amx_bf16"])
def test_a_processor_with_the_instructions_computes_in_bfloat16(machine, feature):
    machine()
    assert choose_precision("dcgan", CPU) == "fp32"
    machine(**{feature: True})
    assert choose_precision("dcgan", CPU) == "bf16"


def test_a_gpu_with_tensor_cores_for_it_computes_in_bfloat16(machine):
    machine(avx512_bf16=True)
    assert choose_precision("stylegan", CUDA) == "fp32"
    machine(capability=(8, 0))
    assert choose_precision("stylegan", CUDA) == "bf16"
    machine(hip="6.4")
    assert choose_precision("stylegan", CUDA) == "bf16"
    assert choose_precision("stylegan", MPS) == "fp32"


def test_kinds_that_gain_nothing_stay_in_float32(machine):
    machine(capability=(9, 0), avx512_bf16=True, amx_bf16=True)
    stay = {kind for kind in KINDS if choose_precision(kind, CPU) == "fp32"}
    assert stay == {"vision-transformer", "image-gpt", "maskgit", "pixel-gpt"}
    assert stay == {kind for kind in KINDS if choose_precision(kind, CUDA) == "fp32"}


def test_an_older_pytorch_is_asked_in_its_own_words(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    for avx512, amx in ((True, False), (False, True), (False, False)):
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda known=avx512: known)
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda known=amx: known)
        assert choose_precision("dcgan", CPU) == ("bf16" if avx512 or amx else "fp32")


def test_this_machine_answers_the_same_twice():
    for kind in KINDS:
        device = choose_device("auto")
        assert choose_precision(kind, device) == choose_precision(kind, device) in ("bf16", "fp32")
