import json
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genimg.storage import write_json
from genimg.training.run_directory import RunDirectory


def test_the_same_request_opens_the_run_and_another_is_refused_by_name(make_run, small_spec):
    run = make_run(seed=4)
    assert make_run(seed=4).path == run.path
    with pytest.raises(ValueError, match="seed is 4 there and 5 here"):
        make_run(seed=5)
    with pytest.raises(ValueError, match="kind is 'style-dcgan' there and 'mlp-gan' here"):
        make_run(preset="fashion-mlp", seed=4)
    assert run.read_spec() == small_spec(seed=4)


def test_a_folder_with_other_files_is_refused_but_not_what_a_kill_left(tmp_path, small_spec):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "thesis.txt").write_text("mine")
    with pytest.raises(ValueError, match="not empty and holds no run"):
        RunDirectory.create(tmp_path / "a", small_spec())
    assert os.listdir(tmp_path / "a") == ["thesis.txt"]
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / ".spec.json.0123456789ab").write_text("{")
    assert RunDirectory.create(tmp_path / "b", small_spec()).read_spec() == small_spec()


def test_a_damaged_spec_is_a_value_error_and_a_missing_one_is_not_found(make_run, tmp_path):
    run = make_run()
    (run.path / "spec.json").write_text('{"format": 1')
    with pytest.raises(ValueError, match=r"spec\.json"):
        run.read_spec()
    with pytest.raises(FileNotFoundError):
        RunDirectory(tmp_path / "none").read_spec()


@pytest.mark.parametrize(
    "content",
    ["", "[]", "3", "{", '{"generation": "x"}', '{"command": "run"}', "\x00", '{"earlier": [3]}'],
)
def test_a_damaged_control_file_is_no_wish(make_run, content):
    run = make_run()
    assert run.read_control()["generation"] == 0
    (run.path / "control.json").write_text(content)
    control = run.read_control()
    assert control["generation"] == 0
    assert control["command"] in (None, "run")
    assert run.wishes_after(0) == []


def test_the_wishes_that_attempts_have_seen_are_remembered(make_run):
    run = make_run()
    assert run.last_wish_seen() == 0
    for generation in (3, 5, None):
        attempt = run.new_attempt()
        if generation:
            attempt.write_status(state="running", wish_seen=generation)
    (run.path / "attempts" / "3" / "status.json").write_text("{torn")
    assert run.last_wish_seen() == 5


def test_attempts_are_numbered_on_and_can_be_named(make_run):
    run = make_run()
    assert run.attempt_numbers() == []
    assert [run.new_attempt().number for _ in range(2)] == [1, 2]
    assert run.new_attempt(11).number == 11
    assert run.new_attempt(11).number == 11
    (run.path / "attempts" / "notes").mkdir()
    assert run.attempt_numbers() == [1, 2, 11]


def test_what_is_not_finite_is_a_gap(make_run):
    attempt = make_run().new_attempt()
    attempt.report({"images_seen": 8, "a": float("nan"), "b": float("-inf"), "c": 0.5})
    text = (attempt.path / "metrics.jsonl").read_text()
    assert json.loads(text) == {"images_seen": 8, "a": None, "b": None, "c": 0.5}
    assert "NaN" not in text


def test_later_attempts_and_roll_backs_replace_what_they_repeat(make_run):
    run = make_run()
    first, second = run.new_attempt(), run.new_attempt()
    run.new_attempt()  # killed before its first report
    for seen in (10, 20, 30, 40):
        first.report({"images_seen": seen, "loss": 1.0})
    second.report({"images_seen": 30, "loss": 2.0})
    second.report({"images_seen": 40, "loss": 2.0})
    second.report({"images_seen": 30, "rolled_back": 1.0})
    second.report({"images_seen": 40, "loss": 3.0})
    assert run.read_metrics() == [
        {"images_seen": 10, "loss": 1.0},
        {"images_seen": 20, "loss": 1.0},
        {"images_seen": 30, "loss": 2.0, "rolled_back": 1.0},
        {"images_seen": 40, "loss": 3.0},
    ]


def test_torn_and_foreign_lines_are_ignored(make_run):
    run = make_run()
    attempt = run.new_attempt()
    attempt.report({"images_seen": 10, "loss": 1.0})
    with (attempt.path / "metrics.jsonl").open("ab") as file:
        file.write(b'\xff\xfe\n[1]\n{"loss": 3}\n{"images_seen": "x"}\n' + b"1" * 5000 + b"\n")
        file.write(b'{"images_seen": 20, "loss": 1.0}\n{"images_seen": 30')
    assert [line["images_seen"] for line in run.read_metrics()] == [10, 20]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 300))
def test_metrics_cut_anywhere_are_a_prefix_of_the_whole(make_run, cut):
    run = make_run()
    attempt = run.new_attempt(1)
    path = attempt.path / "metrics.jsonl"
    path.unlink(missing_ok=True)
    for seen in range(8, 80, 8):
        attempt.report({"images_seen": seen, "loss": 0.5})
    whole = run.read_metrics()
    os.truncate(path, min(cut, path.stat().st_size))
    assert run.read_metrics() == whole[: path.read_text().count("\n")]


def test_sheets_are_named_by_the_pictures_seen(make_run):
    run = make_run()
    run.write_sheet(128, b"png")
    assert [path.name for path in run.samples.iterdir()] == ["000000128.png"]


def test_control_and_status_are_what_was_written(make_run):
    run = make_run()
    write_json(run.path / "control.json", {"command": "pause", "generation": 2})
    assert run.read_control() == {"command": "pause", "generation": 2}
