"""What the discriminator says of a picture, among what it says of real and generated ones."""

import numpy as np

from genimg.explore.judging import UsualScores, share_below

NOBODY_JUDGES = (
    "<p>This model ships without its discriminator, the network that it learned from by trying to"
    " deceive it, so nobody judges its pictures here.</p>"
)
WAITING = "<p>Asking the discriminator …</p>"
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
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{words}">{shapes}'
        f'<line class="here" x1="{x:.1f}" x2="{x:.1f}" y1="4" y2="{_BASE}"/>{captions}</svg>'
        f"<p>{words}</p>"
    )


def _words(score: float, usual: UsualScores) -> str:
    said = (
        "The discriminator learned to tell real pictures from generated ones. To this one it gives"
        f" {score:+.1f}: more than {_percent(usual.drawn, score)} of generated pictures get"
    )
    if usual.real is None:
        return f"{said}. No real ones are at hand to compare with."
    real = _percent(usual.real, score)
    return (
        f"{said}, and more than {real} of real ones. The further right, the more real a picture"
        " looks to it."
    )


def _percent(scores: np.ndarray, score: float) -> str:
    return f"{round(100 * share_below(scores, score))} %"


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
    return f'<text x="{x:.0f}" y="{y}" text-anchor="middle">{name}</text>'
