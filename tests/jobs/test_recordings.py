import json
import shutil

import pytest

from genimg.jobs.commands import CheckUpload, Delete, Pause, Start
from genimg.jobs.limits import Visitor
from genimg.jobs.recordings import RECORDED, VISITOR, Recordings, read_recording, record
from genimg.jobs.states import State
from genimg.training.requesting import request_run
from genimg.training.run_directory import RunDirectory
from genimg.training.running import train

TEACHER = Visitor("ada", is_teacher=True)


@pytest.fixture(scope="module")
def run(tmp_path_factory, small_models):
    """A finished run of a few steps on pictures of a folder, with a sheet for each."""
    from PIL import Image

    root = tmp_path_factory.mktemp("finished")
    for name in ("a", "b"):
        (root / "secret" / name).mkdir(parents=True)
        for number in range(4):
            Image.new("L", (32, 32), 60 * number).save(root / "secret" / name / f"{number}.png")
    train(
        "fashion-mlp",
        root / "run",
        **small_models["fashion-mlp"],
        dataset=f"folder:{root / 'secret'}",
        images=64,
        batch_size=4,
        sheets=16,
        device="cpu",
        threads=1,
        precision="fp32",
    )
    return root / "run"


@pytest.fixture
def folder(tmp_path, run):
    record(run, tmp_path / "shown" / "one", name="One", hardware="a toaster")
    return tmp_path / "shown"


def files(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.*")}


def test_a_recording_fills_the_panels(folder, run):
    [seen] = Recordings(folder, "no").snapshot()
    assert (seen.job.id, seen.job.name, seen.job.owner) == ("one", "One", RECORDED)
    assert seen.job.state is State.SUCCEEDED
    assert seen.images_seen == seen.total == 64
    assert seen.actions == ()
    assert "recording" in seen.job.message
    assert "a toaster" in seen.job.message
    kept, whole = Recordings(folder, "no").directory("one"), RunDirectory(run)
    assert kept.read_spec().model == whole.read_spec().model
    assert len(kept.read_metrics()) == len(whole.read_metrics())
    for row, original in zip(kept.read_metrics(), whole.read_metrics(), strict=True):
        assert row == pytest.approx(original, rel=1e-5)
    sheets = {path.name: path.read_bytes() for path in whole.samples.iterdir()}
    assert {path.name: path.read_bytes() for path in kept.samples.iterdir()} == sheets


def test_a_recording_has_no_weights_and_no_places_of_the_machine(folder, run):
    for path, content in files(folder).items():
        assert path.suffix in (".json", ".jsonl", ".png")
        assert b"secret" not in content, path
        assert bytes(run.parent) not in content, path


def test_sheets_are_left_out_evenly_until_it_fits(tmp_path, run):
    sheets = sorted((run / "samples").iterdir())
    whole = record(run, tmp_path / "x", name="x", hardware="y")
    room = whole - sum(path.stat().st_size for path in sheets[len(sheets) // 2 :])
    assert record(run, tmp_path / "x", name="x", hardware="y", largest_bytes=room) <= room
    kept = sorted(path.name for path in (tmp_path / "x" / "samples").iterdir())
    assert 2 < len(kept) < len(sheets)
    assert (kept[0], kept[-1]) == (sheets[0].name, sheets[-1].name)


def test_what_cannot_be_recorded_leaves_the_older_recording(folder, run, small_models, tmp_path):
    before = files(folder)
    with pytest.raises(ValueError, match="not even two sample sheets"):
        record(run, folder / "one", name="One", hardware="y", largest_bytes=100)
    unfinished = request_run("fashion-mlp", tmp_path / "new", **small_models["fashion-mlp"])
    with pytest.raises(ValueError, match="not ended well"):
        record(unfinished.path, folder / "one", name="One", hardware="y")
    assert files(folder) == before
    assert [path.name for path in folder.iterdir()] == ["one"]
    with pytest.raises(ValueError, match="is no recording"):
        record(run, run, name="One", hardware="y")
    assert (run / "ckpt").is_dir()


def test_many_reports_are_thinned_but_not_at_the_end(tmp_path, run):
    long = tmp_path / "long"
    shutil.copytree(run, long)
    report = {"discriminator_loss": 1.0, "generator_loss": 1.0, "seconds": 60.0}
    rows = [report | {"images_seen": 4 * n} for n in range(6000)]
    rows[777] = {"images_seen": 4 * 777, "diversity": 0.5}
    (long / "attempts/1/metrics.jsonl").write_text("".join(f"{json.dumps(r)}\n" for r in rows))
    record(long, tmp_path / "short", name="x", hardware="y")
    kept = RunDirectory(tmp_path / "short").read_metrics()
    assert len(kept) < 2000
    assert kept[-100:] == rows[-100:]
    assert rows[777] in kept
    assert json.loads((tmp_path / "short/recording.json").read_text())["minutes"] == 1


@pytest.mark.parametrize("command", [Start({}), Pause("one"), Delete("one"), CheckUpload()])
def test_every_command_is_refused_with_the_reason(folder, command):
    recordings = Recordings(folder, "this Space is open to everybody")
    before = files(folder)
    with pytest.raises(PermissionError, match="open to everybody"):
        recordings.do(command, TEACHER)
    with pytest.raises(PermissionError, match="open to everybody"):
        recordings.start("fashion-mlp", visitor=TEACHER, minutes=1)
    assert files(folder) == before


def test_whatever_is_not_there_is_said(folder):
    for name in ("two", "", ".", "..", "../one", "one/attempts"):
        with pytest.raises(ValueError, match="no run"):
            Recordings(folder, "no").directory(name)
    assert Recordings(folder / "nowhere", "no").snapshot() == []


@pytest.mark.parametrize("name", ["recording.json", "spec.json"])
def test_a_damaged_recording_is_none(folder, name):
    for damage in ("", "[]", "{}", "null", '{"name": 1, "hardware": 2, "minutes": "x"}'):
        (folder / "one" / name).write_text(damage)
        assert read_recording(folder / "one") is None
        assert Recordings(folder, "no").snapshot() == []


def test_runs_of_this_process_come_first_and_are_no_recordings(folder, run, tmp_path):
    live = tmp_path / "live"
    recordings = Recordings(folder, "no", live)
    assert [seen.job.owner for seen in recordings.snapshot()] == [RECORDED]
    shutil.copytree(run, live / "new")
    assert [seen.job.owner for seen in recordings.snapshot()] == [VISITOR, RECORDED]
    assert recordings.directory("new").path == live / "new"
    assert recordings.job("new").message == ""
