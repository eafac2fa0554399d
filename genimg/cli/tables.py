"""Facts and metrics as aligned text.

Not by rich, whose tables break long cells at the width of the terminal: scripts read these.
"""

from collections.abc import Sequence
from typing import Any

from genimg.model_card import HEAD_FIGURES


def table(rows: Sequence[tuple[str, ...]]) -> str:
    """Return rows of equally many cells as lines with aligned columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def facts_table(facts: dict[str, Any]) -> str:
    """Return one line for each fact that is not itself a table."""
    return table([(_text(name.replace("_", " ")), _text(value)) for name, value in facts.items()])


def metrics_table(metrics: dict[str, dict[str, Any]]) -> str:
    """Return one line for each metric: name, value, how it was measured."""
    rows = [("metric", "value", "measured with")]
    for name, entry in metrics.items():
        details = {key: value for key, value in entry.items() if key != "value"}
        rows.append((_text(name.replace("_", " ")), _text(entry.get("value")), _text(details)))
    return table(rows)


def heads_table(rows: Sequence[dict[str, Any]]) -> str:
    """Return one line for each head of a card's table: see `genimg.explore.head_table`."""
    names = ("layer", "head", *HEAD_FIGURES)
    heads = [name.replace("_", " ") for name in names]
    return table([tuple(heads), *(tuple(f"{row[name]:.3g}" for name in names) for row in rows)])


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key.replace('_', ' ')} {_text(entry)}" for key, entry in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_text, value))
    if isinstance(value, float):
        return f"{value:.4g}"
    return plain("unknown" if value is None else str(value))


def plain(text: str) -> str:
    """Return a text, perhaps a stranger's, without control characters, which a terminal obeys."""
    return "".join(character if character.isprintable() else " " for character in text)
