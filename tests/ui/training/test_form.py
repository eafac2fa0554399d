import dataclasses

import pytest

from genimg.cli.options import Parser
from genimg.cli.train import add_preset, given_settings
from genimg.training.presets import PRESETS, make_spec, settings_of
from genimg.ui import texts
from genimg.ui.training import form

CHOICES = {
    "device": ["auto", "cpu"],
    "tokenizer": ["fashion-tokenizer", "portraits-tokenizer"],
    "size": [28, 32, 48, 64],
}
each_preset = pytest.mark.parametrize("preset", form.offered())


def fields(preset):
    found = form.sections(preset, CHOICES)
    return {field["name"]: field for section in found for field in section["fields"]}


@each_preset
def test_the_form_has_every_setting_and_its_help(preset):
    elsewhere = {"dataset", "images", "minutes", "channels", "classes", "init", "extend"}
    if not preset.endswith(
        ("-gpt", "-pixels", "-maskgit")
    ):  # the others' training does not validate
        elsewhere |= {"validations", "patience"}
    expected = {
        field.name: field.metadata["help"]
        for config in settings_of(PRESETS[preset]).values()
        for field in dataclasses.fields(config)
        if field.name not in elsewhere
    }
    assert {name: field["help"] for name, field in fields(preset).items()} == expected
    assert all(field["kind"] != "text" for field in fields(preset).values())


@each_preset
def test_the_presets_own_values_change_nothing(preset):
    shown = {name: field["value"] for name, field in fields(preset).items()}
    settings = form.given(preset, shown, CHOICES)
    assert make_spec(preset, **settings) == make_spec(preset)


def test_the_yardstick_is_not_offered():
    assert all(name.endswith("-features") for name in set(PRESETS) - set(form.offered()))
    assert not any(name.endswith("-features") for name in form.offered())
    for preset in ("fashion-features", "nonsense", None, 3):
        with pytest.raises(ValueError, match="choose one"):
            form.checked_preset(preset)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"dataset": "folder:/etc"}, "no setting 'dataset'"),
        ({"images": 3}, "no setting 'images'"),
        ({"init": "/etc"}, "no setting 'init'"),
        ({"extend": "/etc"}, "no setting 'extend'"),
        ({"tokenizer": "/etc"}, "tokenizer must be one of fashion-tokenizer"),
        ({"device": "cuda:9"}, "device must be one of auto, cpu"),
        ({"device": ["cpu"]}, "device must be one of"),
        ({"window": "a, b"}, "window must be a whole number"),
        ({"heads": float("nan")}, "heads must be a whole number"),
        ({"heads": None}, "heads must be a finite number$"),
        ({"__class__": 1}, "no setting"),
        (None, "did not arrive"),
        ([["seed", 1]], "did not arrive"),
    ],
)
def test_what_the_form_does_not_allow_is_refused_in_words(changes, words):
    with pytest.raises(ValueError, match=words):
        make_spec("fashion-gpt", **form.given("fashion-gpt", changes, CHOICES))


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("batch_size must be from 2 to 4096, not 0", "“Batch size” must be from 2 to 4096, not 0"),
        ("width must be from 1 to 9, not 0", "“Width” must be from 1 to 9, not 0"),
        ("minutes must be a finite number", "“Train for” must be a finite number"),
        (
            "lower discriminator_learning_rate or learning_rate, not the width",
            "lower “Discriminator learning rate” or “Learning rate”, not the width",
        ),
        ("the file my_batch_size.png is damaged", "the file my_batch_size.png is damaged"),
        ("images of no_setting must wait", "images of no_setting must wait"),
    ],
)
def test_settings_have_the_names_that_the_page_shows(message, said):
    assert form.in_page_words(message) == said
    assert form.in_page_words(said) == said


@each_preset
def test_every_setting_that_is_out_of_range_is_named_as_in_the_form(preset):
    for name, field in fields(preset).items():
        if field["low"] is None:
            continue
        low = field["low"] - 1
        with pytest.raises(ValueError, match="must be") as refused:
            make_spec(preset, **{name: [low] if field["kind"] == "list" else low})
        assert form.in_page_words(str(refused.value)).startswith(f"“{field['label']}” must be")


def test_lists_are_numbers_with_commas():
    changes = {"generator_widths": " 64, 32 16"}
    assert form.given("fashion-mlp", changes, CHOICES) == {"generator_widths": [64, 32, 16]}
    for text in ("64; 32", "wide", None, {}):
        with pytest.raises(ValueError, match="numbers with commas"):
            form.given("fashion-mlp", {"generator_widths": text}, CHOICES)
    with pytest.raises(ValueError, match="generator_widths must be"):
        make_spec("fashion-mlp", **form.given("fashion-mlp", {"generator_widths": "0.5"}, {}))


def test_changes_lead_back_to_the_run():
    settings = {"generator_widths": (64, 32), "seed": 3, "objective": "hinge", "images": 640}
    spec = make_spec("fashion-mlp", **settings, classes=0)
    changes = form.changes_of(spec)
    assert set(changes) == {"generator_widths", "seed", "objective"}
    again = form.given("fashion-mlp", changes, CHOICES)
    assert make_spec("fashion-mlp", **again, images=640, classes=0) == spec


@each_preset
def test_options_are_those_of_the_command_line(preset):
    changes = {"seed": 3, "checkpoint_seconds": 2.5}
    changes |= {"mirror": False} if preset == "fashion-vit" else {}
    changes |= {"widths": [8, 16, 24]} if preset == "fashion-tokenizer" else {}
    spec = make_spec(preset, **changes)
    words = [word for name, value in changes.items() for word in form.option(name, value)]
    parser = Parser(prog="test")
    add_preset(parser, ["--preset", preset])
    given = given_settings(parser.parse_args(["--preset", preset, *words]))
    assert make_spec(preset, **given) == spec


@each_preset
def test_every_setting_has_a_chinese_name_and_help(preset):
    chinese = texts.catalog("zh")
    for name, field in fields(preset).items():
        assert f"setting.{name}" in chinese
        assert f"help.{field['help']}" in chinese
