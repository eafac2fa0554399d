import base64
import io
import json
import shlex
import threading

import numpy as np
import pytest
from PIL import Image

from genimg.cli.options import Parser
from genimg.cli.train import add_arguments, given_settings
from genimg.jobs.limits import Visitor
from genimg.jobs.states import Exit
from genimg.render import encode
from genimg.training.requesting import request_spec
from genimg.training.run_directory import RunDirectory
from genimg.ui.identity import Identity
from genimg.ui.training.run_handlers import RunHandlers, command_of, sheets_of

ADA, BOB = {"nickname": "ada"}, {"nickname": "bob"}
TEACHER = {"nickname": "eve", "token": "secret"}


@pytest.fixture
def handlers(idle_manager):
    return RunHandlers(idle_manager, Identity("secret"), ["gan"])


@pytest.fixture
def queued(handlers, small_models):
    return handlers.manager.start(
        "fashion-mlp",
        images=80,
        name="<i>mine</i>",
        visitor=Visitor("ada"),
        **small_models["fashion-mlp"],
    )


@pytest.fixture
def running(handlers, queued):
    """The job, with three reports and two sample sheets."""
    manager = handlers.manager
    manager.step()
    folder = manager.root / queued.id / "attempts" / "1"
    for seen in (0, 40, 80):
        report = {"images_seen": seen, "generator_loss": seen / 10, "epochs": seen / 100}
        with (folder / "metrics.jsonl").open("a") as file:
            file.write(json.dumps(report | {"images_per_second": 5.0}) + "\n")
    (folder / "log.txt").write_text("hello\nworld\n")
    directory = RunDirectory(manager.root / queued.id)
    directory.write_sheet(0, encode(np.zeros((4, 6, 1), np.uint8), "png"))
    directory.write_sheet(40, encode(np.full((4, 6, 1), 200, np.uint8), "png"))
    [handle] = manager.engine.alive
    manager.engine.report(handle, images_seen=80)
    manager.step()
    return manager.job(queued.id)


def row(handlers, job, who=ADA):
    rows = handlers.poll({"who": who})["runs"]
    return next(row for row in rows if row["id"] == job.id)


def act(handlers, job, action, who=ADA, **more):
    return handlers.act({"who": who, "run": job.id, "action": action, **more})


def test_everything_about_the_selected_run(handlers, running):
    answer = handlers.poll({"who": ADA, "run": running.id})
    run = answer["run"]
    assert run["sheets"] == [0, 40]
    assert run["epochs"] == 0.8
    assert run["log"]["text"] == "hello\nworld\n"
    [finding] = run["health"]
    assert finding == {
        "level": "unknown",
        "sentence": "Too early to tell: that takes 300 steps.",
    }
    assert answer["curves"][running.id]["values"]["generator_loss"] == [[0, 40, 80], [0, 4, 8]]
    assert row(handlers, running)["state"] == "running"
    json.dumps(answer, allow_nan=False)


@pytest.mark.parametrize(
    "request_", [None, [], "x", {"run": ["x"]}, {"run": "../.."}, {"cursors": 3, "log": []}]
)
def test_a_damaged_question_gets_the_list(handlers, running, request_):
    answer = handlers.poll(request_)
    assert len(answer["runs"]) == 1
    assert answer["run"] is None
    assert answer["curves"] == {}


def test_buttons_follow_the_state_and_the_owner(handlers, running):
    actions = {"copy", "rename", "pause", "cancel", "save_now", "sample_now"}
    assert set(row(handlers, running)["actions"]) == actions
    assert set(row(handlers, running, TEACHER)["actions"]) == actions
    theirs = row(handlers, running, BOB)
    assert theirs["actions"] == ["copy"]
    assert theirs["message"] == "Only its owner, ada, and the teacher can control this run."
    assert row(handlers, running)["message"] == row(handlers, running, TEACHER)["message"] == ""


@pytest.mark.parametrize(
    "action", ["pause", "cancel", "save_now", "sample_now", "rename", "delete"]
)
def test_only_the_owner_or_the_teacher_may(handlers, running, action):
    refused = act(handlers, running, action, who=BOB, name="x")
    assert "belongs to ada" in refused["error"]
    assert handlers.manager.job(running.id) == running


def test_a_run_of_a_terminal_is_watched_and_duplicated(handlers, small_models):
    manager = handlers.manager
    spec = request_spec("fashion-mlp", **small_models["fashion-mlp"], images=80, device="cpu")
    RunDirectory.create(manager.root / "mine", spec).new_attempt().report({"images_seen": 0})
    for who in (ADA, TEACHER, {"nickname": "terminal"}):
        answer = handlers.poll({"who": who, "run": "mine"})
        [seen] = answer["runs"]
        assert (seen["id"], seen["actions"]) == ("mine", ["copy"])
        assert seen["message"].startswith("It was started in a terminal or from Python")
        assert "fashion-mlp" in answer["run"]["facts"]
        refused = handlers.act({"who": who, "run": "mine", "action": "rename", "name": "x"})
        assert "terminal" in refused["error"]


def test_each_button_twice(handlers, running):
    assert act(handlers, running, "save_now") == {"said": "It is saving."}
    assert act(handlers, running, "rename", name="new") == {"said": ""}
    assert row(handlers, running)["name"] == "new"
    for _ in range(2):
        assert act(handlers, running, "pause") == {"said": ""}
    assert row(handlers, running)["state"] == "pausing"
    [handle] = handlers.manager.engine.alive
    handlers.manager.engine.end(handle, Exit(code=75))
    handlers.manager.step()
    assert row(handlers, running)["state"] == "paused"
    for _ in range(2):
        assert act(handlers, running, "cancel", who=TEACHER) == {"said": ""}
    for _ in range(2):
        assert act(handlers, running, "delete") == {"said": ""}
    assert handlers.poll({})["runs"] == []


def test_a_double_click_on_move_moves_once(handlers, small_models):
    settings = small_models["fashion-mlp"] | {"images": 80, "visitor": Visitor("ada")}
    jobs = [handlers.manager.start("fashion-mlp", **settings, name=name) for name in "abc"]
    position = row(handlers, jobs[2])["position"]
    for _ in range(2):
        act(handlers, jobs[2], "move", step=-1, seen=position)
    names = [row["name"] for row in handlers.poll({})["runs"]]
    assert names == ["a", "c", "b"]


@pytest.mark.parametrize(
    "request_", [None, {}, {"action": "close"}, {"action": "start", "run": "x"}, {"action": ["x"]}]
)
def test_nothing_but_the_buttons_can_be_asked(handlers, queued, request_):
    assert "Choose" in handlers.act(request_)["error"]


@pytest.mark.parametrize("name", ["", "\n", "x" * 81, None, {}])
def test_a_bad_name_is_one_sentence(handlers, queued, name):
    assert "80 printable" in act(handlers, queued, "rename", name=name)["error"]
    assert row(handlers, queued)["name"] == "<i>mine</i>"


def test_the_log_goes_on_where_it_was(handlers, running):
    path = handlers.manager.root / running.id / "attempts" / "1" / "log.txt"
    first = handlers.poll({"run": running.id})["run"]["log"]
    with path.open("a") as file:
        file.write("again\n")
    news = handlers.poll({"run": running.id, "log": first})["run"]["log"]
    assert (news["text"], news["fresh"]) == ("again\n", False)
    path.write_text("x" * 50_000)
    tail = handlers.poll({"run": running.id, "log": first})["run"]["log"]
    assert tail["fresh"]
    assert len(tail["text"]) == 16 * 1024


def test_many_viewers_cost_one_reading_a_second(handlers, running, monkeypatch):
    looks = []
    original = RunDirectory.read_spec
    monkeypatch.setattr(
        RunDirectory, "read_spec", lambda self: looks.append(self) or original(self)
    )
    question = {"who": BOB, "run": running.id}
    threads = [threading.Thread(target=handlers.poll, args=[question]) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= len(looks) <= 4  # two readings, of facts and command, in perhaps two seconds


def test_a_sheet_and_the_film_of_all(handlers, running):
    src = handlers.sheet({"run": running.id, "seen": 40})["src"]
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(src.split(",")[1]))))
    assert (pixels == 200).all()
    film = handlers.film({"run": running.id})
    assert film["name"] == f"{running.id}.gif"
    with Image.open(io.BytesIO(base64.b64decode(film["src"].split(",")[1]))) as image:
        assert image.n_frames == 2


@pytest.mark.parametrize(
    "request_",
    [None, {}, {"run": "x"}, {"run": "../.."}, {"seen": 40}, {"run": None, "seen": "../../spec"}],
)
def test_no_other_file_is_a_sheet(handlers, running, request_):
    assert "error" in handlers.sheet(request_)
    assert "error" in handlers.film(request_)
    for seen in ("../../spec", 41, None, [], -1):
        assert "error" in handlers.sheet({"run": running.id, "seen": seen})
    assert sheets_of(RunDirectory(handlers.manager.root / "nothing")) == []


@pytest.mark.parametrize("preset", ["fashion-mlp", "portraits-features"])
def test_the_command_makes_the_same_run(small_models, preset):
    changes = small_models[preset] | {"images": 80, "seed": 4, "precision": "fp32"}
    spec = request_spec(preset, **changes)
    words = shlex.split(command_of(spec, "runs/a b"))
    assert words[:4] == ["python", "-m", "genimg", "train"]
    parser = Parser(prog="test")
    add_arguments(parser, words[3:])
    options = parser.parse_args(words[4:])
    assert str(options.out) == "runs/a b"
    assert request_spec(options.preset, **given_settings(options)) == spec


def test_a_deleted_run_leaves_the_panel(handlers, running):
    question = {"who": ADA, "run": running.id}
    assert handlers.poll(question)["run"]
    [handle] = handlers.manager.engine.alive
    handlers.manager.engine.end(handle, Exit(code=0))
    handlers.manager.step()
    act(handlers, running, "delete")
    assert handlers.poll(question)["run"] is None
    assert "error" in act(handlers, running, "pause")
