"""Several processes that train one run: each takes an equal share of every batch.

Every process holds the whole model. In each step all of them draw the random numbers of the whole
batch and keep their share, then their gradients are averaged as one flat tensor: N processes
compute what one would, except for the rounding of sums. (PyTorch's DistributedDataParallel averages
in hooks of `backward`, which do not see the `torch.autograd.grad` of the penalties R1 and R2.)

The first process is an ordinary trainer, and decides everything: before each step it tells the
others, which only follow, what comes next. They write nothing, so they may end at any moment.
It also starts them, in the environment that torchrun would give them: torchrun itself would turn
every exit code into 1. A worker that a person starts under torchrun finds the same environment and
does the same.

What still differs from one process: batch norm takes the statistics of B / N pictures, dropout
drops the same places in every share, and WGAN-GP mixes each share by the same random numbers.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import torch
import torch.distributed
from torch import Tensor, nn

# The others wait while the first process measures, makes a sheet, or writes to a slow disk. If one
# has ended, gloo notices at once; NCCL does not, but within a step nobody waits for long.
_PATIENCE = timedelta(hours=1)
_STEP_PATIENCE = timedelta(minutes=2)
_MEETING_PATIENCE = timedelta(seconds=30)  # the meeting place is there before they come
_GRACE_SECONDS = 5.0
_HERE = "127.0.0.1"

LOAD, STEP, END = range(3)


class LostProcess(RuntimeError):
    """Another process of the run has ended, so this one cannot go on either.

    Attributes:
        code: exit code that says so.
    """

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


class Order(NamedTuple):
    """What the first process asks of the others: to load its checkpoint, make a step, or end."""

    kind: int
    step: int = 0
    images_seen: int = 0
    total: int = 0
    learning_rate_scale: float = 1.0


class Group:
    """The processes that train a run. This one is alone: everything stays as it is."""

    size = 1

    def device(self, device: torch.device) -> torch.device:
        """Return the device of this process: of several GPUs, its own."""
        return device

    def share(self, batch: Tensor) -> Tensor:
        """Return the rows of this process: (B, ...) to (B / N, ...)."""
        return batch

    def average_gradients(self, parameters: Iterable[nn.Parameter], loss: Tensor) -> Tensor:
        """Replace the gradients by their means over the processes, and return the mean loss."""
        return loss

    def average(self, values: dict[str, float]) -> dict[str, float]:
        """Return the mean of everybody's numbers, which have the same names everywhere."""
        return values

    def sum(self, tensor: Tensor) -> Tensor:
        """Return the sum of everybody's `tensor`."""
        return tensor

    def give(self, order: Order) -> None:
        """Tell the other processes what comes next; for the first one only."""


ALONE = Group()


class SeveralProcesses(Group):
    """This process and others. All of them must make the same calls in the same order.

    Every call that talks to the others raises LostProcess when one of them has gone.

    Args:
        rank: number of this process; 0 is the first, which alone writes files.
        size: how many there are, N.
        local_rank: its number among those of this machine, by default the same.
    """

    def __init__(self, rank: int, size: int, local_rank: int | None = None) -> None:
        self.rank, self.size = rank, size
        self.local_rank = rank if local_rank is None else local_rank
        self._gradient_group: torch.distributed.ProcessGroup | None = None  # None is the default

    def device(self, device: torch.device) -> torch.device:
        """Return the device of this process: of several GPUs, its own."""
        if device.type != "cuda":
            return device
        device = torch.device("cuda", self.local_rank)
        torch.cuda.set_device(device)  # NCCL takes the current one
        group = torch.distributed.new_group(backend="nccl", timeout=_STEP_PATIENCE)
        assert not isinstance(group, int)  # only a process outside the group gets a number
        self._gradient_group = group
        return device

    def share(self, batch: Tensor) -> Tensor:
        """Return the rows of this process: (B, ...) to (B / N, ...)."""
        return batch.chunk(self.size)[self.rank]

    def average_gradients(self, parameters: Iterable[nn.Parameter], loss: Tensor) -> Tensor:
        """Replace the gradients by their means over the processes, and return the mean loss.

        One flat tensor carries all of them: each message costs time, however short it is. The loss
        travels along, so that where it is not finite, all processes see it in the same step.
        """
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([loss.detach().reshape(1), *(g.reshape(-1) for g in gradients)])
        with _talking():
            torch.distributed.all_reduce(flat, group=self._gradient_group)
        flat /= self.size
        start = 1
        for gradient in gradients:
            gradient.copy_(flat[start : start + gradient.numel()].view(gradient.shape))
            start += gradient.numel()
        return flat[0]

    def average(self, values: dict[str, float]) -> dict[str, float]:
        """Return the mean of everybody's numbers, which have the same names everywhere."""
        total = self.sum(torch.tensor(list(values.values()), dtype=torch.float64))
        return dict(zip(values, (total / self.size).tolist(), strict=True))

    def sum(self, tensor: Tensor) -> Tensor:
        """Return the sum of everybody's `tensor`."""
        total = tensor.cpu().clone()
        with _talking():
            torch.distributed.all_reduce(total)
        return total.to(tensor.device)

    def give(self, order: Order) -> None:
        """Tell the other processes what comes next; for the first one only."""
        self._broadcast(torch.tensor(order, dtype=torch.float64))

    def take(self) -> Order:
        """Wait for what the first process tells the others."""
        numbers = self._broadcast(torch.zeros(5, dtype=torch.float64)).tolist()
        kind, step, images_seen, total = map(int, numbers[:4])
        return Order(kind, step, images_seen, total, learning_rate_scale=numbers[4])

    def _broadcast(self, message: Tensor) -> Tensor:
        with _talking():
            torch.distributed.broadcast(message, src=0)
        return message


@contextmanager
def _talking() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        reason = str(error).partition("\n")[0]
        raise LostProcess(f"another process of this run has ended ({reason})") from None


@contextmanager
def together(run: Path, processes: int) -> Iterator[Group]:
    """Be the first of `processes` that train `run`: start the others, and end them at the end.

    Where torchrun has started this process, it has started the others, too, and ends them.

    Raises:
        LostProcess: another process ended before it was told to.
    """
    if processes == 1:
        yield ALONE
    elif "RANK" in os.environ:
        with joined() as group:
            yield group
    else:
        _stay_on_this_machine()
        store = _open_store()
        others: list[subprocess.Popen] = []
        try:
            others += (_start(run, rank, processes, store.port) for rank in range(1, processes))
            while store.add("arrived", 0) < processes - 1:
                if any(other.poll() is not None for other in others):
                    raise LostProcess("another process of this run has ended before it began")
                time.sleep(0.02)
            store.add("arrived", 1)
            with _member(store, 0, processes) as group:
                yield group
        except LostProcess as error:
            raise _explained(others) or error from None
        finally:
            for other in others:
                other.kill()
                other.wait()


@contextmanager
def joined() -> Iterator[SeveralProcesses]:
    """Join the others by what the environment says, as torchrun and `together` set it."""
    with _talking():
        store, rank, size = next(torch.distributed.rendezvous("env://", timeout=_MEETING_PATIENCE))
        store.add("arrived", 1)
        # Here and not in gloo, which would not hear a signal before the others are there.
        while store.add("arrived", 0) < size:
            time.sleep(0.02)
    with _member(store, rank, size) as group:
        yield group


@contextmanager
def _member(store: torch.distributed.Store, rank: int, size: int) -> Iterator[SeveralProcesses]:
    with _talking():
        store.set_timeout(_PATIENCE)
        torch.distributed.init_process_group(
            "gloo", store=store, rank=rank, world_size=size, timeout=_PATIENCE
        )
    try:
        yield SeveralProcesses(rank, size, int(os.environ.get("LOCAL_RANK", rank)))
    finally:
        torch.distributed.destroy_process_group()


def _stay_on_this_machine() -> None:
    """Have gloo talk through the loopback interface: nothing that it says is authenticated."""
    names = [name for _, name in socket.if_nameindex()]
    if loopback := next((name for name in names if name in ("lo", "lo0")), None):
        os.environ.setdefault("GLOO_SOCKET_IFNAME", loopback)


def _open_store() -> torch.distributed.TCPStore:
    """Return a meeting place that only this machine reaches; by itself it would listen to all."""
    listener = socket.create_server((_HERE, 0))
    return torch.distributed.TCPStore(
        _HERE,
        listener.getsockname()[1],
        is_master=True,
        wait_for_workers=False,
        timeout=_PATIENCE,
        master_listen_fd=listener.detach(),
    )


def _start(run: Path, rank: int, size: int, port: int) -> subprocess.Popen:
    """Start a worker that follows, in the environment that torchrun would give it."""
    numbers = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": size, "MASTER_PORT": port}
    environment = os.environ | {name: str(number) for name, number in numbers.items()}
    package = str(Path(__file__).resolve().parents[2])  # wherever this process was started
    paths = filter(None, [package, environment.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, "-m", "genimg.training.worker", str(run)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env=environment | {"MASTER_ADDR": _HERE, "PYTHONPATH": os.pathsep.join(paths)},
        start_new_session=True,  # Ctrl-C is for the first process
    )


def _explained(others: Sequence[subprocess.Popen]) -> LostProcess | None:
    """Return which process was lost, and how; None if that cannot be told."""
    end = time.monotonic() + _GRACE_SECONDS
    while any(other.poll() is None for other in others) and time.monotonic() < end:
        time.sleep(0.02)
    # A process that only ended because another one did returns 1.
    for rank, other in enumerate(others, 1):
        if other.returncode not in (None, 0, 1):
            killed = other.returncode < 0
            how = "was ended by signal" if killed else "ended with code"
            return LostProcess(
                f"process {rank + 1} of {len(others) + 1} {how} {abs(other.returncode)}; start the"
                " run again to go on from its last checkpoint",
                128 - other.returncode if killed else other.returncode,
            )
    return None
