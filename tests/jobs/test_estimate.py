import dataclasses

import pytest

from genimg import checkpoints
from genimg.jobs.devices import Device
from genimg.jobs.estimate import count_weights, estimate
from genimg.jobs.states import State
from genimg.models import kind_named
from genimg.storage import write_json
from genimg.training.presets import PRESETS, make_spec
from genimg.training.run_directory import RunDirectory

CPU = Device(name="cpu", title="CPU", total_memory=64 * 10**9, free_memory=32 * 10**9)


@pytest.mark.parametrize("preset", PRESETS)
def test_weights_are_counted_without_making_room_for_them(preset, small_models):
    spec = make_spec(preset, **small_models[preset])
    model = kind_named(spec.kind).build(spec.model)
    assert count_weights(spec) == sum(weight.numel() for weight in model.parameters())


def test_time_of_pictures_and_pictures_of_time(root):
    by_images = estimate(make_spec("portraits-style", images=9600), CPU, root, [])
    assert "ships with genimg" in by_images.speed_source
    assert by_images.minutes == pytest.approx(9600 / by_images.images_per_second / 60)
    by_minutes = estimate(make_spec("portraits-style", minutes=by_images.minutes), CPU, root, [])
    assert by_minutes.images == pytest.approx(9600, abs=1)
    assert by_minutes.problem == ""
    assert by_images.steps == 9600 / 64
    assert by_minutes.start_seconds > 0  # beside the minutes, which are to train


def test_the_speed_of_a_shipped_model_of_another_kind_says_nothing(root, tmp_path, monkeypatch):
    spec = make_spec("portraits-style", images=9600)
    (tmp_path / "portraits-style").mkdir()
    card = {"kind": "stylegan", "images_seen": 6000, "minutes": 1.0, "hardware": "cpu, 1 threads"}
    write_json(tmp_path / "portraits-style" / "card.json", card)
    monkeypatch.setattr(checkpoints, "SHIPPED", tmp_path)
    assert estimate(spec, CPU, root, []).images_per_second is None
    write_json(tmp_path / "portraits-style" / "card.json", card | {"kind": spec.kind})
    assert estimate(spec, CPU, root, []).images_per_second == 100


@pytest.fixture
def earlier(root, make_job):
    """A run of 123 pictures a second with the preset's own settings."""
    job = make_job(
        preset="fashion-mlp", state=State.SUCCEEDED, assigned="cpu", attempt=1, started=1.0
    )
    directory = RunDirectory.create(root / job.id, make_spec("fashion-mlp", images=64))
    # 123 a second with all that was done beside learning
    report = {"images_seen": 1230, "images_per_second": 150.0, "seconds": 10.0}
    directory.new_attempt(1).report(report)
    return job


def test_an_earlier_run_here_knows_better(root, earlier):
    spec = make_spec("fashion-mlp", images=1230)
    known = estimate(spec, CPU, root, [earlier])
    assert (known.images_per_second, known.minutes) == (123.0, pytest.approx(1 / 6))
    assert earlier.name in known.speed_source
    elsewhere = dataclasses.replace(earlier, assigned="cuda:0")
    assert estimate(spec, CPU, root, [elsewhere]).images_per_second != 123.0


@pytest.mark.parametrize(
    "changes", [{"generator_widths": (16,)}, {"r1": 1.0}, {"batch_size": 32}, {"threads": 2}]
)
def test_an_earlier_run_of_other_work_knows_nothing(root, earlier, changes):
    spec = make_spec("fashion-mlp", images=1230, **changes)
    assert estimate(spec, CPU, root, [earlier]).images_per_second != 123.0
    (root / earlier.id / "spec.json").write_text("damaged")
    same = make_spec("fashion-mlp", images=1230)
    assert estimate(same, CPU, root, [earlier]).images_per_second != 123.0


def test_an_unknown_speed_is_said_to_be_unknown(root):
    gpu = Device(name="cuda:0", title="A card", total_memory=8 * 10**9)
    asked = estimate(make_spec("fashion-mlp", images=100), gpu, root, [])
    assert (asked.minutes, asked.images, asked.images_per_second) == (None, 100, None)
    assert "no run of fashion-mlp on A card is known yet" in asked.speed_source
    by_minutes = estimate(make_spec("fashion-mlp", minutes=3), gpu, root, [])
    assert (by_minutes.minutes, by_minutes.images) == (3, None)


def test_more_of_anything_needs_more(root):
    base = estimate(make_spec("fashion-mlp"), CPU, root, [])
    batch = estimate(make_spec("fashion-mlp", batch_size=1024), CPU, root, [])
    wide = estimate(make_spec("fashion-mlp", generator_widths=(4096, 4096)), CPU, root, [])
    assert batch.memory_bytes > base.memory_bytes
    assert batch.disk_bytes == base.disk_bytes
    assert wide.memory_bytes > base.memory_bytes
    assert wide.disk_bytes > base.disk_bytes


def test_what_cannot_fit_is_refused_in_words(root, monkeypatch):
    spec = make_spec("fashion-style", batch_size=4096)
    small = dataclasses.replace(CPU, total_memory=10**9, free_memory=None)
    assert "of memory and CPU has 1,000 MB" in estimate(spec, small, root, []).problem
    full = dataclasses.replace(CPU, free_memory=10**9)
    assert "CPU has free 1,000 MB" in estimate(spec, full, root, []).problem
    unknown = dataclasses.replace(CPU, total_memory=None, free_memory=None)
    assert estimate(spec, unknown, root, []).problem == ""
    usage = type("Usage", (), {"free": 10**6})
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    assert "of disk and 1 MB are free" in estimate(spec, CPU, root, []).problem
