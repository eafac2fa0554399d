import json
import shlex
import shutil

import pytest

from genimg import checkpoints, cli, explore
from genimg.cli.tables import metrics_table


def test_json_is_all_that_a_gan_prints(call):
    outcome = call("evaluate", "tiny-style", "--json", "--count", 40, "--seed", 3)
    assert outcome.code == 0
    metrics = json.loads(outcome.out)
    assert metrics["frechet_distance"]["feature_net"] == "fashion-features"
    assert metrics["frechet_distance"]["generated"] == 40
    assert metrics["frechet_distance"]["seed"] == 3
    assert {"frechet_distance_floor", "class_accuracy", "nearest_training_ratio"} <= set(metrics)


def test_the_table_has_every_metric(call):
    outcome = call("evaluate", "fashion-features")
    assert outcome.code == 0
    assert "test accuracy" in outcome.out
    metrics = {"frechet_distance": {"value": 0.12345, "seed": 0}, "recall": {"value": 1.0}}
    lines = metrics_table(metrics).splitlines()
    assert len(lines) == 3
    assert "0.1235" in lines[1]
    assert (
        len({line.index(word) for line, word in zip(lines, ["value", "0.12", "1"], strict=True)})
        == 1
    )


def test_write_stores_the_numbers_in_the_card(call, shelf, tmp_path):
    mine = tmp_path / "mine"
    shutil.copytree(shelf / "fashion-features", mine)
    before = checkpoints.read(mine).card
    outcome = call("evaluate", mine, "--json", "--write")
    assert outcome.code == 0
    card = checkpoints.read(mine).card
    assert card.pop("metrics") == json.loads(outcome.out)
    assert card.pop("metrics_command").startswith("python -m genimg evaluate")
    assert card == before
    assert "test accuracy" in (mine / "README.md").read_text()


def test_without_write_the_card_stays(call, shelf):
    before = (shelf / "fashion-features" / "card.json").read_bytes()
    call("evaluate", "fashion-features", "--json")
    assert (shelf / "fashion-features" / "card.json").read_bytes() == before


def change_card(source, target, **facts):
    shutil.copytree(source, target)
    checkpoints.write_card(target, checkpoints.read(source).card | facts)
    return target


def test_a_feature_net_of_other_pictures_is_refused(refuse, shelf, tmp_path):
    other = change_card(shelf / "fashion-features", tmp_path / "other", dataset="kmnist")
    assert "kmnist" in refuse("evaluate", "tiny-style", "--feature-net", other)
    larger = change_card(shelf / "fashion-features", tmp_path / "larger", size=64)
    assert "64" in refuse("evaluate", "tiny-style", "--feature-net", larger)


def test_a_card_that_names_no_data_set_is_refused(refuse, shelf, tmp_path):
    bare = tmp_path / "bare"
    shutil.copytree(shelf / "tiny-mlp", bare)
    for facts in ({}, {"size": 32}, {"dataset": "mnist"}):
        checkpoints.write_card(bare, {"title": "bare"} | facts)
        assert "dataset" in refuse("evaluate", bare)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["nope"], "tiny-style"),
        (["tiny-style", "--feature-net", "nope"], "no checkpoint"),
        (["tiny-style", "--feature-net", "tiny-mlp"], "not a classifier"),
        (["tiny-style", "--count", "5"], "6 to"),
        (["nope", "--write"], "no checkpoint"),
    ],
)
def test_bad_requests_are_refused(refuse, arguments, reason):
    assert reason in refuse("evaluate", *arguments)


def test_it_says_which_pictures_it_measured_with(call):
    outcome = call("evaluate", "fashion-features", "--json")
    assert "12,000 training and 2,000 test pictures" in outcome.err
    assert "bundled sample" in outcome.err


def with_figures(shelf, folder, name, **counts):
    """A checkpoint whose card has figures of so many pictures."""
    metric = "test_accuracy" if "images" in counts else "frechet_distance"
    return change_card(shelf / name, folder / name, metrics={metric: {"value": 0.9} | counts})


def test_better_founded_figures_are_not_replaced(call, refuse, shelf, tmp_path):
    mine = with_figures(shelf, tmp_path, "fashion-features", images=10_000)
    said = refuse("evaluate", mine, "--write")
    assert "10,000 test pictures, these of 2,000" in said
    assert said.endswith("get the whole set with: python -m genimg data fetch fashion-mnist")
    gan = with_figures(shelf, tmp_path, "tiny-style", generated=100, real=2000)
    assert "draw as many with --count 100" in refuse("evaluate", gan, "--write", "--count", 40)
    before = checkpoints.read_card(mine), checkpoints.read_card(gan)
    outcome = call("evaluate", mine)
    assert outcome.code == 0
    assert "10,000 test pictures, these of 2,000: do not compare them" in outcome.err
    assert (checkpoints.read_card(mine), checkpoints.read_card(gan)) == before
    assert call("evaluate", gan, "--write", "--count", 100).code == 0  # as many replace them
    assert checkpoints.read_card(gan)["metrics"]["frechet_distance"]["value"] != 0.9


def test_a_distance_of_few_pictures_is_warned_of(call):
    outcome = call("evaluate", "tiny-style", "--json", "--count", 6)
    assert "warning: a Fréchet distance of 6 drawn and 2,000 real pictures is mostly" in outcome.err


@pytest.mark.parametrize("option", [["--count", 10], ["--seed", 0], ["--feature-net", "x"]])
def test_what_a_classifier_has_no_use_for_is_refused(refuse, option):
    said = refuse("evaluate", "fashion-features", *option)
    assert f"{option[0]} would change nothing" in said


def test_the_commands_on_the_cards_that_ship_are_accepted(monkeypatch):
    commands = [checkpoints.read_card(checkpoints.find(name)) for name in checkpoints.names()]
    for card in commands:
        if "metrics_command" in card:
            words = shlex.split(card["metrics_command"])[3:]
            options = cli._parser(words).parse_args(words)
            model = explore.load(options.name)
            if isinstance(model, explore.ClassifierModel | explore.TokenizerModel):
                assert not {"count", "seed"} & options.given
