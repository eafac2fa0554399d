"""What attention costs in long sequences: time and memory against length, and bits at equal time.

    python benchmarks/long_sequences.py [--lengths N ...] [--repeats N]
    python benchmarks/long_sequences.py --train MINUTES

The first prints a line for each length and way to compute: the milliseconds of one attention layer
(batch 4, width 128, 4 heads) forward, and forward and backward, the least of a few repeats on one
thread, and by how many megabytes its process grew at most. Each line is measured in a process of
its own. "by mask" hands PyTorch the mask of all pairs; the others go through
`genimg.models.attention_patterns`, as the models do. Windows, segments and memories have 112
positions, four rows of 28 pixels.

The second trains the sizes of the preset `fashion-pixels` with each attention, and a gated PixelCNN
of as many weights, for so many minutes of the processor (not of the clock, so that a busy machine
disturbs none of them), all from seed 0 and on the same pictures in the same order. It prints the
pictures each has seen, and its loss on the first 200 test pictures in bits per dimension: a
dimension is a pixel of 16 greys. These bits compare with no others, such as those of 256 greys.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # where genimg is

# It sets how OpenMP waits, which only counts before torch is imported.
import genimg  # noqa: F401

# isort: split
import argparse
import math
import multiprocessing
import resource
import time

import torch

from genimg import data
from genimg.models.attention import MultiHeadSelfAttention
from genimg.models.attention_patterns import ATTENTIONS, Pattern
from genimg.models.drawer import Drawer
from genimg.models.pixelcnn import GatedPixelCnn, GatedPixelCnnConfig
from genimg.training.batches import batch_indices, batch_tensors
from genimg.training.presets import make_spec
from genimg.training.prior import NextTokenTask

_REACH = 112
_WIDTH, _HEADS, _BATCH = 128, 4, 4
_TEST_PICTURES = 200
_PIXELCNN = "gated PixelCNN"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    lengths = [256, 512, 784, 1024, 2048, 3136, 4096, 8192]
    parser.add_argument("--lengths", type=int, nargs="+", default=lengths)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--train", type=float, metavar="MINUTES")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.train:
        print(f"| {'model':<15} | weights | pictures | bits per dimension |", flush=True)
        for name in (*ATTENTIONS, _PIXELCNN):
            print(learn(name, options.train * 60), flush=True)
        return
    print("| length | computed by     | forward, ms | both, ms | forward, MB | both, MB |")
    for length in options.lengths:
        for name in ways(length):
            forward, forward_peak = apart(name, length, False, options.repeats)
            both, both_peak = apart(name, length, True, options.repeats)
            times = f"{forward:11.1f} | {both:8.1f}"
            peaks = f"{forward_peak:11.0f} | {both_peak:8.0f}"
            print(f"| {length:6} | {name:<15} | {times} | {peaks} |", flush=True)


def ways(length: int) -> dict[str, tuple[Pattern, bool]]:
    """Return the attentions over `length` positions, each with whether it gets a mask."""
    window = Pattern(_REACH, _REACH, sliding=True)
    return {
        "full": (Pattern(length), False),
        "window": (window, False),
        "recurrent": (Pattern(_REACH, _REACH, recurrent=True), False),
        "full, by mask": (Pattern(length), True),
        "window, by mask": (window, True),
    }


def apart(name: str, length: int, learns: bool, repeats: int) -> tuple[float, float]:
    """Return what `measure` does, of a process that has computed nothing before."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)

    def work() -> None:
        sender.send(measure(name, length, learns, repeats))

    process = context.Process(target=work)
    process.start()
    numbers = receiver.recv()
    process.join()
    return numbers


def measure(name: str, length: int, learns: bool, repeats: int) -> tuple[float, float]:
    """Return the milliseconds of a pass, and by how many megabytes the process grew at most."""
    pattern, by_mask = ways(length)[name]
    torch.manual_seed(0)
    layer = MultiHeadSelfAttention(_WIDTH, _HEADS, qk_norm=True)
    x = torch.randn(_BATCH, length, _WIDTH, requires_grad=learns)
    before, times = _largest_megabytes(), []
    with torch.set_grad_enabled(learns):
        for _ in range(repeats):
            started = time.process_time()
            seen = {"mask": pattern.rows(0, length)} if by_mask else {"pattern": pattern}
            y = layer(x, **seen)
            if learns:
                y.sum().backward()
            times.append(time.process_time() - started)
    return 1000 * min(times), _largest_megabytes() - before


def _largest_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def learn(name: str, seconds: float) -> str:
    """Train for so many seconds of the processor; return a line of the table."""
    changes = {"attention": name, "window": _REACH if name == "window" else 0}
    spec = make_spec("fashion-pixels", **changes if name in ATTENTIONS else {})
    torch.manual_seed(0)
    model = Drawer(spec.model)
    if name == _PIXELCNN:
        model.prior = GatedPixelCnn(GatedPixelCnnConfig())
    device, batch_size = torch.device("cpu"), spec.run.batch_size
    task = NextTokenTask(model, spec.task, device, "fp32")
    training = data.load("fashion-mnist", size=28, split="train")
    seen, started = 0, time.process_time()
    while (spent := time.process_time() - started) < seconds:
        torch.manual_seed(seen)
        indices = batch_indices(0, seen, batch_size, len(training))
        images, labels = batch_tensors(training, training.labels, indices, device)
        seen += batch_size
        progress = spent / seconds
        task.step(images, labels, step=seen // batch_size, images_seen=seen, progress=progress)
    test = data.load("fashion-mnist", size=28, split="test")
    losses = [
        task.validate(*batch_tensors(test, test.labels, part, device))
        for part in torch.arange(_TEST_PICTURES).split(20)
    ]
    bits = sum(losses) / len(losses) / math.log(2)
    weights = sum(p.numel() for p in model.prior.parameters())
    return f"| {name:<15} | {weights:7,} | {seen:8,} | {bits:18.3f} |"


if __name__ == "__main__":
    main()
