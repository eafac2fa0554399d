"""The words of the game's diagram: its parts, a sentence each, and the losses as formulas.

`static/game_diagram.js` draws it, with the numbers of the game.
"""

PARTS: dict[str, tuple[str, str]] = {
    "noise": ("Noise", "Random numbers: the only thing that the generator is given."),
    "generator": (
        "Generator",
        "Turns noise into pictures. It never sees a real one; all that it knows of them reaches it"
        " through the discriminator.",
    ),
    "generated": (
        "Generated",
        "What the generator makes. Its variety is how far apart these pictures lie: for real ones"
        " it is 1, and near 0 they are all alike.",
    ),
    "real": ("Real pictures", "Clothes of Fashion-MNIST, of 28 x 28 pixels."),
    "discriminator": (
        "Discriminator",
        "Looks at a picture and says how real it seems. It learns to tell real from generated.",
    ),
    "scores": (
        "Scores",
        "One number for each picture, on average here: above 0 it is called real, below 0"
        " generated. D, its sigmoid, is the probability of real.",
    ),
    "discriminator_loss": (
        "Discriminator's loss",
        "Small where real pictures score high and generated ones low. In the Training tab it is the"
        " curve Discriminator loss.",
    ),
    "generator_loss": (
        "Generator's loss",
        "Small where generated pictures score high. Its gradient comes back through the"
        " discriminator; in the Training tab it is the curve Generator loss.",
    ),
}
"""(title, what it is in a sentence or two) of each part."""

FORMULAS: dict[str, tuple[str, str]] = {
    "minimax": ("−mean log D(x) − mean log(1 − D(G(z)))", "mean log(1 − D(G(z)))"),
    "nonsaturating": ("−mean log D(x) − mean log(1 − D(G(z)))", "−mean log D(G(z))"),
}
"""What the discriminator and what the generator minimise, for the objectives of the game."""
