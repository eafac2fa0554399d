import itertools
import json
import shutil

import numpy as np
import pytest
import torch

from genimg import checkpoints, trails
from genimg.storage import read_json
from genimg.training import run_checkpoints
from genimg.training.loop import Trainer
from genimg.training.publishing import publish, read_run
from genimg.training.requesting import request_run
from genimg.training.run_directory import RunDirectory
from genimg.training.running import train_run
from genimg.training.validation import BestSoFar

SHORT = {"images": 48, "batch_size": 8, "threads": 1, "precision": "fp32", "device": "cpu"}
SHORT |= {"sheets": 0}
PREVIEW = np.zeros((1, 32, 32, 1), np.uint8)


@pytest.fixture(autouse=True)
def made_up(monkeypatch, dataset):
    """What is loaded are made-up pictures."""
    monkeypatch.setattr("genimg.data.load", lambda *arguments, **options: dataset)


@pytest.fixture
def asked(tmp_path, small_models):
    """A function that asks for a small run, as `genimg.train` and the terminal do."""

    def request(name, preset="fashion-mlp", **settings):
        shape = {} if settings.keys() & {"init", "extend"} else small_models[preset]
        return request_run(preset, tmp_path / name, **SHORT | shape | settings)

    return request


@pytest.fixture
def finished(asked):
    """A function that makes a finished run."""

    def train(name, preset="fashion-mlp", **settings):
        run = asked(name, preset, **settings)
        assert train_run(run.path) == "succeeded"
        return run

    return train


def first_checkpoint(run) -> dict[str, dict[str, torch.Tensor]]:
    """Return what a run begins with: it saves before its first step."""
    assert train_run(run.path, should_stop=lambda: True) == "paused"
    return run_checkpoints.load(min(run.checkpoints.glob("step-*")))[0]


def end(run) -> dict[str, bytes]:
    newest = run_checkpoints.newest(run.checkpoints)
    return {path.name: path.read_bytes() for path in newest.glob("*.safetensors")}


def files(folder) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def assert_same(tensors, model, prefix="") -> None:
    mine = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
    for name, value in model.state_dict().items():
        assert torch.equal(mine[name], value), name


KIND_OF = {
    "fashion-mlp": "gan",
    "fashion-style": "gan",
    "fashion-relativistic": "gan",
    "fashion-features": "whole",
    "fashion-vit": "whole",
    "fashion-tokenizer": "tokenizer",
}


@pytest.mark.parametrize("preset", KIND_OF)
def test_a_run_begins_with_the_weights_of_a_checkpoint(finished, asked, tmp_path, preset):
    trained = publish(finished("old", preset).path, tmp_path / "mine", title="t", preview=PREVIEW)
    model = checkpoints.read(trained).model
    critic = {"discriminator_width": 8} if preset == "fashion-tokenizer" else {}
    begun = first_checkpoint(asked("new", preset, init=str(trained), **critic))
    chance = first_checkpoint(asked("chance", preset))
    if KIND_OF[preset] == "gan":
        assert_same(begun["ema"], model.generator)
        assert_same(begun["model"], model.generator, "generator.")
        assert_same(begun["model"], model.discriminator, "discriminator.")
    elif KIND_OF[preset] == "whole":
        assert_same(begun["ema"], model)
        assert_same(begun["model"], model)
    else:
        assert_same(begun["ema"], model)
        assert_same(begun["model"], model, "tokenizer.")
        critic = [name for name in chance["model"] if name.startswith("discriminator.")]
        assert all(torch.equal(begun["model"][n], chance["model"][n]) for n in critic)
    assert any(not torch.equal(begun["ema"][name], chance["ema"][name]) for name in chance["ema"])


def test_a_checkpoint_without_a_discriminator_leaves_it_to_chance(finished, asked, tmp_path):
    trained = finished("old").path
    alone = publish(trained, tmp_path / "alone", title="t", preview=PREVIEW, generator_only=True)
    begun = first_checkpoint(asked("new", init=str(alone)))
    chance = first_checkpoint(asked("chance"))
    assert_same(begun["ema"], checkpoints.read(alone).model.generator)
    critic = [name for name in chance["model"] if name.startswith("discriminator.")]
    assert critic
    assert all(torch.equal(begun["model"][name], chance["model"][name]) for name in critic)


def test_a_run_begins_with_another_run(finished, asked):
    old = finished("old")
    begun = first_checkpoint(asked("new", init=str(old.path)))
    assert_same(begun["model"], read_run(old.path).model)


def test_an_image_gpt_begins_with_the_tokens_it_knows(finished, asked, tmp_path):
    tokenizer = finished("tokens", "fashion-tokenizer")
    old = finished("old", "fashion-gpt", tokenizer=str(tokenizer.path), validations=2)
    gpt = publish(old.path, tmp_path / "gpt", title="t", preview=PREVIEW)
    shutil.rmtree(tokenizer.path)
    begun = first_checkpoint(asked("new", "fashion-gpt", init=str(gpt), validations=2))
    model = checkpoints.read(gpt).model
    assert_same(begun["model"], model)
    assert_same(begun["ema"], model.prior)
    assert read_run(tmp_path / "new").card["initial_weights"] == "gpt"


@pytest.mark.parametrize("preset", ["fashion-mlp", "fashion-style"])
def test_a_run_that_began_with_weights_resumes_bitwise(
    finished, make_run, dataset, ends_alike, preset
):
    old = str(finished("old", preset).path)
    ends_alike(lambda name, **o: make_run(name, preset, init=old, **o), dataset, (3, 11))


def test_what_a_run_began_with_may_be_gone_when_it_resumes(finished, asked):
    old = finished("old")
    new = asked("new", init=str(old.path))
    first_checkpoint(new)
    shutil.rmtree(old.path)
    assert train_run(new.path) == "succeeded"
    assert read_run(new.path).card["initial_weights"] == "old"


def test_a_model_is_asked_for_in_the_shape_of_the_other(asked, finished):
    old = finished("old", generator_widths=(12, 8), latent_dimensions=6)
    spec = asked("new", init=old.path).read_spec()
    assert (spec.model.generator_widths, spec.model.latent_dimensions) == ((12, 8), 6)


@pytest.mark.parametrize(
    ("preset", "settings", "reason"),
    [
        (
            "fashion-mlp",
            {"generator_widths": (12,), "latent_dimensions": 9},
            "do not fit this run: latent_dimensions is 64 there and 9 here, generator_widths is"
            r" \[16\] there and \[12\] here; ask for",
        ),
        ("fashion-mlp", {"classes": 12}, "classes is 0 there and 12 here"),
        ("fashion-mlp", {"size": 28}, "size is 32 there and 28 here"),
        (
            "fashion-dcgan",
            {},
            "is of the kind mlp-gan and this run trains a model of the kind dcgan",
        ),
        ("fashion-mlp", {"init": "nowhere"}, "there is no checkpoint 'nowhere'"),
        ("fashion-mlp", {"init": 3}, "init must be the name of a model, not 3"),
    ],
)
def test_weights_that_do_not_fit_are_refused(finished, tmp_path, preset, settings, reason):
    old = finished("old")
    with pytest.raises(ValueError, match=reason) as error:
        request_run(preset, tmp_path / "new", **SHORT | {"init": str(old.path)} | settings)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "new").exists()


def test_settings_that_change_no_shape_may_differ(finished, asked):
    old = finished("old", "fashion-vit", dropout=0.1)
    spec = asked("new", "fashion-vit", init=str(old.path), dropout=0.3, seed=4).read_spec()
    assert (spec.model.dropout, spec.run.seed) == (0.3, 4)


@pytest.mark.parametrize("preset", ["fashion-mlp", "fashion-style"])
def test_a_run_that_is_extended_ends_like_one_that_was_longer(finished, asked, preset):
    constant = {"hold": 1.0, "seed": 3}  # or the learning rates would follow another schedule
    short = finished("short", preset, **constant)
    before = files(short.path)
    longer = asked("longer", preset, extend=str(short.path), images=120)
    assert train_run(longer.path) == "succeeded"
    assert end(longer) == end(finished("whole", preset, images=120, **constant))
    assert files(short.path) == before
    rows = longer.read_metrics()
    assert rows[0]["images_seen"] > 48
    assert rows[-1]["images_seen"] == 120
    assert set(trails.moments(short.path)) < set(trails.moments(longer.path))
    card = read_run(longer.path).card
    assert (card["parent"], card["images_seen"]) == ("short", 120)
    assert read_json(longer.path / "spec.json")["run"]["extend"] == "{runs}/short"


def test_a_run_that_extends_another_resumes_bitwise_without_it(finished, asked, result):
    old = str(finished("old", "fashion-style", sheets=2).path)
    options = {"extend": old, "images": 160}
    calm, stormy = (asked(name, "fashion-style", **options) for name in ("calm", "stormy"))
    assert train_run(calm.path) == "succeeded"
    steps = itertools.count(1)
    assert train_run(stormy.path, should_stop=lambda: next(steps) == 5) == "paused"
    shutil.rmtree(old)
    assert train_run(stormy.path) == "succeeded"
    assert result(stormy) == result(calm)


def test_the_best_of_the_other_run_is_no_reason_to_stop(finished, asked, dataset):
    old = finished("old")
    tensors, state = run_checkpoints.load(run_checkpoints.newest(old.checkpoints))
    state |= {"best": 3, "best_loss": 0.1, "waited": 99}
    run_checkpoints.save(old.checkpoints, step=7, tensors=tensors, state=state)
    new = asked("new", extend=str(old.path), images=96)
    assert Trainer(new, new.new_attempt(), dataset).validated == BestSoFar()
    assert train_run(new.path) == "succeeded"


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"images": 48}, "has seen 48 images; ask for more than that by images"),
        ({"images": 0}, "ask for more than that by images"),
        ({"batch_size": 16}, "batch_size is 8 in .*; leave batch_size out, or begin a new run"),
        ({"generator_widths": (8,)}, r"generator_widths is \[16\] in"),
        ({"seed": 1}, "seed is 0 in"),
        ({"minutes": 3}, "minutes is 10.0 in"),
        ({"preset": "fashion-dcgan"}, "is of the preset fashion-mlp, not fashion-dcgan"),
        ({"init": "fashion-mlp"}, "leave out one of them"),
        ({"extend": "nowhere"}, "there is no run in nowhere to extend; give the folder"),
        ({"extend": 3}, "extend must be the name of a model, not 3"),
        ({"nonsense": 3}, "has no setting 'nonsense'"),
    ],
)
def test_what_extends_no_run_is_refused(finished, tmp_path, settings, reason):
    old = finished("old")
    asked = {"preset": "fashion-mlp", "images": 96, "extend": str(old.path)} | settings
    with pytest.raises(ValueError, match=reason):
        request_run(out=tmp_path / "new", **asked)
    assert not (tmp_path / "new").exists()


def test_settings_of_its_own_may_be_repeated(finished, asked):
    old = finished("old")
    same = {"batch_size": 8, "generator_widths": (16,), "seed": 0, "threads": 2, "sheets": 3}
    spec = asked("new", extend=old.path, images=96, **same).read_spec()
    assert (spec.run.images, spec.run.threads, spec.run.sheets) == (96, 2, 3)
    assert spec.difference(asked("new", extend=old.path, images=96, **same).read_spec()) == ""


def test_a_run_that_has_not_finished_is_resumed_instead(asked):
    old = asked("old")
    for _ in range(2):
        with pytest.raises(ValueError, match="has not finished, so it cannot be extended; resume"):
            asked("new", extend=str(old.path), images=96)
        train_run(old.path, should_stop=lambda: True)


def test_a_damaged_end_is_refused(finished, asked):
    old = finished("old")
    new = asked("new", extend=str(old.path), images=96)
    newest = run_checkpoints.newest(old.checkpoints)
    content = bytearray((newest / "ema.safetensors").read_bytes())
    content[-1] ^= 1
    (newest / "ema.safetensors").write_bytes(content)
    with pytest.raises(ValueError, match="has no whole checkpoint, so it cannot be extended"):
        train_run(new.path)


def test_other_pictures_are_not_those_of_the_run_that_is_extended(
    finished, asked, dataset, monkeypatch
):
    old = finished("old")
    new = asked("new", extend=str(old.path), images=96)
    monkeypatch.setattr("genimg.data.load", lambda *arguments, **options: dataset.subset(range(9)))
    with pytest.raises(ValueError, match="this run began with 64 pictures from made up, but"):
        train_run(new.path)


def test_an_older_request_begins_with_chance_and_extends_nothing(asked):
    run = asked("old")
    spec = read_json(run.path / "spec.json")
    assert (spec["run"].pop("init"), spec["run"].pop("extend")) == ("", "")
    (run.path / "spec.json").write_text(json.dumps(spec))
    assert RunDirectory(run.path).read_spec().run.init == ""
    assert asked("old").read_spec().run.extend == ""
