import json
import shutil

import pytest

from genimg import checkpoints, load


@pytest.fixture
def mine(transformers, tmp_path):
    """A copy of a small image GPT."""
    return shutil.copytree(transformers / "gpt", tmp_path / "mine")


def test_the_numbers_are_the_librarys(call, mine):
    outcome = call("heads", mine, "--json", "--count", 3, "--seed", 2)
    assert outcome.code == 0
    assert json.loads(outcome.out) == load(mine).measure_heads(3, seed=2).rows()


def test_a_line_for_each_head(call, mine):
    outcome = call("heads", mine, "--count", 1)
    heading, *lines = outcome.out.splitlines()
    assert heading.split() == ["layer", "head", "effect", "distance", "entropy", "class", "share"]
    assert [line.split()[:2] for line in lines] == [[a, b] for a in "01" for b in "01"]


def test_write_keeps_them_on_the_card_and_nothing_else_changes(call, mine):
    before = checkpoints.read_card(mine)
    assert call("heads", mine, "--count", 3).code == 0
    assert checkpoints.read_card(mine) == before
    outcome = call("heads", mine, "--count", 3, "--write", "--json")
    card = checkpoints.read_card(mine)
    heads = card.pop("heads")
    assert card == before
    assert heads["table"] == json.loads(outcome.out)
    assert heads["drawings"] == 3
    assert heads["command"].endswith("--count 3 --seed 0")
    assert "## Heads" in (mine / "README.md").read_text()
    assert "class share" in call("checkpoints", "show", mine).out


def test_only_an_image_gpt_draws(refuse, transformers):
    assert "image GPT" in refuse("heads", transformers / "vit")
    assert "--count" in refuse("heads", transformers / "gpt", "--count", 0)
