"""What the discriminator says of a picture, among what it says of real and generated ones."""

import numpy as np

from genimg.explore.judging import UsualScores, share_below
from genimg.ui.texts import attribute, say, span

NOBODY_JUDGES = f"<p>{span(say('gan.gauge.nobody'))}</p>"
WAITING = f"<p>{span(say('gan.gauge.waiting'))}</p>"
_WIDTH, _HEIGHT, _BASE = 480, 104, 84  # of the histogram, and where its bars stand
_BARS = 24
_MARGIN = 0.05  # of the range, so that nothing stands at the very edge


def gauge(score: float, usual: UsualScores) -> str:
    """Return HTML: a histogram of the usual scores with a mark at `score`, and it in words.

    Args:
        score: the discriminator's logit for the picture.
        usual: its logits for other pictures.
    """
    groups = {"generated": usual.drawn} | ({} if usual.real is None else {"real": usual.real})
    everything = np.concatenate([*groups.values(), [score]])
    low, high = float(everything.min()), float(everything.max())
    low, high = low - _MARGIN * (high - low) - 1e-6, high + _MARGIN * (high - low) + 1e-6
    tallest = max(np.histogram(each, _BARS, (low, high))[0].max() for each in groups.values())
    x = _WIDTH * (score - low) / (high - low)
    words = _words(score, usual)
    shapes = "".join(
        f'<path class="{name}" d="{_outline(each, low, high, int(tallest))}"/>'
        for name, each in groups.items()
    )
    captions = _caption("generated", usual.drawn, low, high)
    captions += "" if usual.real is None else _caption("real", usual.real, low, high)
    called = attribute("aria-label", words)
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" {called}>{shapes}'
        f'<line class="here" x1="{x:.1f}" x2="{x:.1f}" y1="4" y2="{_BASE}"/>{captions}</svg>'
        f"<p>{span(words)}</p>"
    )


def _words(score: float, usual: UsualScores) -> str:
    said = {"score": f"{score:+.1f}", "generated": _share(usual.drawn, score)}
    if usual.real is None:
        return say("gan.gauge.no_real", **said)
    return say("gan.gauge.both", **said, real=_share(usual.real, score))


def _share(scores: np.ndarray, score: float) -> str:
    percent = round(100 * share_below(scores, score))
    if percent in (0, 100):  # of those that were looked at, which are not all there are
        return say("gan.gauge.nearly_all" if percent else "gan.gauge.almost_no")
    return say("gan.gauge.share", percent=say("number.percent", number=f"{percent}"))


def _outline(scores: np.ndarray, low: float, high: float, tallest: int) -> str:
    """Return the path of a histogram."""
    counts, _ = np.histogram(scores, _BARS, (low, high))
    step = _WIDTH / _BARS
    path = f"M0 {_BASE}"
    for index, count in enumerate(counts):
        y = _BASE - (_BASE - 8) * count / tallest
        path += f"L{index * step:.1f} {y:.1f}L{(index + 1) * step:.1f} {y:.1f}"
    return f"{path}L{_WIDTH} {_BASE}Z"


def _caption(name: str, scores: np.ndarray, low: float, high: float) -> str:
    """Return the name of a group below its middle; real ones a line lower, as the two may meet."""
    x = _WIDTH * (float(np.median(scores)) - low) / (high - low)
    y = _BASE + (20 if name == "real" else 12)
    # No HTML may be in a drawing.
    said = span(say(f"gan.gauge.{name}")).replace("span", "tspan")
    return f'<text x="{x:.0f}" y="{y}" text-anchor="middle">{said}</text>'
