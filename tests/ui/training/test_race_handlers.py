import json

import numpy as np
import pytest

from genimg.jobs.devices import Device
from genimg.jobs.limits import UsageLimits
from genimg.jobs.races import races
from genimg.render import encode
from genimg.training.metric_names import METRICS
from genimg.training.variants import variables
from genimg.ui.identity import Identity
from genimg.ui.training import form
from genimg.ui.training.handlers import TrainHandlers
from genimg.ui.training.race_handlers import RaceHandlers
from genimg.ui.training.run_handlers import RunHandlers

ADA = {"nickname": "ada", "token": ""}
TEACHER = ADA | {"token": "secret"}


@pytest.fixture
def handlers(idle_manager):
    identity = Identity("secret")
    return RaceHandlers(TrainHandlers(idle_manager, identity), RunHandlers(idle_manager, identity))


def start(handlers, **changes):
    asked = {
        "who": ADA,
        "preset": "fashion-mlp",
        "setting": "objective",
        "values": ["hinge", "minimax"],
        "length": "images",
        "amount": 640,
        "seed": 5,
        "intent": "one",
    }
    return handlers.start(asked | changes)


def test_a_race_is_queued_as_it_was_asked_for(handlers):
    race = start(handlers)["race"]
    [found] = races(handlers.form.manager.jobs())
    assert (found.id, found.setting) == (race, "objective")
    specs = [handlers.form.manager.directory(job.id).read_spec() for job in found.jobs]
    assert [spec.task.objective for spec in specs] == ["hinge", "minimax"]
    assert {(spec.run.seed, spec.run.images, spec.run.dataset) for spec in specs} == {
        (5, 640, "fashion-mnist")
    }
    assert {job.owner for job in found.jobs} == {"ada"}
    assert start(handlers) == {"race": race}  # the same click
    assert start(handlers, intent="two")["race"] != race


def test_a_race_goes_where_an_engine_has_places(handlers):
    assert handlers.first()["devices"] == ["auto"]
    there = Device(name="ray/cpu", title="CPU of a cluster", places=4)
    handlers.form.manager.engine.devices.append(there)
    assert handlers.first()["devices"] == ["auto", "ray/cpu"]
    race = start(handlers, device="ray/cpu")["race"]
    [found] = races(handlers.form.manager.jobs())
    assert {(job.race, job.device) for job in found.jobs} == {(race, "ray/cpu")}
    assert "must be one of" in start(handlers, device="ray/tpu", intent="two")["error"]


def test_a_preset_learns_from_its_own_pictures(handlers):
    race = start(handlers, preset="portraits-style", setting="r1", values=["0", "1"])
    assert "race" in race, race
    directories = map(handlers.form.manager.directory, _ids(handlers))
    assert {run.read_spec().run.dataset for run in directories} == {"portraits"}


def _ids(handlers):
    return [job.id for job in handlers.form.manager.jobs()]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"who": None}, "nickname"),
        ({"preset": "fashion-features"}, "choose one from the list"),
        ({"preset": ["x"]}, "choose one from the list"),
        ({"setting": "seed"}, "cannot be varied"),
        ({"setting": None}, "what differs"),
        ({"setting": "x" * 10_000}, "cannot be varied"),
        ({"values": "hinge"}, "what to compare"),
        ({"values": []}, "from 2 to 8"),
        ({"values": ["hinge"]}, "from 2 to 8"),
        ({"values": ["hinge"] * 10_000}, "from 2 to 8"),
        ({"values": ["hinge", 3]}, "from 2 to 8"),
        ({"values": ["hinge", "<b>"]}, "must be one of"),
        ({"setting": "batch_size", "values": ["1", "64"]}, "“Batch size” must be from"),
        ({"length": "dataset"}, "minutes or for a number"),
        ({"amount": None}, "how many pictures"),
        ({"amount": 0}, "how many pictures"),
        ({"seed": -1}, "“Seed” must be from"),
        ({"seed": None}, "“Seed” must be"),
        ({"preset": "fashion-gpt", "setting": "norm"}, "must be one of"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(handlers, changes, words):
    answer = start(handlers, **changes)
    assert words in answer["error"]
    assert len(answer["error"]) < 800
    assert answer["error"].endswith(".")
    assert handlers.form.manager.jobs() == []


@pytest.mark.parametrize("request_", [None, [], "x", {"race": 3}, {"race": "x", "cursors": 1}])
def test_a_crafted_question_is_answered(handlers, request_):
    answer = handlers.poll(request_)
    assert (answer["race"], answer["runs"], answer["races"]) == (None, [], [])
    assert "error" in handlers.start(request_)
    assert "error" in handlers.choice(request_)


def test_limits_hold_for_the_whole_race(handlers):
    manager = handlers.form.manager
    manager._runs.limits = UsageLimits(queued_runs=3)
    five = {"values": ["hinge", "minimax", "wasserstein", "least-squares"]}
    assert "or ask for fewer at once." in start(handlers, **five)["error"]
    assert manager.jobs() == []
    assert "race" in start(handlers, who=TEACHER, **five)


def test_what_is_chosen_says_what_can_be_compared(handlers):
    for _, preset in handlers.form.presets():
        answer = handlers.choice({"preset": preset})
        assert [each["name"] for each in answer["variables"]] == list(variables(preset))
        json.dumps(answer, allow_nan=False)
    [objective] = [each for each in answer_of(handlers) if each["name"] == "objective"]
    assert objective["label"] == form.label_of("objective")
    assert "wasserstein" in objective["names"]


def answer_of(handlers):
    return handlers.first()["choice"]["variables"]


def test_before_any_race_the_shipped_tables_are_there(handlers):
    first = handlers.first()
    assert first["answer"]["races"] == []
    json.dumps(first, allow_nan=False)
    assert [each["title"] for each in first["measured"]] == ["Objectives", "Optimizers"]
    for measured in first["measured"]:
        assert measured["minutes"] > 0
        for table in measured["tables"]:
            assert all(len(row) == len(table["head"]) for row in table["rows"])
    assert {each["name"] for each in first["charts"] + first["results"]} <= METRICS.keys()


def test_the_runs_lie_side_by_side(handlers):
    race = start(handlers)["race"]
    start(handlers, who={"nickname": "bob"}, setting="augment", values=["on", "off"])
    manager = handlers.form.manager
    manager.step()
    first = manager.engine.alive[0]
    for seen in (64, 128):
        report = {"images_seen": seen, "generator_loss": seen / 64, "frechet_distance_500": 3.5}
        with (first.files.path / "metrics.jsonl").open("a") as file:
            file.write(json.dumps(report) + "\n")
    directory = manager.directory(_ids(handlers)[0])
    for seen in (0, 128):
        directory.write_sheet(seen, encode(np.zeros((4, 6, 1), np.uint8), "png"))
    manager.engine.report(first, images_seen=128)
    manager.step()

    answer = handlers.poll({"who": ADA, "race": race})
    json.dumps(answer, allow_nan=False)
    assert [each["title"] for each in answer["races"]] == [
        "Augment · MLP GAN · 2 runs · bob",
        "Objective · MLP GAN · 2 runs · ada",
    ]
    running, waiting = answer["runs"]
    assert (running["name"], running["state"], running["sheet"]) == (
        "objective hinge", "running", 128,
    )  # fmt: skip
    assert running["results"] == {"frechet_distance_500": 3.5}
    assert (waiting["name"], waiting["sheet"], waiting["results"]) == (
        "objective minimax", None, {},
    )  # fmt: skip
    assert answer["busy"]
    curves = answer["curves"][running["id"]]
    assert curves["values"]["generator_loss"] == [[64, 128], [1.0, 2.0]]
    assert handlers.runs.sheet({"run": running["id"], "seen": 128})["src"].startswith("data:")
    again = handlers.poll({"race": race, "cursors": {running["id"]: curves["cursor"]}})
    assert again["curves"][running["id"]]["begin"] > 0


def test_a_race_of_which_runs_were_deleted_shows_the_others(handlers):
    from genimg.jobs.commands import Cancel, Delete

    race = start(handlers)["race"]
    first, second = _ids(handlers)
    for command in (Cancel(first), Delete(first)):
        handlers.form.manager.do(command, handlers.form.visitor(ADA))
    answer = handlers.poll({"race": race})
    assert [run["id"] for run in answer["runs"]] == [second]
