import re

import numpy as np
import pytest
import torch

from genimg.training.game_starts import STARTS
from genimg.training.objectives import OBJECTIVES
from genimg.ui.gan.components import STATIC
from genimg.ui.gan.game_diagram import FORMULAS, PARTS


def value_of(formula, real, fake):
    """Compute a formula as it stands on the page."""
    code = formula.replace("−", "-").replace("D(G(z))", "fake").replace("D(x)", "real")
    code = re.sub(r"mean log (\w+)", r"mean(log(\1))", code)
    code = re.sub(r"mean log\(([^)]+)\)", r"mean(log(\1))", code)
    sigmoid = [1 / (1 + np.exp(-scores)) for scores in (real, fake)]
    names = {"mean": np.mean, "log": np.log, "real": sigmoid[0], "fake": sigmoid[1]}
    return eval(code, {"__builtins__": {}}, names)


@pytest.mark.parametrize("objective", FORMULAS)
def test_the_formulas_are_what_the_code_computes(objective):
    real, fake = np.random.default_rng(0).normal(size=(2, 32)) * 2
    sides = OBJECTIVES[objective].discriminator, OBJECTIVES[objective].generator
    for formula, side in zip(FORMULAS[objective], sides, strict=True):
        computed = side(torch.from_numpy(real), torch.from_numpy(fake)).item()
        assert value_of(formula, real, fake) == pytest.approx(computed, rel=1e-9)


def test_every_objective_of_the_game_has_formulas():
    assert {start.rules.objective for start in STARTS.values()} <= FORMULAS.keys()


def test_every_part_has_a_place_in_both_layouts():
    script = (STATIC / "game_diagram.js").read_text(encoding="utf-8")
    for places in re.findall(r"places: \{(.*?)\}", script, re.DOTALL):
        assert set(re.findall(r"(\w+): \[", places)) == PARTS.keys()
    for edges in re.findall(r"edges: \{(.*?)\}", script, re.DOTALL):
        ends = [edge.split("-") for edge in re.findall(r"'([\w-]+)':", edges)]
        assert {part for edge in ends for part in edge} == PARTS.keys()
