"""The table of the Compare tab: what was measured of a GAN and of an image GPT."""

from collections.abc import Sequence
from typing import Any

from genimg.explore import DrawerModel, GanModel
from genimg.ui.texts import say, span

_MEASURED = (
    *("frechet_distance", "precision", "recall", "class_accuracy"),
    *("nearest_training_ratio", "test_negative_log_likelihood"),
)
# What the GAN, and the Transformer, can do.
_ABILITIES = {
    "probability": (False, True),
    "finishes": (False, True),
    "attention": (False, True),
    "one_step": (True, False),
    "sliders": (True, False),
    "code": (True, False),
}
_NOT_MEASURED = "–"
SIDES = ("gan", "drawer")
"""What is compared, by the end of the keys of its words."""


def figures(gan: GanModel, drawer: DrawerModel, seconds: Sequence[float]) -> str:
    """Return HTML: a table with a row for each figure and a column for each model.

    Args:
        seconds: how long a picture of each takes on this machine.
    """
    infos = gan.info, drawer.info
    rows = []
    for name in _MEASURED:
        if any(name in info.get("metrics", {}) for info in infos):
            cells = [_measured(info, name) for info in infos]
            rows.append(_row(say(f"compare.measured.{name}"), cells, say(f"compare.hint.{name}")))
    times = [say("compare.milliseconds", number=f"{1000 * each:,.0f}") for each in seconds]
    rows.append(_row(say("compare.time"), times, say("compare.hint.time")))
    sizes = [_count(sum(info.get("parameters", {}).values())) for info in infos]
    rows.append(_row(say("compare.parameters"), sizes, say("compare.hint.parameters")))
    rows.append(_row(say("compare.trained_for"), [_minutes(info) for info in infos]))
    said = {True: say("compare.yes"), False: say("compare.no")}
    abilities = [
        _row(say(f"compare.ability.{name}"), [said[able] for able in both])
        for name, both in _ABILITIES.items()
    ]
    sides = "".join(f"<th>{span(say(f'compare.side.{side}'))}</th>" for side in SIDES)
    head = f"<tr><th></th>{sides}</tr>"
    return (
        f"<table><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>"
        f"<h2>{span(say('compare.abilities'))}</h2><table><thead>{head}</thead>"
        f"<tbody>{''.join(abilities)}</tbody></table>"
    )


def _row(title: str, cells: Sequence[str], hint: str = "") -> str:
    said = f"<small>{span(hint)}</small>" if hint else ""
    shown = "".join(f"<td>{span(cell)}</td>" for cell in cells)
    return f'<tr><th scope="row">{span(title)}{said}</th>{shown}</tr>'


def _measured(info: dict[str, Any], name: str) -> str:
    metrics = info.get("metrics", {})
    if name not in metrics:
        return _NOT_MEASURED
    value = metrics[name]["value"]
    return f"{value:.3g}" if abs(value) < 10 else f"{value:,.1f}"


def _count(number: int) -> str:
    return say("compare.number", number={"compact": number}) if number else _NOT_MEASURED


def _minutes(info: dict[str, Any]) -> str:
    if "minutes" not in info:
        return _NOT_MEASURED
    minutes = f"{info['minutes']:.0f}"
    if "images_seen" not in info:
        return say("compare.minutes", minutes=minutes)
    seen = f"{info['images_seen']:,}"
    return say("compare.minutes_and_pictures", minutes=minutes, pictures=seen)
