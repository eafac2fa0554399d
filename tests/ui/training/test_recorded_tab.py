import pytest

from genimg.jobs.recordings import LARGEST_BYTES, Recordings
from genimg.training.run_directory import RunDirectory
from genimg.ui import application
from genimg.ui.host import host_of
from genimg.ui.identity import Identity
from genimg.ui.training.moments import Moments
from genimg.ui.training.run_handlers import RunHandlers
from genimg.ui.training.run_models import RunModels

SHIPPED = application._RECORDED_RUNS
CPU = host_of({"SYSTEM": "spaces"})
MOMENTS = host_of({"SPACES_ZERO_GPU": "true", "GENIMG_ALLOW_TRAINING": "1"})
NAMES = ["fashion-dcgan", "portraits-style"]


@pytest.fixture
def recordings():
    return Recordings(SHIPPED, CPU.refusal)


@pytest.fixture
def handlers(recordings):
    return RunHandlers(recordings, Identity(), ["gan"])


def test_two_runs_ship_and_are_small(recordings):
    assert [seen.job.id for seen in recordings.snapshot()] == NAMES
    for folder in SHIPPED.iterdir():
        files = [path for path in folder.rglob("*") if path.is_file()]
        assert sum(path.stat().st_size for path in files) <= LARGEST_BYTES
        assert {path.suffix for path in files} == {".json", ".jsonl", ".png"}


@pytest.mark.parametrize("name", NAMES)
def test_each_fills_every_panel_and_says_what_it_is(handlers, name):
    answer = handlers.poll({"run": name})
    [row] = [row for row in answer["runs"] if row["id"] == name]
    assert row["recorded"]
    assert row["owner"] == "recording"
    assert row["message"].startswith("A recording:")
    assert row["seen"] == row["total"] > 1000
    run = answer["run"]
    assert len(run["sheets"]) >= 10
    assert run["health"][0]["sentence"]
    assert run["command"].startswith(f"python -m genimg train --preset {name} ")
    assert run["command"].endswith(f"--out runs/{name}")
    assert not run["opens"]
    curves = answer["curves"][name]["values"]
    assert {"generator_loss", "discriminator_loss", "diversity"} <= set(curves)
    assert str(SHIPPED) not in str(answer)
    assert handlers.sheet({"run": name, "seen": run["sheets"][-1]})["src"].startswith("data:image")
    assert handlers.film({"run": name})["src"].startswith("data:image/gif")


@pytest.mark.parametrize(
    "action",
    ["pause", "resume", "cancel", "save_now", "sample_now", "rename", "move", "delete"],
)
def test_the_function_refuses_what_the_page_does_not_show(handlers, action):
    answer = handlers.act({"run": NAMES[0], "action": action, "name": "x", "step": 1})
    assert "switched off on this Space" in answer["error"]


def test_there_is_no_model_to_open(recordings):
    models = RunModels(recordings, "gan")
    assert models.choices() == []
    with pytest.raises(ValueError, match="no weights"):
        models.name(NAMES[0])


def test_a_run_of_a_moment_is_a_model_to_open(tmp_path):
    name = Moments(tmp_path).begin("fashion-dcgan")
    RunDirectory(tmp_path / name).new_attempt()
    models = RunModels(Recordings(SHIPPED, MOMENTS.refusal, tmp_path), "gan")
    assert models.choices() == [(f"{name} (a visitor)", str(tmp_path / name))]
    assert models.name(name) == name


def ids(demo):
    return {block["props"].get("elem_id") for block in demo.config["components"]}


def test_the_page_has_no_form_and_a_button_to_duplicate(paths, recordings):
    demo = application.build([paths["style"]], recordings, here=CPU, line="Said.")
    assert {"runs", "duplicate"} <= ids(demo)
    assert not {"train-start", "train-upload", "moment-start", "who"} & ids(demo)


def test_a_moment_is_offered_only_where_it_may_be_had(paths, tmp_path):
    recordings = Recordings(SHIPPED, MOMENTS.refusal, tmp_path)
    demo = application.build([paths["style"]], recordings, here=MOMENTS)
    assert {"runs", "duplicate", "moment-start"} <= ids(demo)
    assert not {"train-start", "train-upload", "who"} & ids(demo)
