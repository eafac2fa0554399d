import numpy as np
import pytest

from genimg.ui.gan.sliders import acting, moves, moves_sent


class Stub:
    """A GAN whose directions change its picture by known amounts."""

    classes = ()
    named_directions = {}

    def __init__(self, *strengths):
        self.strengths = strengths

    def picture(self, *, seed, label, directions=()):
        amount = sum(abs(a) * s for a, s in zip(directions, self.strengths, strict=False))
        return np.full((2, 2, 1), 10 + amount, np.uint8)


@pytest.mark.parametrize(
    ("strengths", "count"), [((60, 30, 9), 2), ((60, 3, 30), 3), ((60,), 1), ((0, 0), 2)]
)
def test_sliders_end_with_the_last_direction_that_acts(strengths, count):
    assert acting(Stub(*strengths), len(strengths)) == count


def test_what_a_model_lacks_does_not_move_it(shelf):
    with shelf.use(shelf.names[0]) as style:
        known = style.config.latent_dimensions
        made = moves([1.0], [0.5] * (known + 4), style)
    assert made == {"directions": [1.0], "latents": dict.fromkeys(range(known), 0.5)}


def test_moves_from_a_browser_are_checked():
    assert moves_sent([1], {"3": 0.5}) == {"directions": [1], "latents": {3: 0.5}}
    for directions, latents in [(None, {}), ([], {"x": 1}), ([], [1])]:
        with pytest.raises(ValueError, match="make it again"):
            moves_sent(directions, latents)
