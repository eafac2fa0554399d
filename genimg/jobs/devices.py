"""What this machine can train on."""

from dataclasses import dataclass

from genimg.jobs import platforms
from genimg.wording import Wording


@dataclass(frozen=True, kw_only=True, slots=True)
class Device:
    """A place for one run at a time.

    Attributes:
        name: as PyTorch calls it: "cpu", "mps", "cuda:0".
        title: for people.
        total_memory, free_memory: bytes, or None where the system does not tell.
    """

    name: str
    title: str
    total_memory: int | None = None
    free_memory: int | None = None

    @property
    def kind(self) -> str:
        """The name without its number: "cuda" for "cuda:1"."""
        return self.name.partition(":")[0]

    @property
    def lock_name(self) -> str:
        """Name of the file that is locked by whoever uses the device."""
        return self.name.replace(":", "") + ".lock"

    def serves(self, wanted: str) -> bool:
        """Return whether a job that asked for `wanted` may run here."""
        return wanted in (self.name, self.kind)


def list_devices() -> list[Device]:
    """Return every device of this machine, the fastest kind first; the CPU is always there.

    The free memory of a GPU is not asked for: the question alone would occupy some of it.
    """
    import torch

    total, free = platforms.memory()
    devices = []
    for index in range(torch.cuda.device_count()):
        facts = torch.cuda.get_device_properties(index)
        devices.append(
            Device(name=f"cuda:{index}", title=facts.name, total_memory=facts.total_memory)
        )
    if torch.backends.mps.is_available():  # shares the main memory
        devices.append(Device(name="mps", title="Apple GPU", total_memory=total, free_memory=free))
    devices.append(Device(name="cpu", title="CPU", total_memory=total, free_memory=free))
    return devices


def resolve_wanted(wanted: str, devices: list[Device]) -> str:
    """Return the device to ask for; "auto" is the fastest kind there is.

    Raises:
        ValueError: the machine has no such device; the sentence lists those it has.
    """
    if wanted == "auto":
        return devices[0].kind
    if not any(device.serves(wanted) for device in devices):
        names = ", ".join(device.name for device in devices)
        raise ValueError(
            Wording(
                "job.no_device",
                "this machine has no device {wanted}; it has {names}, or use auto",
                wanted=repr(wanted),
                names=names,
            )
        )
    return wanted
