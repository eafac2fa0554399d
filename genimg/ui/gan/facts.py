"""One line about a model and the machine."""

from typing import Any

from genimg.ui.messages import dataset_words
from genimg.ui.texts import beside, say


def facts_of(card: dict[str, Any], directions: int) -> str:
    """Return the line.

    Args:
        card: of the model.
        directions: how many of its directions deserve a slider.
    """
    parameters = card.get("parameters", {})
    generator, discriminator = parameters.get("generator"), parameters.get("discriminator")
    parts = [dataset_words(card.get("dataset", ""))]
    if generator:
        parts.append(say("gan.facts.parameters", number=f"{generator:,}"))
    parts.append(
        say("gan.facts.discriminator", number=f"{discriminator:,}")
        if discriminator
        else say("gan.facts.no_discriminator")
    )
    if "images_seen" in card:
        parts.append(say("gan.facts.seen", number=f"{card['images_seen']:,}"))
    if "minutes" in card:
        parts.append(say("gan.facts.minutes", number=f"{card['minutes']:g}"))
    parts += [say("gan.facts.cpu"), say("gan.facts.directions", number=directions)]
    return beside([part for part in parts if part])
