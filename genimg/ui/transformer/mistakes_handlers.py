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

_MAP_PIXELS = 256
_BAR, _HEIGHT, _DECADES = 14, 60, 8  # of the bars of gradients; powers of ten that they span


def choices() -> list[tuple[str, str]]:
    """Return (what to show, name) of each mistake."""
    return [(mistake.title, name) for name, mistake in MISTAKES.items()]


def comparison(name: str) -> str:
    """Return HTML: the right module and a mistake, run now, and the test that tells them apart.

    Raises:
        ValueError: there is no such mistake.
    """
    right, wrong = examine(name)
    high = max(float(each.weights.max()) for each in (right, wrong) if each.weights is not None)
    verdict = (
        f"Run just now: it {_verdict(right)} on the right module and {_verdict(wrong)} on the"
        " mistake."
    )
    return (
        f"<p>{html.escape(MISTAKES[name].symptom)}</p>"
        f'<div class="pair">{_side("As it should be", right, high)}'
        f"{_side('The mistake', wrong, high)}</div>"
        f"<h3>The test that catches it</h3>{_code(test_code(name))}<p>{verdict}</p>"
    )


def depth() -> str:
    """Return HTML: how much gradient reaches each layer of deep Transformers, built five ways."""
    found = [gradients_by_depth(each) for each in DEPTHS]
    floor = max(float(each.max()) for each in found) / 10**_DECADES
    rows = "".join(
        f"<figure><figcaption>{html.escape(each.title)}</figcaption>"
        f"{_bars(gradients, floor)}<p>{_in_words(gradients)}</p></figure>"
        for each, gradients in zip(DEPTHS, found, strict=True)
    )
    return f'<div class="depth">{rows}</div>'


def _verdict(examined: Examined) -> str:
    return "passes" if examined.passes else "fails"


def _side(title: str, examined: Examined, high: float) -> str:
    return (
        f"<section><h3>{title}</h3>{_code(examined.code)}{_map(examined, high)}"
        f"{_numbers(examined)}</section>"
    )


def _map(examined: Examined, high: float) -> str:
    if examined.weights is None:
        return f'<p class="error">{html.escape(examined.error)}</p>'
    picture = heat_map(examined.weights, low=0, high=high, size_px=_MAP_PIXELS)
    words = "Attention of the first head: a row for each token that looks"
    address = data_uri(np.asarray(picture), "png")
    return f'<img src="{address}" alt="{words}"><p>{words}; one scale for both.</p>'


def _numbers(examined: Examined) -> str:
    if examined.weights is None:
        return ""
    low, high = examined.row_sums
    rows = {
        "Entropy of a row, on average": f"{examined.entropy:.2f} nats"
        if math.isfinite(examined.entropy)
        else "none: no distribution",
        "What a row sums to": f"{low:.2f} to {high:.2f}" if high - low > 0.005 else f"{low:.2f}",
        "What the last token changes in earlier ones": f"{examined.leak:.2f}",
    }
    cells = "".join(f"<tr><th>{name}</th><td>{value}</td></tr>" for name, value in rows.items())
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
        return "Nothing reaches the first layer."
    return f"{first:,.0f} at the first layer, {last:,.0f} at the last."
