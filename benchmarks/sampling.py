"""How fast an image GPT draws, and what the cache of keys and values and the capture cost or save.

    python benchmarks/sampling.py [NAME] [--repeats N]

NAME is a checkpoint, its path or a run's folder, default `fashion-gpt`; `untrained` has the sizes
of that preset at 28 pixels and random weights. All times are seconds, medians of several rounds;
what is compared runs alternately, so that a busy machine disturbs both alike, and of the ratios of
all rounds the median is printed.

"1 image" and "64 images" go from the seed to pixels. "cached" and "uncached" are the tokens of 64
images by the same sampling code, with the cache of keys and values, and reading all tokens so far
anew for each token. "while drawing" is what it costs to capture all attention in all its steps;
"afterwards" the pass over the finished tokens of one image, as `Drawing` does it. "lens" is what
each layer would have drawn, of a finished drawing; "surgery" a drawing made again with a head off,
and how likely the first has become.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # where genimg is

# It sets how OpenMP waits, which only counts before torch is imported.
import genimg

# isort: split
import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

from genimg.checkpoints import Checkpoint
from genimg.explore import DrawerModel
from genimg.models.attention import Capture, KeyValueCache
from genimg.models.drawer import Drawer, DrawerConfig
from genimg.models.image_gpt import ImageGpt
from genimg.models.sampling import draw_tokens

_MANY = 64


class Uncached:
    """An image GPT that reads everything again for each token, where it is given a cache."""

    def __init__(self, prior: ImageGpt) -> None:
        self.num_tokens, self.unconditional = prior.num_tokens, prior.unconditional
        self._prior = prior
        self._seen: Tensor | None = None

    def __call__(self, tokens: Tensor, labels: Tensor, *, cache: KeyValueCache) -> Tensor:
        """Return the logits of the next token; the cache stays empty."""
        first = tokens.shape[1] == 0
        self._seen = tokens if first else torch.cat((self._seen, tokens), dim=1)
        return self._prior(self._seen, labels)


class Captured:
    """An image GPT that records what its attention computes with."""

    def __init__(self, prior: ImageGpt) -> None:
        self.num_tokens, self.unconditional = prior.num_tokens, prior.unconditional
        self._prior = prior
        self.capture = Capture(keep_values=True)

    def __call__(self, tokens: Tensor, labels: Tensor, *, cache: KeyValueCache) -> Tensor:
        """Return the logits of the next token."""
        return self._prior(tokens, labels, cache=cache, capture=self.capture)


def untrained() -> DrawerModel:
    """Return a model of the preset's sizes at 28 pixels, which draws noise as fast as pictures."""
    torch.manual_seed(0)
    config = DrawerConfig(size=28, dropout=0.0)
    network = Drawer(config).eval().requires_grad_(False)
    # Its head starts at zero; drawing must choose among unequal tokens.
    torch.nn.init.normal_(network.prior.head.weight, std=0.1)
    card = {"classes": [str(number) for number in range(config.classes)]}
    return DrawerModel(Checkpoint("untrained", "image-gpt", config, network, card, Path()))


def alternate(repeats: int, *ways: Callable[[], object]) -> list[list[float]]:
    """Run all ways in turn, once to warm up and then `repeats` times; return seconds of each."""
    times: list[list[float]] = [[] for _ in ways]
    for _ in range(repeats + 1):
        for way, taken in zip(ways, times, strict=True):
            start = time.perf_counter()
            way()
            taken.append(time.perf_counter() - start)
    return [taken[1:] for taken in times]


def ratio(slow: list[float], fast: list[float]) -> float:
    """Return the median of slow / fast over the rounds."""
    return statistics.median(a / b for a, b in zip(slow, fast, strict=True))


def measure(model: DrawerModel, threads: int, repeats: int) -> str:
    """Return the row of the table for a number of threads."""
    torch.set_num_threads(threads)
    prior = model.prior
    labels = torch.arange(_MANY) % len(model.classes)
    uniforms = torch.rand(_MANY, prior.num_tokens, generator=torch.Generator().manual_seed(0))

    def draw(network) -> Tensor:
        return draw_tokens(network, labels, uniforms)

    same = (draw(prior) == draw(Uncached(prior))).float().mean()
    if same < 0.9:  # rounding now and then carries a draw across the border between two tokens
        raise SystemExit(f"only {same:.0%} of the tokens are the same without the cache")

    def generate():
        return model.generate(label=0, seed=1)

    [one] = alternate(4 * repeats, generate)
    [many] = alternate(repeats, lambda: model.sample(_MANY, seed=1))
    cached, captured, uncached = alternate(
        repeats, lambda: draw(prior), lambda: draw(Captured(prior)), lambda: draw(Uncached(prior))
    )
    closed, opened = alternate(4 * repeats, generate, lambda: generate().maps.layers)
    drawing = generate()
    drawing.lens()  # the pass over its tokens is made once, and counted as "afterwards"
    lens, surgery = alternate(
        repeats, drawing.lens, lambda: model.ablate(drawing, heads={(0, 0): "off"})
    )
    measured = (one, many, cached, uncached, lens, surgery)
    times = [f"{statistics.median(taken):10.3f}" for taken in measured]
    return (
        f"{threads:7d}{''.join(times)} {ratio(uncached, cached):6.1f}x"
        f" {ratio(captured, cached):13.2f}x {ratio(opened, closed):10.2f}x"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", nargs="?", default="fashion-gpt")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    model = untrained() if options.name == "untrained" else genimg.load(options.name)
    if not isinstance(model, DrawerModel):
        raise SystemExit(f"{options.name} is no image GPT")
    parameters = sum(parameter.numel() for parameter in model.prior.parameters())
    print(f"genimg {genimg.__version__}, torch {torch.__version__}")
    print(
        f"{model.name}: {model.prior.num_tokens} tokens of {model.prior.config.vocabulary_size},"
        f" {parameters / 1e6:.1f} million parameters; medians of {options.repeats} rounds\n"
    )
    heads = ("1 image", f"{_MANY} images", "cached", "uncached", "lens", "surgery")
    print(
        f"{'threads':7s}{''.join(f'{head:>10s}' for head in heads)} {'ratio':>7s}"
        f" {'while drawing':>14s} {'afterwards':>11s}"
    )
    for threads in (1, 2):
        print(measure(model, threads, options.repeats), flush=True)


if __name__ == "__main__":
    main()
