"""The device that a name means: where tensors lie and are computed with."""

import torch

from genimg.wording import Wording


def choose_device(name: str) -> torch.device:
    """Return the device called `name`; "auto" is CUDA, then Apple's MPS, then the CPU.

    Raises:
        ValueError: it is not the name of a device, or this machine has no such device.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ValueError(
            Wording(
                "device.unknown",
                "{name} is no device; use cpu, cuda, cuda:1, mps or auto",
                name=repr(name),
            )
        ) from None
    available = {
        "cpu": 1,
        "cuda": torch.cuda.device_count(),
        "mps": int(torch.backends.mps.is_available()),
    }.get(device.type, 0)
    if (device.index or 0) >= available:
        raise ValueError(
            Wording(
                "device.missing",
                "this machine has no device {name}; use cpu or auto",
                name=repr(name),
            )
        )
    return device
