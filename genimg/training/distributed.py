"""Several processes that train one run: each takes an equal share of every batch.

Every process holds the whole model. In each step all of them draw the random numbers of the whole
batch and keep their share, then their gradients are averaged as one flat tensor: N processes
compute what one would, but for the rounding of sums. (PyTorch's DistributedDataParallel averages in
hooks of `backward`, which do not see the `torch.autograd.grad` of the penalties R1 and R2.)

What looks at several pictures at once sees only its share: batch norm takes the statistics of
B / N pictures, and a learned codebook moves by those of the first process. Such buffers are copied
from the first process before every step, so that a run goes on from its checkpoint exactly. Dropout
drops the same places in every share.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
import torch.distributed
from torch import Tensor

# Others wait while the first process measures, draws a sheet, or writes to a slow disk.
_PATIENCE = timedelta(minutes=30)


class LostProcess(RuntimeError):
    """Another process of the run has ended, so this one cannot go on either."""


class Group:
    """The processes that train a run together; by default this one alone, which changes nothing.

    Every method but `share` and `device` must be called by all processes in the same order.

    Attributes:
        rank: number of this process; 0 is the first, which alone writes files.
        size: how many there are, N.

    Raises:
        LostProcess: from each method that talks to the others, when one of them has gone.
    """

    def __init__(self, rank: int = 0, size: int = 1, local_rank: int = 0) -> None:
        self.rank, self.size, self.local_rank = rank, size, local_rank

    def device(self, device: torch.device) -> torch.device:
        """Return the device of this process: of several GPUs, its own."""
        if self.size == 1 or device.type != "cuda":
            return device
        device = torch.device("cuda", self.local_rank)
        torch.cuda.set_device(device)  # NCCL takes the current one
        return device

    def share(self, whole: Tensor) -> Tensor:
        """Return the rows of this process: (B, ...) to (B / N, ...)."""
        return whole if self.size == 1 else whole.chunk(self.size)[self.rank]

    def average_gradients(self, parameters: Iterable[torch.nn.Parameter], loss: Tensor) -> Tensor:
        """Replace the gradients by their means over the processes, and return the mean loss.

        One flat tensor carries all of them: each message costs time, however short it is. The loss
        travels along, so that where it is not finite, all processes see it in the same step.
        """
        if self.size == 1:
            return loss.detach()
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([loss.detach().reshape(1), *(g.reshape(-1) for g in gradients)])
        mean = self.sum(flat) / self.size
        start = 1
        for gradient in gradients:
            gradient.copy_(mean[start : start + gradient.numel()].view(gradient.shape))
            start += gradient.numel()
        return mean[0]

    def sum(self, tensor: Tensor) -> Tensor:
        """Return the sum of everybody's `tensor`."""
        if self.size > 1:
            tensor = tensor.clone()
            with _talking():
                torch.distributed.all_reduce(tensor)
        return tensor

    def average(self, values: dict[str, float]) -> dict[str, float]:
        """Return the mean of everybody's numbers, which have the same names everywhere."""
        total = self.sum(torch.tensor(list(values.values()), dtype=torch.float64))
        return dict(zip(values, (total / self.size).tolist(), strict=True))

    def broadcast(self, value: float) -> float:
        """Return the first process's `value`, a number that float64 can hold, to all."""
        if self.size == 1:
            return value
        message = torch.tensor(value, dtype=torch.float64)
        with _talking():
            torch.distributed.broadcast(message, src=0)
        return message.item()

    def copy_first(self, tensors: Iterable[Tensor]) -> None:
        """Overwrite tensors (of at most 53 significant bits) by those of the first process."""
        tensors = list(tensors)
        if self.size == 1 or not tensors:
            return
        flat = torch.cat([tensor.detach().reshape(-1).double() for tensor in tensors])
        with _talking():
            torch.distributed.broadcast(flat, src=0)
        for tensor, part in zip(tensors, flat.split([t.numel() for t in tensors]), strict=True):
            tensor.copy_(part.view(tensor.shape))


ALONE = Group()


@contextmanager
def joined(processes: int) -> Iterator[Group]:
    """Join the other processes that torchrun has started, and leave them at the end.

    Raises:
        ValueError: torchrun started another number than the run takes.
    """
    if processes == 1:
        yield ALONE
        return
    size = int(os.environ["WORLD_SIZE"])
    if size != processes:
        raise ValueError(
            f"the run takes {processes} processes and torchrun started {size};"
            f" use --nproc-per-node {processes}"
        )
    # Numbers and decisions are on the CPU, gradients where the model is.
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    torch.distributed.init_process_group(backend, timeout=_PATIENCE)
    try:
        yield Group(int(os.environ["RANK"]), size, int(os.environ["LOCAL_RANK"]))
    finally:
        torch.distributed.destroy_process_group()


@contextmanager
def _talking() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise LostProcess(f"another process of this run has ended: {error}") from None
