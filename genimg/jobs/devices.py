"""What can be trained on: the devices of this machine, and places that an engine has elsewhere."""

from dataclasses import dataclass

from genimg.jobs import platforms
from genimg.wording import Wording

LOCAL = "local"
"""What this machine is called where an engine is asked for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Device:
    """A place for one run at a time, or for several on an engine elsewhere.

    Attributes:
        name: as PyTorch calls it: "cpu", "mps", "cuda:0"; elsewhere with the engine before it, as
            in "ray/cuda".
        title: for people.
        total_memory, free_memory: bytes, or None where the system does not tell.
        places: runs at a time; 0 while nothing can be started there.
        dollars_an_hour: what a run costs there, or None.
        on_accounts: whether each run is paid by the account of whoever asks for it.
    """

    name: str
    title: str
    total_memory: int | None = None
    free_memory: int | None = None
    places: int = 1
    dollars_an_hour: float | None = None
    on_accounts: bool = False

    @property
    def kind(self) -> str:
        """The name without its number: "cuda" for "cuda:1"."""
        return self.name.partition(":")[0]

    @property
    def engine(self) -> str:
        """The name of the engine that has it; '' for this machine."""
        return engine_of(self.name)

    @property
    def lock_name(self) -> str:
        """Name of the file that is locked by whoever uses a device of this machine."""
        return self.name.replace(":", "") + ".lock"

    def serves(self, wanted: str) -> bool:
        """Return whether a job that asked for `wanted` may run here."""
        return wanted in (self.name, self.kind)


def engine_of(name: str) -> str:
    """Return the engine in the name of a device, '' for one of this machine."""
    return name.rpartition("/")[0]


def worker_device(name: str) -> str:
    """Return what the worker calls the device: it sees only the one that it is to use."""
    return name.rpartition("/")[2].partition(":")[0]


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
    """Return the device to ask for.

    Args:
        wanted: the name or the kind of one; "auto" is the fastest kind of this machine, and the
            name of an engine the fastest that it has.
        devices: those there are, the fastest of each engine first.

    Raises:
        ValueError: there is no such device; the sentence lists those there are.
    """
    if wanted == "auto":
        return devices[0].kind
    for device in devices:
        if device.engine and device.engine == wanted:
            return device.name
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
