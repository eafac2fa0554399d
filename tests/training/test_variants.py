import pytest
from hypothesis import given
from hypothesis import strategies as st

from genimg.training.gan import GanTrainingConfig
from genimg.training.objectives import OBJECTIVES
from genimg.training.presets import PRESETS, make_spec
from genimg.training.variants import (
    MOST,
    MOST_OF_A_SWEEP,
    combinations,
    variables,
    variants,
)


def test_every_objective_and_optimizer_is_a_variant():
    found = variants("fashion-mlp", "objective")
    assert list(found) == list(OBJECTIVES)
    assert all(settings["objective"] == name for name, settings in found.items())
    assert list(variants("fashion-dcgan", "optimizer")) == ["sgd", "momentum", "adam", "adamw"]


def test_a_variant_brings_what_it_cannot_do_without():
    found = variants("fashion-style", "objective")
    wasserstein, relativistic = (
        make_spec("fashion-style", **found[name]).task for name in ("wasserstein", "relativistic")
    )
    assert isinstance(wasserstein, GanTrainingConfig)
    assert (wasserstein.gradient_penalty, wasserstein.r1) == (10, 0)
    assert min(relativistic.r1, relativistic.r2) > 0
    optimizers = variants("fashion-mlp", "optimizer")
    assert optimizers["sgd"]["beta1"] == 0 < optimizers["momentum"]["beta1"]


@pytest.mark.parametrize("preset", PRESETS)
def test_all_that_has_a_name_can_be_asked_for(preset):
    known = variables(preset)
    assert "batch_size" in known
    assert not {"seed", "device", "dataset", "minutes", "channels", "classes"} & known.keys()
    for name, variable in known.items():
        if not variable.names:
            spec = make_spec(preset)
            values = spec.model.to_dict() | spec.task.to_dict() | spec.run.to_dict()
            assert float(variable.usual) == values[name]
        elif 2 <= len(variable.names) <= MOST:
            assert list(variants(preset, name)) == list(variable.names)


def test_a_classifiers_optimizer_is_only_its_name():
    assert variants("fashion-vit", "optimizer") == {
        "sgd": {"optimizer": "sgd"},
        "adamw": {"optimizer": "adamw"},
    }


def test_numbers_and_switches():
    rates = variants("fashion-mlp", "generator_learning_rate", [" 1e-3", "0.0002", "1e-3"])
    assert rates == {
        "1e-3": {"generator_learning_rate": 0.001},
        "0.0002": {"generator_learning_rate": 0.0002},
    }
    assert variants("fashion-mlp", "augment") == {
        "on": {"augment": True},
        "off": {"augment": False},
    }


@given(st.lists(st.floats(1e-7, 1), min_size=2, max_size=MOST, unique=True))
def test_every_number_becomes_the_setting_it_says(rates):
    found = variants("fashion-mlp", "generator_learning_rate", [repr(rate) for rate in rates])
    assert [settings["generator_learning_rate"] for settings in found.values()] == rates


@pytest.mark.parametrize(
    ("setting", "values", "words"),
    [
        ("seed", ["1", "2"], "'seed' cannot be varied; fashion-mlp can vary objective, r1"),
        ("objective", ["hinge"], "from 2 to 8 different values"),
        ("objective", ["hinge", "hinge "], "from 2 to 8 different values"),
        ("objective", ["hinge", "best"], "must be one of minimax, .*, not 'best'"),
        ("batch_size", [str(n) for n in range(2, 11)], "from 2 to 8 different"),
        ("batch_size", [], "from 2 to 8 different"),
        ("batch_size", ["64", "many"], "must be a number, not 'many'"),
        ("batch_size", ["64", "nan"], "a whole number"),
        ("batch_size", ["64", "1e9"], "from 2 to 4096"),
        ("batch_size", ["64", "64.0"], "the same number"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(setting, values, words):
    with pytest.raises(ValueError, match=words):
        variants("fashion-mlp", setting, values)


def test_an_unknown_preset_is_refused():
    with pytest.raises(ValueError, match="no preset 'x'"):
        variables("x")


def test_a_sweep_is_every_combination_of_its_values():
    found = combinations({"seed": [0, 1, 0], "r1": [0.5, 1.0]})
    assert found == {
        "seed 0, r1 0.5": {"seed": 0, "r1": 0.5},
        "seed 0, r1 1": {"seed": 0, "r1": 1.0},
        "seed 1, r1 0.5": {"seed": 1, "r1": 0.5},
        "seed 1, r1 1": {"seed": 1, "r1": 1.0},
    }


@pytest.mark.parametrize(
    "varied", [{}, {"seed": [3]}, {"seed": range(MOST_OF_A_SWEEP + 1)}, {"seed": [1, 1]}]
)
def test_a_sweep_of_one_or_of_too_many_is_refused(varied):
    with pytest.raises(ValueError, match="from 2 to 32 runs"):
        combinations(varied)
