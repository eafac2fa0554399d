import contextlib
import json
import threading
import time

import pytest

from genimg.jobs.commands import Cancel, Delete, Move, Pause, Rename, Resume, SampleNow, SaveNow
from genimg.jobs.engine import LocalEngine
from genimg.jobs.limits import UsageLimits, Visitor
from genimg.jobs.manager import JobManager
from genimg.jobs.races import newest, races
from genimg.jobs.states import ENDED, Exit, State
from genimg.training import run_checkpoints
from genimg.training.running import train

ADA = Visitor("ada")


def handle(manager, job):
    return manager._supervisor.handle(manager.job(job.id))


def test_all_controls_of_a_run(manager, engine, small):
    job = manager.start(name="first", visitor=ADA, **small)
    assert manager.view(job.id).place == 1
    manager.step()
    engine.report(handle(manager, job), images_seen=40)
    manager.step()
    assert manager.view(job.id).actions == ("rename", "pause", "cancel", "save_now", "sample_now")
    manager.do(SaveNow(job.id), ADA)
    manager.do(SampleNow(job.id), ADA)
    assert manager.directory(job.id).read_control()["command"] == "sample_now"
    assert manager.do(Pause(job.id), ADA).state is State.PAUSING
    engine.end(handle(manager, job), Exit(code=75))
    manager.step()
    assert manager.do(Resume(job.id), ADA).state is State.QUEUED
    assert manager.do(Rename(job.id, "second"), ADA).name == "second"
    assert manager.do(Move(job.id, 1), ADA).state is State.QUEUED
    manager.step()
    assert manager.job(job.id).attempt == 2
    manager.do(Cancel(job.id), ADA)
    engine.end(handle(manager, job), Exit(code=130))
    manager.step()
    assert manager.job(job.id).state is State.CANCELLED
    assert manager.stored_bytes(job.id) > 0
    manager.do(Delete(job.id), ADA)
    assert manager.jobs() == []
    with pytest.raises(ValueError, match="there is no job"):
        manager.job(job.id)


def test_a_job_begins_with_another_run_by_its_name(manager, small):
    short = {"images": 32, "batch_size": 32, "sheets": 0, "threads": 1, "progress": False}
    train(out=manager.root / "old", **small | short)
    preset = small["preset"]
    tuned = manager.start(preset, visitor=ADA, init="old", images=64)
    longer = manager.start(preset, visitor=ADA, extend="old", images=64)
    runs = [manager.directory(job.id).read_spec().run for job in (tuned, longer)]
    old = str((manager.root / "old").resolve())
    assert [(run.init, run.extend) for run in runs] == [(old, ""), ("", old)]
    assert [run.batch_size for run in runs] == [128, 32]
    for name in ("init", "extend"):
        with pytest.raises(ValueError, match="there is no"):
            manager.start(preset, visitor=ADA, images=64, **{name: "nothing"})


def test_a_race_is_its_preset_with_one_setting_changed(manager, small):
    race = manager.race(
        small.pop("preset"), "objective", ["hinge", "wasserstein"], visitor=ADA, seed=7, **small
    )
    [found] = races(manager.jobs())
    assert (found.id, found.setting) == (race, "objective")
    assert [job.name for job in found.jobs] == ["objective hinge", "objective wasserstein"]
    hinge, wasserstein = (manager.directory(job.id).read_spec() for job in found.jobs)
    assert (hinge.task.objective, wasserstein.task.objective) == ("hinge", "wasserstein")
    assert (hinge.task.gradient_penalty, wasserstein.task.gradient_penalty) == (0, 10)
    assert (hinge.run, hinge.model) == (wasserstein.run, wasserstein.model)
    assert (hinge.run.seed, hinge.run.images) == (7, small["images"])


def test_what_is_set_for_a_whole_race_counts_in_each_of_its_runs(manager, small):
    preset, both = small.pop("preset"), {"visitor": ADA, "gradient_penalty": 3.0, **small}
    manager.race(preset, "objective", ["hinge", "wasserstein"], **both)
    specs = [manager.directory(job.id).read_spec() for job in manager.jobs()]
    assert [spec.task.gradient_penalty for spec in specs] == [3, 3]
    with pytest.raises(ValueError, match="objective is what differs"):
        manager.race(preset, "objective", objective="hinge", **both)
    assert len(manager.jobs()) == 2


def test_a_race_asked_for_in_a_terminal_is_queued_by_the_server(root, manager, small):
    manager.supervise()
    terminal = JobManager(root, by_request=True)
    race = terminal.race(small.pop("preset"), "augment", visitor=ADA, **small)
    assert [job.race for job in manager.jobs()] == [race, race]
    terminal.close()


@pytest.mark.slow
def test_the_runs_of_a_race_are_trained_one_after_the_other(root, tiny_run, wait_for):
    with contextlib.closing(JobManager(root, engine=LocalEngine(nice=0))) as manager:
        short = tiny_run | {"images": 160, "checkpoint_seconds": 60.0}
        preset = short.pop("preset")
        manager.race(preset, "objective", ["minimax", "hinge"], visitor=ADA, **short)
        wait_for(manager, lambda: all(job.state in ENDED for job in manager.jobs()), 240)
        [race] = races(manager.jobs())
        assert [job.state for job in race.jobs] == [State.SUCCEEDED] * 2
        reports = [manager.directory(job.id).read_metrics()[-1] for job in race.jobs]
        assert [report["images_seen"] for report in reports] == [160, 160]
        # The same start and the same pictures, but each generator has a loss of its own.
        assert reports[0]["generator_loss"] < 0
        assert all("seconds" in newest([report]) for report in reports)
        started = [job.started for job in race.jobs]
        assert started == sorted(started)
        assert started[1] >= manager.job(race.jobs[0].id).changed - 1


def test_a_hundred_clicks_at_once_make_one_run(manager, small):
    jobs, errors = [], []

    def click():
        try:
            jobs.append(manager.start(token="form 1", visitor=ADA, **small))
            manager.do(Cancel(jobs[-1].id), ADA)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=click) for _ in range(25)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert len({job.id for job in jobs}) == len(manager.jobs()) == 1
    assert manager.jobs()[0].state is State.CANCELLED


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"preset": "nope"}, "there is no preset 'nope'"),
        ({"batch_size": 1}, "batch_size must be from 2"),
        ({"dataset": "nope"}, "there is no data set 'nope'"),
        ({"device": "cuda:7"}, "this machine has no device 'cuda:7'"),
        ({"name": "x" * 100}, "the name of a run must have 1 to 80"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(manager, small, changes, words):
    with pytest.raises(ValueError, match=words):
        manager.start(visitor=ADA, **small | changes)
    assert manager.jobs() == []


def test_a_folder_of_pictures_is_found_from_everywhere(manager, tiny_run, pictures, monkeypatch):
    monkeypatch.chdir(pictures.parent)
    job = manager.start(visitor=ADA, **tiny_run | {"dataset": f"folder:{pictures.name}"})
    assert manager.directory(job.id).read_spec().run.dataset == f"folder:{pictures}"


def test_limits_are_checked_here(root, engine, small):
    manager = JobManager(root, engine=engine, limits=UsageLimits(minutes_per_run=1, queued_runs=1))
    with pytest.raises(PermissionError, match="may take 1 minutes"):
        manager.start("fashion-mlp", minutes=5, visitor=ADA)
    manager.start(visitor=ADA, **small)
    with pytest.raises(PermissionError, match="1 unfinished"):
        manager.start(visitor=ADA, **small)
    manager.close()


def test_many_viewers_cost_one_look_a_second(manager, small, monkeypatch):
    for _ in range(3):
        manager.start(visitor=ADA, **small)
    looks = []
    look = manager._look
    monkeypatch.setattr(manager, "_look", lambda: looks.append(1) or look())
    begin = time.monotonic()
    count = 0
    while time.monotonic() - begin < 0.5:
        assert [seen.place for seen in manager.snapshot()] == [1, 2, 3]
        count += 1
    assert len(looks) <= 2
    assert count > 10
    job = manager.snapshot()[0].job
    manager.do(Cancel(job.id), ADA)  # whoever does something sees it at once
    assert next(v for v in manager.snapshot() if v.job.id == job.id).job.state == "cancelled"


def test_running_first_then_the_queue_then_the_newest(manager, engine, small):
    jobs = [manager.start(visitor=ADA, **small) for _ in range(4)]
    manager.do(Cancel(jobs[0].id), ADA)
    manager.do(Cancel(jobs[1].id), ADA)
    manager.step()
    order = [seen.job.id for seen in manager.snapshot()]
    assert order == [jobs[2].id, jobs[3].id, jobs[1].id, jobs[0].id]
    json.dumps([seen.to_dict() for seen in manager.snapshot()])


def test_an_estimate_before_starting(manager, small):
    needs = manager.estimate(**small)
    assert needs.images == 80
    assert needs.problem == ""
    assert needs.weights > 0
    with pytest.raises(ValueError, match="no device"):
        manager.estimate("fashion-mlp", device="tpu")


def test_a_log_is_shown_to_its_end(manager, small):
    job = manager.start(visitor=ADA, **small)
    assert manager.log(job.id) == ""
    manager.step()
    (handle(manager, job).files.path / "log.txt").write_text("<script>\n")
    assert manager.log(job.id) == manager.log(job.id, attempt=1) == "<script>\n"


@pytest.mark.slow
def test_a_real_run_is_paused_resumed_sampled_and_finished(root, tiny_run, wait_for):
    with JobManager(root, engine=LocalEngine(nice=0)) as manager:
        job = manager.start(visitor=ADA, **tiny_run | {"images": 8 * 1500})
        run = manager.directory(job.id)
        wait_for(manager, lambda: manager.view(job.id).images_seen > 0)
        manager.do(SampleNow(job.id), ADA)
        wait_for(manager, lambda: list(run.samples.glob("*.png")))
        manager.do(Pause(job.id), ADA)
        wait_for(manager, lambda: not manager.job(job.id).active)
        paused = manager.job(job.id)
        if paused.state is State.PAUSED:  # it may have been faster
            assert 0 < paused.saved_images <= 8 * 1500
            manager.do(Resume(job.id), ADA)
            wait_for(manager, lambda: manager.job(job.id).state is State.SUCCEEDED)
            assert manager.job(job.id).attempt == 2
        assert manager.job(job.id).saved_images == 8 * 1500
        assert run_checkpoints.newest(run.checkpoints).name == "step-00001500"
        assert manager.log(job.id) == ""
        nothing_left = [path.name for path in root.glob("*/attempts/*/.*")]
        assert nothing_left == []
