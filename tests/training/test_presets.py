import dataclasses
import json

import pytest

from genimg.training.presets import PRESETS, make_spec, settings_of
from genimg.training.spec import RunSpec


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_a_valid_specification(preset):
    spec = make_spec(preset)
    assert RunSpec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec
    assert set(settings_of(PRESETS[preset])) == {"model", "task", "run"}


def test_wrong_names_and_values_are_one_sentence():
    with pytest.raises(ValueError, match=r"no preset 'x'; the presets are fashion-mlp"):
        make_spec("x")
    with pytest.raises(ValueError, match=r"no setting 'wdith'; it has .*width"):
        make_spec("fashion-dcgan", wdith=3)
    with pytest.raises(ValueError, match="batch_size must be from 2 to 4096, not 1"):
        make_spec("fashion-dcgan", batch_size=1)


def test_the_data_decide_channels_and_classes_unless_they_are_given():
    spec = make_spec("fashion-style", data_channels=3, data_classes=7)
    assert (spec.model.channels, spec.model.classes) == (3, 7)
    assert make_spec("fashion-style", data_classes=7, classes=0).model.classes == 0
    assert make_spec("fashion-mlp", data_classes=7).model.classes == 0
    assert make_spec("fashion-mlp", data_classes=7, classes=7).model.classes == 7


def test_no_two_presets_have_the_same_title():
    titles = [preset.title for preset in PRESETS.values()]  # all that the page's list shows
    assert len(titles) == len(set(titles))


@pytest.mark.parametrize("preset", PRESETS)
def test_no_setting_of_one_section_hides_another(preset):
    sections = settings_of(PRESETS[preset]).values()
    names = [field.name for config in sections for field in dataclasses.fields(config)]
    assert len(names) == len(set(names))


def test_settings_that_are_only_valid_together_are_taken_together():
    spec = make_spec(
        "fashion-stylegan", size=16, generator_widths=(8, 8, 8), discriminator_widths=(8, 8)
    )
    assert spec.model.size == 16
