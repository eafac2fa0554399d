"""The words of the game's diagram: its parts, a sentence each, and the losses as formulas.

`static/game_diagram.js` draws it, with the numbers of the game.
"""

from genimg.ui.texts import say

PARTS: dict[str, tuple[str, str]] = {
    name: (say(f"gan.game.part.{name}"), say(f"gan.game.part.{name}.about"))
    for name in (
        *("noise", "generator", "generated", "real", "discriminator", "scores"),
        *("discriminator_loss", "generator_loss"),
    )
}
"""(title, what it is in a sentence or two) of each part."""

FORMULAS: dict[str, tuple[str, str]] = {
    name: (say("gan.game.formula.discriminator"), say(f"gan.game.formula.{name}"))
    for name in ("minimax", "nonsaturating")
}
"""What the discriminator and what the generator minimise, for the objectives of the game."""
