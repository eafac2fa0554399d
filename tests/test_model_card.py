import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genimg import checkpoints
from genimg.checkpoints import CheckpointError
from genimg.cli.tables import facts_table, metrics_table
from genimg.model_card import ENTRIES, card_text, check_card
from genimg.models import KINDS
from genimg.ui.gan.handlers import GanHandlers
from genimg.ui.model_shelf import ModelShelf

GOOD = {
    "title": "A test",
    "classes": ["a", "b"],
    "size": 16,
    "parameters": {"generator": 12},
    "minutes": 1.5,
    "metrics": {"recall": {"value": 0.123456, "seed": 0, "draws": [1.0, 2.0], "by": {"a": None}}},
    "their own": [1, {"deep": [True, "text"]}],
}

HEAD = {
    "layer": 0, "head": 3, "effect": 0.2345, "distance": 1.5, "entropy": 2.0, "class_share": 0.1,
}  # fmt: skip
HEADS = {"drawings": 4, "seed": 0, "command": "python -m genimg heads x", "table": [HEAD]}

# All that JSON can say, also what only Python's reader takes for JSON.
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.just(10**400)
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=8)
    | st.sampled_from(["\x1b[2J", "two\nlines", "\ud800", "\u2028"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)


@pytest.fixture
def first_gan(tiny):
    """The handlers of a page that shows a GAN, and the folder of that GAN."""
    return GanHandlers(ModelShelf([str(tiny)])), tiny


@pytest.mark.parametrize("name", [*ENTRIES, "their own"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=ANYTHING)
def test_a_card_can_be_shown_or_is_refused_by_the_name_of_its_entry(first_gan, name, value):
    handlers, folder = first_gan
    handlers.shelf._models.clear()
    (folder / "card.json").write_text(json.dumps({name: value}))
    card, sentence = {}, ""
    try:
        card = checkpoints.read_card(folder)
    except CheckpointError as error:
        sentence = str(error)
    if sentence:
        assert f"{name!r} must be" in sentence
        assert "\n" not in sentence
        with pytest.raises(CheckpointError, match=f"{name!r} must be"):
            handlers.facts(str(folder))
        return
    shown = [handlers.facts(str(folder)), card_text(card).replace("\n", "")]
    metrics = card.pop("metrics", {})
    shown += [facts_table(card), metrics_table(metrics).replace("\n", "")]
    for text in shown:
        text.encode()  # what a browser and a terminal receive
        assert not re.search(r"[\x00-\x1f\x7f-\x9f]", text)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("title", ["a"]),
        ("dataset", {"a": 1}),
        ("hardware", "a\nb"),
        ("license", "\x1b[2J"),
        ("preset", "\ud800"),
        ("size", "32"),
        ("size", 32.0),
        ("size", True),
        ("images_seen", -1),
        ("seed", 2**63),
        ("minutes", float("nan")),
        ("epochs", float("inf")),
        ("epochs", None),
        ("classes", "abc"),
        ("classes", ["a", 1]),
        ("parameters", [1]),
        ("parameters", {"generator": "many"}),
        ("metrics", [1]),
        ("metrics", {"recall": 0.5}),
        ("metrics", {"recall": {}}),
        ("metrics", {"recall": {"value": {"deep": 1}}}),
        ("metrics", {"recall": {"value": 1, "how": "a\nb"}}),
        ("heads", []),
        ("heads", {}),
        ("heads", HEADS | {"seed": -1}),
        ("heads", HEADS | {"command": "a\nb"}),
        ("heads", HEADS | {"table": {}}),
        ("heads", HEADS | {"table": [{"layer": 0, "head": 0}]}),
        ("heads", HEADS | {"table": [HEAD | {"effect": None}]}),
        ("heads", HEADS | {"table": [HEAD | {"layer": 0.5}]}),
        ("heads", HEADS | {"more": 1}),
        ("their own", [[[[1]]]]),
        ("their own", {"a\nb": 1}),
        ("a\nb", 1),
    ],
)
def test_wrong_entries_are_neither_written_nor_read(tiny, name, value):
    with pytest.raises(ValueError, match=re.escape(f"{name!a} must be")):
        checkpoints.write_card(tiny, GOOD | {name: value})
    (tiny / "card.json").write_text(json.dumps(GOOD | {name: value}))
    with pytest.raises(CheckpointError, match=re.escape(f"{name!a} must be")):
        checkpoints.read(tiny)


def test_a_wrong_card_replaces_nothing(tiny):
    before = {file.name: file.read_bytes() for file in tiny.iterdir()}
    model = KINDS["mlp-gan"].build(checkpoints.read(tiny).config)
    with pytest.raises(ValueError, match="title"):
        checkpoints.write(tiny, kind="mlp-gan", model=model, card={"title": 3}, preview=b"")
    assert {file.name: file.read_bytes() for file in tiny.iterdir()} == before


@pytest.mark.parametrize("card", [GOOD, GOOD | {"heads": HEADS}])
def test_a_good_card_comes_back(tiny, card):
    checkpoints.write_card(tiny, card)
    assert checkpoints.read_card(tiny) == card


@pytest.mark.parametrize("name", checkpoints.names())
def test_the_cards_that_ship_are_good(name):
    card = checkpoints.read_card(checkpoints.SHIPPED / name)
    check_card(card)
    assert card["title"]


def test_the_text_names_every_entry():
    text = card_text(GOOD | {"images_seen": 1_234_567, "metrics_command": "python -m genimg"})
    assert text.startswith("# A test\n")
    assert "| images seen | 1,234,567 |" in text
    assert "| classes | a, b |" in text
    assert "| parameters | generator 12 |" in text
    assert "| their own | 1, deep True, text |" in text
    assert "| recall | 0.1235 | seed 0, " in text


def test_what_was_measured_of_each_attribute_is_a_table_of_its_own():
    metrics = {
        "attribute_accuracy": {"value": 0.75, "attributes": {"hair": 1.0, "hat": 0.5}},
        "attribute_error": {"value": 0.1, "attributes": {"hue": 0.1}, "range": "0 to 1"},
        "recall": {"value": 0.5, "seed": 0},
    }
    text = card_text({"metrics": metrics})
    assert "| attribute accuracy | 0.75 |  |" in text
    assert text.endswith(
        "\n\n| attribute | attribute accuracy | attribute error |\n|---|---|---|\n"
        "| hair | 1.000 |  |\n| hat | 0.500 |  |\n| hue |  | 0.100 |\n"
    )
    assert "| attribute |" not in card_text({"metrics": {"recall": {"value": 0.5}}})


def test_the_heads_are_a_table_of_their_own():
    text = card_text({"heads": HEADS})
    assert "`python -m genimg heads x`" in text
    assert text.endswith(
        "| layer | head | effect | distance | entropy | class share |\n"
        "|---|---|---|---|---|---|\n| 0 | 3 | 0.234 | 1.5 | 2 | 0.1 |\n"
    )
    assert "| heads |" not in text
