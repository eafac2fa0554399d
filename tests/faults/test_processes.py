"""What two processes of one run do when they are asked to stop, or one of them is killed."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from genimg.storage import read_json
from genimg.training import run_checkpoints
from genimg.training.run_directory import RunDirectory

pytestmark = pytest.mark.slow

ENDLESS = 8 * 10**6
RECIPE = ["--preset", "fashion-mlp", "--generator-widths", "16", "--discriminator-widths", "16"]
RECIPE += ["--batch-size", "8", "--precision", "fp32", "--threads", "1", "--sheets", "1"]


@pytest.fixture
def train(tmp_path, pictures):
    """Start `python -m genimg train` in two processes; those alive at the end are killed."""
    started = []

    def start(name: str, images: int, *more: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "genimg", "train", *RECIPE, "--images", str(images)]
        command += ["--dataset", f"folder:{pictures}", "--out", str(tmp_path / name)]
        command += ["--processes", "2", *more]
        started.append(
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def wait_for_steps(process: subprocess.Popen, folder: Path, steps: int) -> None:
    end = time.monotonic() + 120
    while not any(int(path.name[5:]) >= steps for path in (folder / "ckpt").glob("step-*")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.01)


def follower_of(process: subprocess.Popen) -> int:
    [child] = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return int(child)


def has_ended(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def finish(process: subprocess.Popen) -> str:
    out, error = process.communicate(timeout=200)
    assert process.returncode == 0, error
    return out


def test_a_stopped_run_ends_like_one_that_was_not(train, tmp_path, result):
    """Fault 3: SIGTERM to the first of two processes; the same command goes on."""
    images = 8 * 300
    finish(train("calm", images, "--checkpoint-seconds", "1000"))
    stormy = tmp_path / "stormy"
    process = train("stormy", images, "--checkpoint-seconds", "0.05")
    wait_for_steps(process, stormy, 1)
    follower = follower_of(process)
    process.send_signal(signal.SIGTERM)
    out, error = process.communicate(timeout=60)
    assert process.returncode == 130, error
    assert "to resume, run the same command again" in out
    assert has_ended(follower)
    finish(train("stormy", images, "--checkpoint-seconds", "0.05"))
    assert result(RunDirectory(stormy)) == result(RunDirectory(tmp_path / "calm"))


def test_a_killed_process_ends_the_others_and_nothing_is_lost(train, tmp_path):
    """Fault 1: SIGKILL to each of two processes in turn."""
    folder = tmp_path / "run"
    process = train("run", ENDLESS, "--checkpoint-seconds", "0.05")
    wait_for_steps(process, folder, 1)
    os.kill(follower_of(process), signal.SIGKILL)
    begin = time.monotonic()
    out, error = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGKILL
    assert time.monotonic() - begin < 20  # a few seconds on a machine with nothing else to do
    assert "error: process 2 of 2 was ended by signal 9" in error
    assert "Traceback" not in error
    saved = int(re.search(r"saved at ([\d,]+) images", out)[1].replace(",", ""))
    assert saved > 0

    process = train("run", ENDLESS, "--checkpoint-seconds", "0.05")
    wait_for_steps(process, folder, saved // 8 + 1)
    follower = follower_of(process)
    process.kill()
    process.communicate()
    end = time.monotonic() + 20
    while not has_ended(follower):
        assert time.monotonic() < end
        time.sleep(0.05)
    assert run_checkpoints.newest(folder / "ckpt") is not None


TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
TORCHRUN += ["-m", "genimg.training.worker"]


def test_torchrun_starts_the_same_worker(make_run):
    run = make_run("run", "fashion-mlp", images=80)
    command = [*TORCHRUN, str(run.path)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert ended.returncode == 0, ended.stderr
    assert run_checkpoints.newest(run.checkpoints).name == "step-00000010"
    assert run.attempt_numbers() == [1]


@pytest.fixture
def torchrun():
    """Start a run by hand, with a terminal of its own; what is alive at the end is killed."""
    started = []

    def start(run: RunDirectory) -> subprocess.Popen:
        started.append(
            subprocess.Popen(
                [*TORCHRUN, str(run.path)],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        )
        return started[-1]

    yield start
    for process in started:
        for worker in workers_of(process):
            os.kill(worker, signal.SIGKILL)
        process.kill()
        process.communicate()


def workers_of(process: subprocess.Popen) -> list[int]:
    try:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    except FileNotFoundError:
        return []
    return [int(child) for child in children.split()]


@pytest.mark.parametrize(("name", "times"), [("SIGINT", 1), ("SIGINT", 3), ("SIGHUP", 1)])
def test_ctrl_c_at_torchrun_saves_and_ends(make_run, torchrun, name, times):
    """Fault 3: torchrun passes the signal on to both workers, and kills them half a minute later.

    An impatient person presses it again.
    """
    run = make_run("run", "fashion-mlp", images=ENDLESS, checkpoint_seconds=1000.0)
    process = torchrun(run)
    metrics = run.path / "attempts" / "1" / "metrics.jsonl"
    end = time.monotonic() + 120
    while not (metrics.exists() and metrics.read_text().count("\n") > 3):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.02)
    workers = workers_of(process)
    assert len(workers) == 2
    for _ in range(times):
        process.send_signal(getattr(signal, name))
        time.sleep(0.2)
    output, _ = process.communicate(timeout=100)
    assert "forcefully exiting" not in output  # what torchrun says when it kills
    assert all(map(has_ended, workers))
    status = read_json(run.path / "attempts" / "1" / "status.json")
    assert status["state"] == "paused"
    assert newest_state(run)["images_seen"] == status["images_seen"] > 0
    assert not run.lease.is_held()


def test_ctrl_c_before_torchruns_workers_have_met_ends_at_once(make_run, torchrun):
    """Fault 12: there is nothing to save, and nobody waits for whoever has gone.

    Not sooner than the first worker has the run: torchrun forgets workers that it is just starting.
    """
    run = make_run("run", "fashion-mlp", images=ENDLESS)
    process = torchrun(run)
    end = time.monotonic() + 120
    while not run.lease.is_held():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.01)
    workers = workers_of(process)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=100)
    assert "forcefully exiting" not in output
    assert all(map(has_ended, workers))
    assert not run.lease.is_held()


def newest_state(run: RunDirectory) -> dict:
    return run_checkpoints.load(run_checkpoints.newest(run.checkpoints))[1]


@pytest.fixture
def on_nodes():
    """Start a run on two "machines", each with a torchrun and a worker of its own."""
    started = []

    def start(run: RunDirectory) -> list[subprocess.Popen]:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        words = [sys.executable, "-m", "torch.distributed.run", "--nnodes", "2"]
        words += ["--nproc-per-node", "1", "--master-addr", "127.0.0.1", "--master-port", str(port)]
        nodes = [
            subprocess.Popen(
                [*words, "--node-rank", rank, "-m", "genimg.training.worker", str(run.path)],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
            for rank in "01"
        ]
        started.extend(nodes)
        return nodes

    yield start
    for process in started:
        for worker in workers_of(process):
            os.kill(worker, signal.SIGKILL)
        process.kill()
        process.communicate()


def test_two_machines_train_one_run_and_one_of_them_is_lost(make_run, start, on_nodes):
    """Fault 26: the curve is that of one process; after a loss both go on from the checkpoint."""
    images = 8 * 40
    alone, shared = (make_run(n, "fashion-mlp", images=images) for n in ("alone", "shared"))
    code, output = start(alone).end()
    assert code == 0, output
    for node in on_nodes(shared):
        output, _ = node.communicate(timeout=200)
        assert node.returncode == 0, output
    curves = [
        [(row["generator_loss"], row["discriminator_loss"]) for row in run.read_metrics()
         if "generator_loss" in row]
        for run in (alone, shared)
    ]  # fmt: skip
    assert len(curves[0]) > 2
    assert np.allclose(*curves, rtol=1e-4)

    run = make_run("lost", "fashion-mlp", images=ENDLESS, checkpoint_seconds=0.05)
    nodes = on_nodes(run)
    end = time.monotonic() + 120
    while run_checkpoints.latest(run.checkpoints) is None or not workers_of(nodes[1]):
        assert all(node.poll() is None for node in nodes), nodes[0].communicate()
        assert time.monotonic() < end
        time.sleep(0.05)
    time.sleep(1)
    for number in (*workers_of(nodes[1]), nodes[1].pid):
        os.kill(number, signal.SIGKILL)
    nodes[0].communicate(timeout=120)  # it does not wait for ever
    assert nodes[0].returncode != 0
    assert not run.lease.is_held()
    saved = newest_state(run)["images_seen"]
    nodes = on_nodes(run)
    while newest_state(run)["images_seen"] <= saved:
        assert all(node.poll() is None for node in nodes), nodes[0].communicate()
        assert time.monotonic() < end + 200
        time.sleep(0.1)
