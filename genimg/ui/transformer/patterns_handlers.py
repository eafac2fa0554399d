"""Who sees whom in three attentions, as HTML: plain functions, no Gradio.

Shown on a picture of 8 x 8 tokens, on which one can still count.
"""

import re
from typing import Any

import numpy as np

from genimg.checks import require_whole_number
from genimg.models.attention_patterns import ATTENTIONS, Pattern, pattern_of, reach
from genimg.render import data_uri, enlarge
from genimg.render.colors import color_table
from genimg.ui.texts import attribute, say, span

SIDE = 8
TOKENS = SIDE * SIDE
MOST_LAYERS = 6
FIRST: dict[str, Any] = {
    "attention": "window",
    "length": 8,
    "memory": 8,
    "layers": 3,
    "token": 44,
}
"""What is on the screen before anyone touched anything: the arguments of `shown`."""

_CELL = 34  # of the picture of tokens, in units of its drawing
_UNHEARD = (214, 211, 209)
_MATRIX_PIXELS = 5 * (TOKENS + 1)


def choices() -> list[tuple[str, str]]:
    """Return (what to show, name) of each attention."""
    return [(say(f"transformer.patterns.{name}"), name) for name in ATTENTIONS]


def linked(text: str) -> tuple[str, int, int, int, int]:
    """Return the arguments of `shown` that a link holds: `window-8-8-3-44`.

    Raises:
        ValueError: it is something else; one sentence.
    """
    found = re.fullmatch(r"([a-z]{1,20})" + r"-(\d{1,4})" * 4, text, re.ASCII)
    if found is None:
        raise ValueError(say("transformer.patterns.damaged"))
    attention, *numbers = found.groups()
    length, memory, layers, token = map(int, numbers)
    return attention, length, memory, layers, token


def shown(attention: Any, length: Any, memory: Any, layers: Any, token: Any) -> str:
    """Return HTML: who hears of whom through so many layers, all together and for one token.

    Args:
        attention: one of `ATTENTIONS`.
        length: tokens of the window or of a segment.
        memory: tokens that segments remember.
        layers: 1 to `MOST_LAYERS`.
        token: of the picture, from 0, the one that is predicted.

    Raises:
        ValueError: one of them is something else.
    """
    if attention not in ATTENTIONS:
        raise ValueError(say("transformer.patterns.no_such", names=list(ATTENTIONS)))
    require_whole_number("the length", length, 1, TOKENS)
    require_whole_number("the memory", memory, 0, TOKENS)
    require_whole_number("the layers", layers, 1, MOST_LAYERS)
    require_whole_number("the token", token, 0, TOKENS - 1)
    positions = TOKENS + 1
    pattern = pattern_of(
        attention, length=positions, window=int(length), segment=int(length), memory=int(memory)
    )
    rows = pattern.rows(0, positions)
    heard = reach(rows, MOST_LAYERS).numpy()  # (T, T)
    remembered = pattern.remembered(positions)[token].numpy()
    within = np.where(heard <= layers, heard, 0)
    return (
        f'<div class="pair"><figure>{_tokens(within[token], remembered, int(token))}'
        f"<figcaption>{span(_caption(pattern, int(token)))}</figcaption></figure>"
        f'<figure><img src="{_matrix(within)}"'
        f" {attribute('alt', say('transformer.patterns.matrix'))}>"
        f"<figcaption>{span(say('transformer.patterns.matrix_caption'))}</figcaption></figure>"
        f"</div>{_legend(int(layers))}"
        f"<p>{span(_sums(heard[token], int(token), int(rows.sum()), positions))}</p>"
    )


def _tokens(heard: np.ndarray, remembered: np.ndarray, token: int) -> str:
    """Return the class and the picture's tokens, each with the layers it takes to hear of it.

    The position that predicts a token is the one before it in the sequence, which begins with the
    class: so position `token` predicts token `token`, and tokens from it on are not there yet.
    """
    parts = [_cell(0, 0, say("transformer.class"), heard[0], False)]
    for place in range(TOKENS):
        row, column = divmod(place, SIDE)
        position = place + 1
        if place < token:
            parts.append(_cell(column + 1.5, row, "", heard[position], bool(remembered[position])))
        else:
            kind = "predicted" if place == token else "to-come"
            parts.append(_rectangle(column + 1.5, row, f'class="{kind}"'))
    width, height = (SIDE + 1.5) * _CELL, SIDE * _CELL
    words = attribute("aria-label", say("transformer.patterns.tokens", token=token))
    return (
        f'<svg viewBox="-1 -1 {width + 2} {height + 2}" role="img" {words}>{"".join(parts)}</svg>'
    )


def _cell(x: float, y: float, name: str, layers: int, remembered: bool) -> str:
    red, green, blue = _color(layers)
    look = f'fill="rgb({red},{green},{blue})"'
    look += ' class="remembered"' if remembered else ""
    dark = 0.3 * red + 0.59 * green + 0.11 * blue < 128
    text = f"{layers}" if layers else "·"
    left, top = (x + 0.5) * _CELL, (y + 0.5) * _CELL
    label = f'<text x="{left}" y="{top + 30}" class="name">{_name(name)}</text>' if name else ""
    return (
        f'{_rectangle(x, y, look)}<text x="{left}" y="{top + 4}"'
        f' fill="{"#fff" if dark else "#000"}">{text}</text>{label}'
    )


def _name(words: str) -> str:
    return span(words).replace("<span", "<tspan").replace("</span", "</tspan")


def _rectangle(x: float, y: float, look: str) -> str:
    side = _CELL - 3
    return (
        f'<rect x="{x * _CELL + 1.5}" y="{y * _CELL + 1.5}" width="{side}" height="{side}"'
        f' rx="4" {look}/>'
    )


def _matrix(heard: np.ndarray) -> str:
    """Return the address of a picture of who hears of whom, a pixel for each pair.

    The page hides what lies above the diagonal.
    """
    colors = np.array([_color(layers) for layers in range(MOST_LAYERS + 1)], np.uint8)
    pixels = colors[heard]  # (T, T, 3)
    return data_uri(np.asarray(enlarge(pixels, _MATRIX_PIXELS)), "png")


def _color(layers: int) -> tuple[int, int, int]:
    if not layers:
        return _UNHEARD
    table = color_table("sequential")  # (257, 3), the strongest last
    red, green, blue = table[256 - round(210 * (layers - 1) / (MOST_LAYERS - 1))]
    return int(red), int(green), int(blue)


def _caption(pattern: Pattern, token: int) -> str:
    words = say("transformer.patterns.tokens_caption", token=token)
    if not pattern.recurrent:
        return words
    return say("frame.both", first=words, second=say("transformer.patterns.memory_caption"))


def _legend(layers: int) -> str:
    words = [
        (_color(layer), say("transformer.patterns.after", count=layer))
        for layer in range(1, layers + 1)
    ]
    squares = "".join(
        f'<span><i style="background:rgb{color}"></i>{span(said)}</span>'
        for color, said in [*words, (_UNHEARD, say("transformer.patterns.unheard"))]
    )
    return f'<p class="legend">{squares}</p>'


def _sums(heard: np.ndarray, token: int, pairs: int, positions: int) -> str:
    """Return how the receptive field of one token grows, and what a layer costs."""
    before = heard[: token + 1]
    counts = [int(((before > 0) & (before <= n)).sum()) for n in range(1, MOST_LAYERS + 1)]
    listed = list(map(str, counts[:-1]))
    growth = say(
        "transformer.patterns.growth",
        layers=MOST_LAYERS, listed=listed, last=counts[-1], positions=token + 1,
    )  # fmt: skip
    every = positions * (positions + 1) // 2
    cost = say(
        "transformer.patterns.cost",
        pairs=f"{pairs:,}", every=f"{every:,}", share=f"{pairs / every:.0%}",
    )  # fmt: skip
    return say("frame.both", first=growth, second=cost)
