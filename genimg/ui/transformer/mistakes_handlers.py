"""The classic mistakes in attention, as HTML for their tab: plain functions, no Gradio."""

import html
import math

import numpy as np

from genimg.explore.mistakes import (
    DEPTHS,
    MISTAKES,
    Examined,
    examine,
    gradients_by_depth,
    test_code,
)
from genimg.render import data_uri, heat_map
from genimg.ui.texts import attribute, named, say, span

_MAP_PIXELS = 256
_BAR, _HEIGHT, _DECADES = 14, 60, 8  # of the bars of gradients; powers of ten that they span


def choices() -> list[tuple[str, str]]:
    """Return (what to show, name) of each mistake."""
    return [(named("mistake", name, each.title), name) for name, each in MISTAKES.items()]


def comparison(name: str) -> str:
    """Return HTML: the right module and a mistake, run now, and the test that tells them apart.

    Raises:
        ValueError: there is no such mistake.
    """
    right, wrong = examine(name)
    high = max(float(each.weights.max()) for each in (right, wrong) if each.weights is not None)
    symptom = named("symptom", name, MISTAKES[name].symptom)
    verdict = say("transformer.mistakes.verdict", right=_verdict(right), wrong=_verdict(wrong))
    return (
        f"<p>{span(symptom)}</p>"
        f'<div class="pair">{_side(say("transformer.mistakes.right"), right, high)}'
        f"{_side(say('transformer.mistakes.wrong'), wrong, high)}</div>"
        f"<h3>{span(say('transformer.mistakes.test'))}</h3>{_code(test_code(name))}"
        f"<p>{span(verdict)}</p>"
    )


def depth() -> str:
    """Return HTML: how much gradient reaches each layer of deep Transformers, built five ways."""
    found = [gradients_by_depth(each) for each in DEPTHS]
    floor = max(float(each.max()) for each in found) / 10**_DECADES
    rows = "".join(
        f"<figure><figcaption>{span(named('depth', each.title))}</figcaption>"
        f"{_bars(gradients, floor)}<p>{span(_in_words(gradients))}</p></figure>"
        for each, gradients in zip(DEPTHS, found, strict=True)
    )
    return f'<div class="depth">{rows}</div>'


def _verdict(examined: Examined) -> str:
    passes, fails = say("transformer.mistakes.passes"), say("transformer.mistakes.fails")
    return passes if examined.passes else fails


def _side(title: str, examined: Examined, high: float) -> str:
    return (
        f"<section><h3>{span(title)}</h3>{_code(examined.code)}{_map(examined, high)}"
        f"{_numbers(examined)}</section>"
    )


def _map(examined: Examined, high: float) -> str:
    if examined.weights is None:
        return f'<p class="error" lang="en">{html.escape(examined.error)}</p>'  # Python's words
    picture = heat_map(examined.weights, low=0, high=high, size_px=_MAP_PIXELS)
    alternative = attribute("alt", say("transformer.mistakes.map"))
    address = data_uri(np.asarray(picture), "png")
    caption = span(say("transformer.mistakes.map_caption"))
    return f'<img src="{address}" {alternative}><p>{caption}</p>'


def _numbers(examined: Examined) -> str:
    if examined.weights is None:
        return ""
    low, high = examined.row_sums
    entropy = say("transformer.mistakes.no_entropy")
    if math.isfinite(examined.entropy):
        entropy = say("transformer.mistakes.nats", entropy=f"{examined.entropy:.2f}")
    sums = f"{low:.2f}"
    if high - low > 0.005:
        sums = say("transformer.mistakes.from_to", low=sums, high=f"{high:.2f}")
    rows = {
        say("transformer.mistakes.entropy"): entropy,
        say("transformer.mistakes.sums"): sums,
        say("transformer.mistakes.leak"): f"{examined.leak:.2f}",
    }
    cells = "".join(
        f"<tr><th>{span(name)}</th><td>{span(value)}</td></tr>" for name, value in rows.items()
    )
    return f"<table>{cells}</table>"


def _code(text: str) -> str:
    return f"<pre><code>{html.escape(text)}</code></pre>"


def _bars(gradients: np.ndarray, floor: float) -> str:
    """Return bars on a logarithmic scale from `floor`, the first layer on the left."""
    heights = np.log10(np.maximum(gradients, floor) / floor) / _DECADES * _HEIGHT
    bars = "".join(
        f'<rect x="{layer * _BAR}" y="{_HEIGHT - height:.1f}" width="{_BAR - 3}"'
        f' height="{max(height, 0.5):.1f}"/>'
        for layer, height in enumerate(heights)
    )
    width = _BAR * len(gradients)
    return f'<svg viewBox="0 0 {width} {_HEIGHT}" aria-hidden="true">{bars}</svg>'


def _in_words(gradients: np.ndarray) -> str:
    first, last = float(gradients[0]), float(gradients[-1])
    if not first:
        return say("transformer.mistakes.no_gradient")
    return say("transformer.mistakes.gradient", first=f"{first:,.0f}", last=f"{last:,.0f}")
