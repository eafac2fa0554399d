"""Slurm without a Slurm: submitit's local executor, and commands that only look like Slurm's."""

import contextlib
import os
import signal
import time

import psutil
import pytest

from genimg.jobs.commands import Cancel, Pause, Resume
from genimg.jobs.devices import Device
from genimg.jobs.engine import Handle
from genimg.jobs.engines.cluster import Given, Standing
from genimg.jobs.engines.configured import Engines, write_settings
from genimg.jobs.engines.meeting import meet
from genimg.jobs.engines.registry import ENGINES
from genimg.jobs.engines.remote import RemoteEngine
from genimg.jobs.engines.slurm import SlurmCluster, SlurmSettings
from genimg.jobs.manager import JobManager
from genimg.jobs.states import State
from genimg.storage import read_json
from genimg.training import run_checkpoints
from genimg.training.run_directory import RunDirectory

pytest.importorskip("submitit", reason="submitit is not installed: pip install 'genimg[slurm]'")

SETTINGS = SlurmSettings(partition="gpu", gpus=1, time_limit=60, places=3)
SBATCH = """#!/bin/sh
cat "$1" > {folder}/script
echo "$(sed -n 's/^#SBATCH --job-name=//p' "$1")" > {folder}/name
echo "Submitted batch job 77"
"""
SQUEUE = """#!/bin/sh
[ -e {folder}/down ] && exit 1
[ -e {folder}/name ] && echo "$(cat {folder}/state) $(cat {folder}/name)"
exit 0
"""
SCANCEL = """#!/bin/sh
echo "$@" > {folder}/cancelled
rm {folder}/name
"""


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """Commands that look like Slurm's; the folder with what they were told."""
    folder = tmp_path / "slurm"
    folder.mkdir()
    for name, text in (("sbatch", SBATCH), ("squeue", SQUEUE), ("scancel", SCANCEL)):
        (folder / name).write_text(text.format(folder=folder))
        (folder / name).chmod(0o755)
    (folder / "srun").write_text("#!/bin/sh\n")
    (folder / "srun").chmod(0o755)
    (folder / "state").write_text("PENDING")
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


def test_what_slurm_is_asked_for(slurm, tmp_path):
    cluster = SlurmCluster(SETTINGS)
    [device] = cluster.devices()
    assert (device.name, device.places) == ("slurm/cuda", 3)
    handle = Handle(tmp_path / "runs" / "a", 1, device.name)
    handle.files.path.mkdir(parents=True)
    given = Given.of(handle)
    assert cluster.standings([given]) == {}
    cluster.submit(given, handle, device)
    script = (slurm / "script").read_text()
    for line in (
        f"--job-name={given.name}",
        "--partition=gpu",
        "--time=60",
        "--mem=8GB",
        "--cpus-per-task=2",
        "--gpus-per-node=1",
        "--signal=USR2@120",
    ):
        assert f"#SBATCH {line}\n" in script
    assert "export PYTHONPATH=" in script
    assert read_json(handle.files.path / "submission.json") == {"engine": "slurm", "id": "77"}


def test_the_queue_says_how_things_stand_and_the_note_what_is_over(slurm, tmp_path):
    cluster = SlurmCluster(SETTINGS)
    handle = Handle(tmp_path / "runs" / "a", 1, "slurm/cuda")
    handle.files.path.mkdir(parents=True)
    given = Given.of(handle)
    cluster.submit(given, handle, cluster.devices()[0])
    (slurm / "script").unlink()
    for state, standing in (
        ("PENDING", Standing.WAITING),
        ("RUNNING", Standing.RUNNING),
        ("REQUEUED", Standing.WAITING),  # it was preempted, and comes again
        ("COMPLETED", Standing.ENDED),
    ):
        (slurm / "state").write_text(state)
        assert SlurmCluster(SETTINGS).standings([given]) == {given: standing}
    cluster.submit(given, handle, cluster.devices()[0])
    SlurmCluster(SETTINGS).submit(given, handle, cluster.devices()[0])
    assert not (slurm / "script").exists()  # a second time changes nothing
    cluster.stop(given)
    assert (slurm / "cancelled").read_text() == f"--me --name={given.name}\n"
    assert cluster.standings([given]) == {given: Standing.ENDED}
    (slurm / "down").touch()
    with pytest.raises(OSError, match="does not answer"):
        cluster.standings([given])


def test_a_killed_servers_submission_is_found_by_its_name(slurm, tmp_path):
    cluster = SlurmCluster(SETTINGS)
    handle = Handle(tmp_path / "runs" / "a", 1, "slurm/cuda")
    handle.files.path.mkdir(parents=True)
    given = Given.of(handle)
    cluster.submit(given, handle, cluster.devices()[0])
    (handle.files.path / "submission.json").unlink()  # it was killed before it wrote that
    (slurm / "script").unlink()
    later = SlurmCluster(SETTINGS)
    assert later.standings([given]) == {given: Standing.WAITING}
    later.submit(given, handle, later.devices()[0])
    assert not (slurm / "script").exists()


def test_without_slurm_it_says_where_to_go(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ValueError, match="no command sbatch here"):
        SlurmCluster(SETTINGS).devices()


# Real runs, by submitit's local executor


@pytest.fixture
def local(root):
    """A manager whose Slurm is submitit's local executor, asked every half second."""
    made = []

    def connect(name, settings) -> RemoteEngine:
        cluster = SlurmCluster(settings, "local")
        cluster.pace = 0.2
        made.append(cluster)
        return RemoteEngine(cluster)

    write_settings(root, "slurm", SlurmSettings(places=2))
    manager = JobManager(root, engine=Engines(root, connect=connect))
    manager.cluster = made
    with contextlib.closing(manager):
        yield manager
    for cluster in made:
        for job in cluster._local.values():
            job.cancel(check=False)
            job._process.wait(60)


@pytest.mark.slow
def test_the_local_executor_sees_the_same_files(root):
    assert meet(SlurmCluster(SETTINGS, "local"), root, "", 120)


@pytest.mark.slow
def test_preempted_saved_queued_again_and_cancelled_with_its_successor(
    local, tiny_run, wait_for, visitor
):
    job = local.start(visitor=visitor, **tiny_run | {"device": "slurm"})
    directory = RunDirectory(local.root / job.id)

    def state() -> State:
        return local.job(job.id).state

    wait_for(local, lambda: run_checkpoints.latest(directory.checkpoints), 120)
    wait_for(local, lambda: state() is State.RUNNING)
    [cluster] = local.cluster
    [given] = cluster._local.values()
    for _ in range(2):
        before = directory.newest_status()["images_seen"]
        time.sleep(1)
        [task] = psutil.Process(given._process.pid).children()
        task.send_signal(signal.SIGUSR2)  # as Slurm does before another job takes the place
        wait_for(local, lambda: "paused" in directory.newest_status()["state"])
        saved = run_checkpoints.latest(directory.checkpoints)
        wait_for(local, lambda: directory.newest_status()["state"] == "running")
        assert state() is State.RUNNING
        assert directory.newest_status()["images_seen"] >= 8 * int(saved.name[5:])
        assert directory.newest_status()["images_seen"] > before
    assert directory.attempt_numbers() == [1]
    local.do(Pause(job.id), visitor)
    wait_for(local, lambda: state() is State.PAUSED)
    local.do(Resume(job.id), visitor)
    wait_for(local, lambda: state() is State.RUNNING)
    local.do(Cancel(job.id), visitor)
    wait_for(local, lambda: state() is State.CANCELLED)
    wait_for(local, lambda: not directory.lease.is_held())
    time.sleep(2)
    assert not directory.lease.is_held()  # nothing has followed
    assert directory.attempt_numbers() == [1, 2]


def test_the_registry_knows_it():
    assert ENGINES["slurm"].settings is SlurmSettings
    with pytest.raises(ValueError, match="gpus must be from 0 to 1"):
        SlurmSettings(gpus=2)
    assert Device(name="slurm/cpu", title="").engine == "slurm"
