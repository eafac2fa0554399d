"""What several parts of the GAN tab call a score."""

from genimg.ui.texts import catalog, named, say


def score_words(name: str) -> str:
    """Return what the page calls a score, such as "glasses: round" or "brightness".

    It is also what a direction is called after (see `genimg.explore.named_directions`).
    """
    attribute, _, value = name.partition(": ")
    if value:
        key = f"gan.hue.{value}"
        called = say(key) if attribute.endswith("hue") and key in catalog("en") else None
        return say(
            "gan.score.value",
            attribute=named("attribute", attribute),
            value=called or named("value", value),
        )
    key = f"gan.appearance.{name}"
    return say(key) if key in catalog("en") else named("attribute", name)
