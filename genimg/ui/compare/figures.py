"""The table of the Compare tab: what was measured of a GAN and of an image GPT."""

import html
from collections.abc import Sequence
from typing import Any

from genimg.explore import DrawerModel, GanModel

_MEASURED = (
    ("frechet_distance", "Distance to real pictures (FD)", "0 would be real pictures"),
    ("precision", "Precision", "share of its pictures that look like real ones"),
    ("recall", "Recall", "share of real pictures that it could have made"),
    ("class_accuracy", "Class accuracy", "how often the class is the one that was asked for"),
    ("nearest_training_ratio", "Nearest-training ratio", "well under 1 would mean copies"),
    ("test_negative_log_likelihood", "Nats a token on test pictures", "how probable it finds them"),
)
_ABILITIES = (
    ("Says how probable a picture is", False, True),
    ("Finishes a picture of which a part is given", False, True),
    ("Shows what it looked at", False, True),
    ("Draws in one step", True, False),
    ("Moves a picture by sliders, and walks from one to another", True, False),
    ("Finds the code of a picture of yours", True, False),
)
_NOT_MEASURED = "–"


def figures(gan: GanModel, drawer: DrawerModel, seconds: Sequence[float]) -> str:
    """Return HTML: a table with a row for each figure and a column for each model.

    Args:
        seconds: how long a picture of each takes on this machine.
    """
    infos = gan.info, drawer.info
    rows = [
        _row(title, hint, [_measured(info, name) for info in infos])
        for name, title, hint in _MEASURED
        if any(name in info.get("metrics", {}) for info in infos)
    ]
    times = [f"{1000 * each:,.0f} ms" for each in seconds]
    rows.append(_row("One picture takes", "measured on this machine, on one thread", times))
    sizes = [_count(sum(info.get("parameters", {}).values())) for info in infos]
    rows.append(_row("Parameters", "numbers that were learned, with all its parts", sizes))
    rows.append(_row("Trained for", "", [_minutes(info) for info in infos]))
    abilities = [
        _row(title, "", ["yes" if able else "no" for able in both]) for title, *both in _ABILITIES
    ]
    head = "<tr><th></th><th>The GAN</th><th>The Transformer</th></tr>"
    return (
        f"<table><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>"
        f"<h2>What each can do</h2><table><thead>{head}</thead>"
        f"<tbody>{''.join(abilities)}</tbody></table>"
    )


def _row(title: str, hint: str, cells: Sequence[str]) -> str:
    said = f"<small>{hint}</small>" if hint else ""
    shown = "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
    return f'<tr><th scope="row">{title}{said}</th>{shown}</tr>'


def _measured(info: dict[str, Any], name: str) -> str:
    metrics = info.get("metrics", {})
    if name not in metrics:
        return _NOT_MEASURED
    value = metrics[name]["value"]
    return f"{value:.3g}" if abs(value) < 10 else f"{value:,.1f}"


def _count(number: int) -> str:
    return f"{number / 1e6:.1f} million" if number else _NOT_MEASURED


def _minutes(info: dict[str, Any]) -> str:
    if "minutes" not in info:
        return _NOT_MEASURED
    seen = f", {info['images_seen']:,} pictures" if "images_seen" in info else ""
    return f"{info['minutes']:.0f} minutes{seen}"
