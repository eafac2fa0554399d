"""The facts about a trained model: which entries a card may have, and the card for people.

A card may come from a stranger, and it is shown by a page and by a terminal. So it is checked once,
where it is read or written, and trusted from there on.
"""

import unicodedata
from collections.abc import Callable
from typing import Any

HEAD_FIGURES = ("effect", "distance", "entropy", "class_share")
"""What the table of heads says of each head: see `genimg.explore.head_table.HeadTable`."""


def check_card(card: dict[str, Any]) -> None:
    """Refuse a card that a page or a terminal could not show.

    Texts are one line; numbers are finite, and below 2^63. The entries that genimg itself writes
    have the types of `ENTRIES`; any other one is a text, a number, true, false, null, or lists and
    objects of these, at most three deep.

    Raises:
        ValueError: the sentence names the entry.
    """
    for name, value in card.items():
        wanted, is_good = ENTRIES.get(name, ("made of texts of one line and numbers", _is_plain))
        if not _is_text(name) or not is_good(value):
            raise ValueError(f"{name!a} must be {wanted}")


def card_text(card: dict[str, Any]) -> str:
    """Return a card as Markdown."""
    lines = [f"# {card.get('title', 'A genimg checkpoint')}", "", "![samples](preview.png)", ""]
    lines += ["| | |", "|---|---|"]
    lines += [
        f"| {key.replace('_', ' ')} | {_in_words(value)} |"
        for key, value in card.items()
        if key not in ("title", "metrics", "metrics_command", "directions", "heads")
    ]
    metrics = card.get("metrics", {})
    if metrics:
        lines += ["", "## Measured", "", f"`{card.get('metrics_command', '')}`", ""]
        lines += ["| metric | value | how |", "|---|---|---|"]
        for name, entry in metrics.items():
            details = ", ".join(
                f"{key.replace('_', ' ')} {value}"
                for key, value in entry.items()
                if key not in ("value", "attributes")
            )
            lines.append(f"| {name.replace('_', ' ')} | {entry['value']:.4g} | {details} |")
        lines += _attribute_table(metrics)
    lines += _direction_table(card.get("directions", []))
    lines += _head_table(card.get("heads", {}))
    return "\n".join(lines) + "\n"


def _attribute_table(metrics: dict[str, Any]) -> list[str]:
    """Return lines with one row for each attribute that was measured by itself, if any was."""
    by_attribute = {
        name.replace("_", " "): entry["attributes"]
        for name, entry in metrics.items()
        if isinstance(entry.get("attributes"), dict)
    }
    if not by_attribute:
        return []
    lines = [
        "",
        f"| attribute | {' | '.join(by_attribute)} |",
        "|---" * (len(by_attribute) + 1) + "|",
    ]
    for attribute in dict.fromkeys(name for values in by_attribute.values() for name in values):
        cells = [values.get(attribute, "") for values in by_attribute.values()]
        lines.append(f"| {attribute} | {' | '.join(map(_in_cell, cells))} |")
    return lines


def _direction_table(directions: list[dict[str, Any]]) -> list[str]:
    """Return lines with one row for each named direction, if there are any."""
    if not directions:
        return []
    lines = ["", "## Directions", ""]
    lines += ["What adding each moves most, in standard deviations of what is measured.", ""]
    lines += ["| direction | moves |", "|---|---|"]
    for entry in directions:
        strongest = sorted(entry["effects"].items(), key=lambda effect: -abs(effect[1]))[:4]
        moved = ", ".join(f"{name} {amount:+.2f}" for name, amount in strongest)
        lines.append(f"| {entry['name']} | {moved} |")
    return lines


def _head_table(heads: dict[str, Any]) -> list[str]:
    """Return lines with one row for each head, if they were measured."""
    if not heads:
        return []
    lines = ["", "## Heads", "", f"`{heads['command']}`", ""]
    lines += [
        "Without guidance: how much less likely drawings become without the head, in nats per"
        " token; how far away it looks, in patches; the entropy of its attention, in nats; and the"
        " share of it that the class token gets.",
        "",
        f"| layer | head | {' | '.join(name.replace('_', ' ') for name in HEAD_FIGURES)} |",
        "|---" * (2 + len(HEAD_FIGURES)) + "|",
    ]
    for row in heads["table"]:
        figures = " | ".join(f"{row[name]:.3g}" for name in HEAD_FIGURES)
        lines.append(f"| {row['layer']} | {row['head']} | {figures} |")
    return lines


def _in_cell(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else _in_words(value)


def _in_words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_in_words(entry)}" for name, entry in value.items())
    if isinstance(value, list):
        return ", ".join(map(_in_words, value))
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return str(value)


def _is_text(value: Any) -> bool:
    # A terminal obeys control characters, and half a surrogate pair cannot be sent to a browser.
    refused = ("Cc", "Cs", "Zl", "Zp")
    return isinstance(value, str) and not any(unicodedata.category(c) in refused for c in value)


def _is_number(value: Any) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and abs(value) < 2**63  # false for NaN


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and _is_number(value) and value >= 0


def _is_plain(value: Any, depth: int = 3) -> bool:
    if isinstance(value, dict):
        return all(map(_is_text, value)) and _is_plain(list(value.values()), depth)
    if isinstance(value, list):
        return depth > 0 and all(_is_plain(entry, depth - 1) for entry in value)
    return value is None or isinstance(value, bool) or _is_number(value) or _is_text(value)


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_counts(value: Any) -> bool:
    return isinstance(value, dict) and _is_plain(value) and all(map(_is_count, value.values()))


def _is_metrics(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and _is_plain(value)
        and all(isinstance(m, dict) and _is_number(m.get("value")) for m in value.values())
    )


def _is_directions(value: Any) -> bool:
    return (
        isinstance(value, list)
        and all(isinstance(entry, dict) and set(entry) == {"name", "effects"} for entry in value)
        and all(_is_text(entry["name"]) and isinstance(entry["effects"], dict) for entry in value)
        and all(
            _is_text(name) and _is_number(amount)
            for entry in value
            for name, amount in entry["effects"].items()
        )
        and len({entry["name"] for entry in value}) == len(value)
    )


def _is_heads(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == {"drawings", "seed", "command", "table"}
        and _is_count(value["drawings"])
        and _is_count(value["seed"])
        and _is_text(value["command"])
        and isinstance(value["table"], list)
        and all(map(_is_head, value["table"]))
    )


def _is_head(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == {"layer", "head", *HEAD_FIGURES}
        and _is_count(value["layer"])
        and _is_count(value["head"])
        and all(_is_number(value[name]) for name in HEAD_FIGURES)
    )


_TEXT = ("a text of one line", _is_text)
_COUNT = ("a whole number from 0", _is_count)
_NUMBER = ("a number", _is_number)
ENTRIES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "title": _TEXT,
    "kind": _TEXT,
    "preset": _TEXT,
    "dataset": _TEXT,
    "dataset_images": _COUNT,
    "dataset_source": _TEXT,
    "classes": ("a list of names", _is_names),
    "size": _COUNT,
    "parameters": ("whole numbers by name", _is_counts),
    "images_seen": _COUNT,
    "epochs": _NUMBER,
    "minutes": _NUMBER,
    "hardware": _TEXT,
    "precision": _TEXT,
    "batch_size": _COUNT,
    "seed": _COUNT,
    "torch": _TEXT,
    "initial_weights": _TEXT,
    "parent": _TEXT,
    "validation_loss": _NUMBER,
    "license": _TEXT,
    "attribution": _TEXT,
    "metrics": ("objects with a number called value, by name", _is_metrics),
    "metrics_command": _TEXT,
    "directions": ("different names, each with effects that are numbers", _is_directions),
    "heads": ("drawings, seed, command and a table with the figures of each head", _is_heads),
}
