"""A stand-in for Hugging Face's package `spaces` on ZeroGPU, as far as a page can tell (0.51.3).

Like the real one it pretends to the process of the page that there is a GPU, runs what is decorated
in a forked process that has it (here: that no longer pretends), sends arguments and results through
a pipe, and reports the start of the page only if something was decorated; without that report a
Space never comes up. What happened is in the folder that ZERO_GPU_SEEN names, a file for each kind.
"""

import multiprocessing
import os
import sys
from functools import partial, wraps
from pathlib import Path

_SEEN = Path(os.environ["ZERO_GPU_SEEN"])
_decorated = []


def _say(kind: str, text: str) -> None:
    with (_SEEN / kind).open("a") as file:
        file.write(f"{text}\n")


if "gradio" in sys.modules and not hasattr(sys.modules["gradio"], "Blocks"):
    raise ImportError("Gradio shall not import it while it is being imported itself")
_say("imported-after", " ".join(name for name in ("torch", "gradio") if name in sys.modules))

import gradio  # noqa: E402
import torch  # noqa: E402

_real = {name: getattr(torch.cuda, name) for name in ("is_available", "device_count")}
torch.cuda.is_available = lambda: True
torch.cuda.device_count = lambda: 1
_launch = gradio.Blocks.launch


@wraps(_launch)
def _launch_once(*arguments, **named):
    if _decorated:
        _say("started", str(len(_decorated)))
    gradio.Blocks.launch = _launch
    return _launch(*arguments, **named)


gradio.Blocks.launch = _launch_once


def GPU(task=None, *, duration=None, size=None):
    """Decorate a function that is to have a GPU for `duration` seconds."""
    if task is None:
        return partial(GPU, duration=duration, size=size)
    _decorated.append(task)

    @wraps(task)
    def lent(*arguments):
        _say("lent", f"{task.__name__} {duration}")
        receiver, sender = multiprocessing.Pipe(duplex=False)
        context = multiprocessing.get_context("fork")
        process = context.Process(target=_work, args=(sender, task, arguments), daemon=True)
        process.start()
        sender.close()
        result = receiver.recv()  # the real one waits no longer than `duration`; tests may be slow
        process.join()
        if isinstance(result, Exception):
            raise gradio.Error(f"ZeroGPU worker error: {type(result).__name__}")
        return result

    return lent


def _work(sender, task, arguments):
    for name, function in _real.items():
        setattr(torch.cuda, name, function)
    try:
        sender.send(task(*arguments))
    except Exception as error:
        sender.send(error)


def gradio_auto_wrap(function):
    """Leave a function as it is, as the real one does unless it is told otherwise."""
    return function
