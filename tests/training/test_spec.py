import dataclasses
import json
import types
import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genimg.training.presets import PRESETS, make_spec, settings_of
from genimg.training.spec import RunConfig, RunSpec

RESOLVED = {
    "device": "cpu",
    "threads": 1,
    "precision": "fp32",
    "images": 64,
    "dataset_images": 64,
    "dataset_source": "made up",
}


def values_of(config: type) -> st.SearchStrategy:
    """Any valid values for the fields of a configuration that stand on their own."""
    hints, strategies = typing.get_type_hints(config), {}
    for field in dataclasses.fields(config):
        hint, limits = hints[field.name], field.metadata
        if limits["choices"]:
            strategies[field.name] = st.sampled_from(limits["choices"])
        elif hint is bool:
            strategies[field.name] = st.booleans()
        elif hint is int:
            strategies[field.name] = st.integers(int(limits["low"]), int(limits["high"] or 10**9))
        elif hint is float:
            high = limits["high"] if limits["high"] is not None else 1e9
            strategies[field.name] = st.floats(limits["low"], high)
        elif hint is str:
            strategies[field.name] = st.text(max_size=20)
        else:
            assert not isinstance(hint, types.UnionType), "teach this strategy the new type"
    return st.fixed_dictionaries({}, optional=strategies)


@pytest.mark.parametrize("preset", PRESETS)
@given(data=st.data())
def test_any_settings_survive_json(preset, data):
    task = type(settings_of(PRESETS[preset])["task"])
    spec = make_spec(preset, **data.draw(values_of(RunConfig)), **data.draw(values_of(task)))
    again = RunSpec.from_dict(json.loads(json.dumps(spec.to_dict())))
    assert again == spec
    assert spec.difference(again) == ""


@given(run=values_of(RunConfig), other=values_of(RunConfig))
def test_difference_is_empty_exactly_for_equal_requests_and_names_a_field(run, other):
    first, second = make_spec("fashion-style", **run), make_spec("fashion-style", **other)
    sentence = first.difference(second)
    assert (sentence == "") == (first.run == second.run)
    if sentence:
        name = sentence.split()[0]
        assert getattr(first.run, name) != getattr(second.run, name)


def test_difference_looks_at_the_model_and_the_task_but_not_at_what_was_resolved():
    spec = make_spec("fashion-style")
    assert spec.difference(make_spec("fashion-style", latent_dimensions=5)).startswith(
        "latent_dimensions is"
    )
    assert spec.difference(make_spec("fashion-style", r1=0.125)).startswith("r1 is")
    assert spec.difference(dataclasses.replace(spec, resolved=RESOLVED)) == ""


@pytest.mark.parametrize(
    ("section", "sentence"),
    [("model", "no field 'extra'"), ("task", "no field 'extra'"), ("run", "no field 'extra'")],
)
def test_unknown_fields_are_refused_in_every_section(section, sentence):
    values = make_spec("fashion-style").to_dict()
    values[section]["extra"] = 1
    with pytest.raises(ValueError, match=sentence):
        RunSpec.from_dict(values)


NEEDS = "resolved part needs dataset_images, dataset_source, device, images"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"extra": 1}, "has a field 'extra' that is not known"),
        ({"format": 2}, "not the specification of a genimg run of format 1"),
        ({"kind": "diffusion"}, "there is no model kind 'diffusion'"),
        ({"kind": ["stylegan"]}, "there is no model kind "),
        ({"model": None}, "StyleDcganConfig needs a dictionary, not NoneType"),
        ({"task": [1]}, "GanTrainingConfig needs a dictionary, not list"),
        ({"run": {"seed": "one"}}, "seed must be a whole number, not 'one'"),
        ({"resolved": 3}, NEEDS),
        ({"resolved": None}, NEEDS),
        ({"resolved": {"images": 3}}, NEEDS),
    ],
    ids=str,
)
def test_a_damaged_specification_is_a_value_error(change, words):
    with pytest.raises(ValueError, match=words):
        RunSpec.from_dict(make_spec("fashion-style").to_dict() | change)


@pytest.mark.parametrize("values", [None, [], "x", {}])
def test_what_is_no_specification_is_a_value_error(values):
    with pytest.raises(ValueError, match="not the specification of a genimg run"):
        RunSpec.from_dict(values)
