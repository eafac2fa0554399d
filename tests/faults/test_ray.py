"""Runs on two Ray nodes of this machine: nodes, heads and servers that die, or hang, under them."""

import contextlib
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest

import genimg
from genimg.jobs.commands import Cancel, Pause, Resume
from genimg.jobs.engine import Handle
from genimg.jobs.engines.cluster import Given, Standing
from genimg.jobs.engines.configured import introduce
from genimg.jobs.engines.ray_jobs import RayCluster, RaySettings
from genimg.jobs.limits import UsageLimits, Visitor
from genimg.jobs.manager import JobManager
from genimg.jobs.states import State
from genimg.storage import Lease
from genimg.training import run_checkpoints
from tests.faults.network import Machine, why_not
from tests.faults.ray_nodes import RayNodes

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(find_spec("ray") is None, reason="no Ray here: pip install 'genimg[ray]'"),
]

ADA = Visitor("ada")
UNLIMITED = UsageLimits(queued_runs=0, minutes_per_run=0)


@contextlib.contextmanager
def started(monkeypatch, machine: Machine | None = None):
    """A head and one more node; one such cluster at a time on a machine."""
    turn = Lease(Path(tempfile.gettempdir(), "genimg-tests-of-ray.lock"))
    assert turn.acquire(patience=1000)
    cluster = RayNodes(machine)
    monkeypatch.setenv("RAY_AUTH_TOKEN", cluster.token)
    try:
        cluster.start_head()
        cluster.start_node()
        yield cluster
    finally:
        cluster.close()
        turn.release()


@pytest.fixture
def nodes(monkeypatch):
    """A head and one more node, each with two CPUs."""
    with started(monkeypatch) as cluster:
        yield cluster


@pytest.fixture
def machine():
    """A machine with a network of its own."""
    if reason := why_not():
        pytest.skip(reason)
    with contextlib.closing(Machine()) as there:
        yield there


@pytest.fixture
def distant_nodes(machine, monkeypatch):
    """A head without CPUs, and a node of two at the other end of a link."""
    with started(monkeypatch, machine) as cluster:
        yield cluster


@pytest.fixture
def serve(tmp_path):
    """Open managers of one folder of runs; each replaces the one before it."""
    opened: list[JobManager] = []

    def start() -> JobManager:
        for manager in opened:
            manager.close()
        opened.append(JobManager(tmp_path / "runs", limits=UNLIMITED))
        return opened[-1]

    yield start
    for manager in opened:
        manager.close()


@pytest.fixture
def settings(runs) -> dict:
    """Of runs that never end by themselves, unless `images` says so."""
    return runs._settings | {"device": "ray"}


def wait_for(manager: JobManager, condition, seconds: float = 400) -> None:
    end = time.monotonic() + seconds
    while not condition():
        seen = [(view.job.name, view.job.state, view.job.message) for view in manager.snapshot()]
        assert time.monotonic() < end, (seen, manager.notice)
        manager.step()
        time.sleep(0.1)


def state(manager: JobManager, job) -> State:
    return manager.job(job.id).state


def saved(manager: JobManager, job) -> int:
    newest = run_checkpoints.latest(manager.directory(job.id).checkpoints)
    return int(newest.name.removeprefix("step-")) if newest else 0


def test_a_sweep_of_eight_outlives_a_node(nodes, serve, settings, tmp_path, injected):
    """Fault 26: one of two nodes is killed while four of eight runs go; none of them is lost."""
    found = introduce(tmp_path / "runs", "ray", RaySettings(address=nodes.address))
    assert [(device.name, device.places) for device in found.devices] == [("ray/cpu", 4)]
    manager = serve()
    race = manager.sweep(
        varied={"seed": range(4), "generator_learning_rate": [1e-4, 2e-4]},
        visitor=ADA,
        **settings | {"images": 8 * 1500},
    )
    jobs = [job for job in manager.jobs() if job.race == race]
    assert len(jobs) == 8
    wait_for(manager, lambda: sum(state(manager, job) is State.RUNNING for job in jobs) == 4)
    assert [state(manager, job) for job in jobs[4:]] == [State.QUEUED] * 4
    nodes.kill(nodes.nodes[1])
    wait_for(manager, lambda: {state(manager, job) for job in jobs} == {State.SUCCEEDED}, 600)
    assert any(manager.job(job.id).attempt > 1 for job in jobs)
    for job in jobs:
        assert saved(manager, job) == 1500
        assert genimg.load(tmp_path / "runs" / job.id).sample(1, seed=0).shape == (1, 32, 32, 1)
    injected(1)


def test_what_happens_to_a_run_on_ray(nodes, serve, settings, tmp_path, injected):
    """Faults 7, 26 and 27: server killed, head hanging, head killed; paused, moved, cancelled."""
    introduce(tmp_path / "runs", "ray", RaySettings(address=nodes.address))
    manager = serve()
    job = manager.start(visitor=ADA, token="one click", **settings)
    assert manager.start(visitor=ADA, token="one click", **settings).id == job.id
    wait_for(manager, lambda: saved(manager, job) > 1)
    wait_for(manager, lambda: state(manager, job) is State.RUNNING)
    # The server is replaced, and the next one finds the run.
    manager = serve()
    wait_for(manager, lambda: not manager.notice and manager.devices()[-1].places == 4)
    assert (state(manager, job), manager.job(job.id).attempt) == (State.RUNNING, 1)
    # The head hangs, as where the network is cut; nothing is done about the run.
    children = psutil.Process(nodes.nodes[0].pid).children(recursive=True)
    dashboards = [each for each in children if "dashboard.py" in " ".join(each.cmdline())]
    assert dashboards
    for process in dashboards:
        process.suspend()
    wait_for(manager, lambda: "cannot be reached" in manager.notice)
    assert state(manager, job) is State.RUNNING
    reached = saved(manager, job)
    wait_for(manager, lambda: saved(manager, job) > reached)
    for process in dashboards:
        process.resume()
    wait_for(manager, lambda: not manager.notice)
    # It is paused, goes on here, and goes back.
    for engine, attempt in (("local", 2), ("ray", 3)):
        manager.do(Pause(job.id), ADA)
        wait_for(manager, lambda: state(manager, job) is State.PAUSED)
        assert manager.job(job.id).message == ""
        manager.do(Resume(job.id, engine=engine), ADA)
        reached = saved(manager, job)
        wait_for(manager, lambda before=reached: saved(manager, job) > before)
        assert manager.job(job.id).attempt == attempt
    # Ray has no place just now: what waits there ends at once when it is cancelled.
    cluster = RayCluster(RaySettings(address=nodes.address))
    log, device = tmp_path / "sleep.txt", manager.devices()[-1]
    sleepers = [Given(f"sleeper-{number}", tmp_path) for number in range(3)]
    for sleeper in sleepers:
        cluster.start(sleeper, ["sleep", "600"], log, device)
    waiting = manager.start(visitor=ADA, **settings)
    wait_for(manager, lambda: state(manager, waiting) is State.STARTING)
    time.sleep(3)
    manager.do(Cancel(waiting.id), ADA)
    wait_for(manager, lambda: state(manager, waiting) is State.CANCELLED, 40)
    for sleeper in sleepers:
        cluster.stop(sleeper)
    # Somebody else stops it by Ray's own means: it saves, and can be resumed.
    handle = manager.engine._remote["ray"][1]._followed.copy()
    [given] = [Given.of(each) for each in handle if each.run.name == job.id]
    cluster.stop(given)
    wait_for(manager, lambda: state(manager, job) is State.PAUSED)
    assert "stopped from outside" in manager.job(job.id).message
    manager.do(Resume(job.id), ADA)
    reached = saved(manager, job)
    wait_for(manager, lambda: saved(manager, job) > reached)
    # The head is killed with all that it knew; the run goes on when there is a new one.
    for node in list(nodes.nodes):
        nodes.kill(node)
    reached = saved(manager, job)
    nodes.start_head()
    wait_for(manager, lambda: manager.job(job.id).attempt == 5)
    wait_for(manager, lambda: saved(manager, job) > reached)
    manager.do(Cancel(job.id), ADA)
    wait_for(manager, lambda: state(manager, job) is State.CANCELLED)
    assert not manager.directory(job.id).lease.is_held()
    injected(4)


def test_a_run_that_moves_ends_with_the_same_bits(nodes, serve, settings, tmp_path):
    """Fault 3: begun here, continued on the cluster, ended here; and one that never moved."""
    introduce(tmp_path / "runs", "ray", RaySettings(address=nodes.address))
    manager = serve()
    length = settings | {"images": 8 * 3000, "device": "cpu"}
    still, moving = (manager.start(visitor=ADA, **length) for _ in range(2))
    wait_for(manager, lambda: state(manager, still) is State.SUCCEEDED)
    for engine in ("ray", "local"):
        reached = saved(manager, moving)
        wait_for(manager, lambda before=reached: saved(manager, moving) > before)
        manager.do(Pause(moving.id), ADA)
        wait_for(manager, lambda: state(manager, moving) in (State.PAUSED, State.SUCCEEDED))
        assert state(manager, moving) is State.PAUSED
        manager.do(Resume(moving.id, engine=engine), ADA)
    wait_for(manager, lambda: state(manager, moving) is State.SUCCEEDED)
    assert manager.job(moving.id).attempt == 3
    assert_same_bits(manager, still, moving)


def test_a_node_whose_network_is_cut_and_healed(
    machine, distant_nodes, serve, settings, tmp_path, injected
):
    """Fault 28: cut for a moment, then until the head gives the node up; nothing is lost."""
    introduce(tmp_path / "runs", "ray", RaySettings(address=distant_nodes.address))
    manager = serve()
    moving = manager.start(visitor=ADA, **settings)
    wait_for(manager, lambda: saved(manager, moving) > 1)
    wait_for(manager, lambda: state(manager, moving) is State.RUNNING)

    def wait_for_progress() -> None:
        reached = saved(manager, moving)
        wait_for(manager, lambda: saved(manager, moving) > reached)

    machine.cut()
    wait_for_progress()
    machine.heal()
    wait_for_progress()
    assert (state(manager, moving), manager.job(moving.id).attempt) == (State.RUNNING, 1)
    # The head gives the node up and calls the run failed, which goes on: none is begun beside it.
    machine.cut()
    wait_for(manager, lambda: distant_nodes.living() == 1)
    given = Given.of(Handle(manager.directory(moving.id).path, 1))
    cluster = RayCluster(RaySettings(address=distant_nodes.address))
    wait_for(manager, lambda: cluster.standings([given])[given] is Standing.ENDED)
    wait_for_progress()
    assert (state(manager, moving), manager.job(moving.id).attempt) == (State.RUNNING, 1)
    # When it hears of that, the node ends; its machine joins again.
    machine.heal()
    distant_nodes.nodes[1].wait(120)
    reached = saved(manager, moving)
    distant_nodes.kill(distant_nodes.nodes[1])
    distant_nodes.start_node()
    wait_for(manager, lambda: saved(manager, moving) > reached)
    wait_for(manager, lambda: state(manager, moving) is State.RUNNING)
    # Ray may leave the process of a lost node alone; then it goes on, and none is begun beside it.
    assert manager.job(moving.id).attempt in (1, 2)
    manager.do(Cancel(moving.id), ADA)
    wait_for(manager, lambda: state(manager, moving) is State.CANCELLED)
    assert not manager.directory(moving.id).lease.is_held()
    injected(2)


def assert_same_bits(manager: JobManager, *jobs) -> None:
    for part in ("model", "ema", "optimizer"):
        ends = [
            run_checkpoints.latest(manager.directory(job.id).checkpoints) / f"{part}.safetensors"
            for job in jobs
        ]
        assert ends[0].read_bytes() == ends[1].read_bytes()
