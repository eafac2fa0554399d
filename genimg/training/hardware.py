"""What a run is computed on, and in which arithmetic: facts about the machine, never the clock.

Two runs of one command on one machine must end in the same weights, however busy it is. So nothing
here is measured: whoever asks twice gets the same answer.
"""

from collections.abc import Mapping

import torch

from genimg.models import kind_named

# Without one of these instructions PyTorch computes bfloat16 by detours, slower than float32.
_CPU_INSTRUCTIONS = ("avx512_bf16", "amx_bf16")


def choose_precision(kind: str, device: torch.device) -> str:
    """Return "bf16" where `device` has instructions for it and models of `kind` gain, else "fp32".

    Args:
        kind: a kind of model.
    """
    if not kind_named(kind).bfloat16:
        return "fp32"
    if device.type == "cuda":
        native = torch.cuda.get_device_capability(device)[0] >= 8 or torch.version.hip is not None
    else:
        native = device.type == "cpu" and any(map(_cpu_features().get, _CPU_INSTRUCTIONS))
    return "bf16" if native else "fp32"


def _cpu_features() -> Mapping[str, bool]:
    """Return which of `_CPU_INSTRUCTIONS` the processor has."""
    if hasattr(torch.cpu, "get_capabilities"):
        return torch.cpu.get_capabilities()
    # PyTorch before 2.12
    return {
        "avx512_bf16": torch.cpu._is_avx512_bf16_supported(),
        "amx_bf16": torch.cpu._is_amx_tile_supported(),
    }
