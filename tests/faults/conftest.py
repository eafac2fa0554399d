"""Faults: real processes, real signals, and runs on 80 made-up pictures that they are done to.

    python -m pytest tests/faults -m "" -n auto

runs all of them, also the slow ones, and prints at the end how many faults were injected, by their
numbers, and what was lost. The docstring of a test says which faults it injects ("Fault 7: ...").

Random moments come from one seed: of the environment variable GENIMG_FAULT_SEED, else a fresh one.
It is printed, too, so that a storm can be repeated.
"""

import contextlib
import json
import os
import random
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from genimg.training.presets import make_spec
from genimg.training.run_directory import RunDirectory
from tests.faults.processes import Process
from tests.faults.servers import Runs, last_step

FAULTS = {
    1: "a worker is killed at a random moment, also inside a save",
    2: "a killed run is resumed",
    3: "a run is paused and resumed within one epoch",
    4: "a file of a checkpoint is cut, changed or deleted",
    5: "the disk is full",
    6: "a system call fails",
    7: "the server is killed",
    8: "server and worker are killed",
    9: "the launcher is killed",
    10: "a recorded process number belongs to somebody else, or to a zombie",
    11: "two servers share one folder of runs",
    12: "clicks at bad moments, twice, or a hundred at once",
    13: "a worker listens to nobody",
    14: "a replaced attempt writes late",
    15: "a loss or a gradient is not finite",
    16: "memory runs out",
    17: "the index is locked, deleted or damaged",
    18: "logs and metrics are torn, huge or hostile",
    19: "the clock jumps, or the machine sleeps",
    20: "zip bombs",
    21: "names that lead elsewhere",
    22: "pictures that are none",
    23: "forged checkpoints",
    25: "two hundred runs and random events",
    26: "a machine of a cluster dies",
    27: "a cluster does not answer, or has forgotten everything",
    28: "the network between the machines of a cluster is cut and healed",
}
_NUMBERS = re.compile(r"Faults? (\d+(?:(?:, | and )\d+)*): ")


def fault_numbers(docstring: str | None) -> list[int]:
    """Return the numbers that a docstring begins with: "Fault 3: ..." or "Faults 1 and 2: ..."."""
    found = _NUMBERS.match(docstring or "")
    return [int(number) for number in re.findall(r"\d+", found[1])] if found else []


@pytest.fixture(scope="session")
def faults() -> dict[int, str]:
    """The numbers and names of all faults."""
    return FAULTS


@pytest.fixture(scope="session", name="fault_numbers")
def fault_numbers_fixture() -> Callable[[str | None], list[int]]:
    """The function `fault_numbers`."""
    return fault_numbers


# The seed, and the summary


def pytest_configure(config):
    # The workers of pytest-xdist inherit it, so that all of them use the same one.
    os.environ.setdefault("GENIMG_FAULT_SEED", str(secrets.randbelow(10**6)))


def pytest_itemcollected(item):
    # Properties reach the summary also from another process.
    numbers = fault_numbers(item.function.__doc__) or fault_numbers(
        getattr(item.cls, "__doc__", "")
    )
    item.user_properties.append(("faults", numbers))


def pytest_terminal_summary(terminalreporter):
    injected, tests, lost, total = Counter(), Counter(), [], 0
    for reports in terminalreporter.stats.values():
        for report in reports:
            if not isinstance(report, pytest.TestReport):  # what was deselected, and warnings
                continue
            values = [value for name, value in report.user_properties if name == "injected"]
            numbers = dict(report.user_properties).get("faults", ())
            if numbers and report.when == "call":
                total += sum(values) or 1  # once, also where a test is of two kinds of fault
            for number in numbers:
                if report.when == "call":
                    tests[number] += 1
                    injected[number] += sum(values) or 1
                if report.failed:
                    lost.append(f"fault {number}: {report.nodeid}")
    if not tests:
        return
    terminalreporter.section("faults")
    for number in sorted(tests):
        terminalreporter.write_line(
            f"{number:2} {FAULTS[number]:<72}{injected[number]:6} in {tests[number]:3} tests"
        )
    terminalreporter.write_line(f"{total} faults were injected")
    for line in lost or ["nothing"]:
        terminalreporter.write_line(f"lost: {line}")
    terminalreporter.write_line(f"repeat with GENIMG_FAULT_SEED={os.environ['GENIMG_FAULT_SEED']}")


@pytest.fixture
def moments(request) -> random.Random:
    """Random choices of this test, from the one seed."""
    print(f"GENIMG_FAULT_SEED={os.environ['GENIMG_FAULT_SEED']}")
    return random.Random(f"{os.environ['GENIMG_FAULT_SEED']} {request.node.nodeid}")


@pytest.fixture
def injected(record_property) -> Callable[[int], None]:
    """A function that counts faults; a test that never calls it counts as one."""

    def count(number: int = 1) -> None:
        record_property("injected", number)

    return count


# Real processes

# In the command of all that are forked here, so that what is left over can be found.
PROCESSES = secrets.token_hex(8)


@pytest.fixture(scope="session")
def ask_warm_python() -> Iterator[Callable[[dict], int | None]]:
    """A function that sends one request to a warm Python; see warm_python.py."""
    python = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("warm_python.py")), PROCESSES],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    # Until it runs its own code, /proc may not know its command yet. Who counts the processes
    # before a test would miss it, and kill it at the test's end as one that was left over.
    assert json.loads(python.stdout.readline()) == "ready"

    def ask(request: dict) -> int | None:
        python.stdin.write(json.dumps(request) + "\n")
        python.stdin.flush()
        return json.loads(python.stdout.readline())

    yield ask
    python.kill()
    python.communicate()


@pytest.fixture
def run_python(ask_warm_python, tmp_path_factory) -> Iterator[Callable[..., Process]]:
    """Start code in processes of their own; all that live at the test's end are killed."""
    processes, folder = [], tmp_path_factory.mktemp("output")
    before = set(living_processes())

    def start(code: str, *arguments: object, **environment: str) -> Process:
        process = Process(
            ask_warm_python,
            folder / str(len(processes)),
            code=code,
            arguments=[str(argument) for argument in arguments],
            environment=environment,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.send(signal.SIGKILL)
        process.end()
    while others := set(living_processes()) - before:
        for number in others:
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        time.sleep(0.005)


# Runs


@pytest.fixture(scope="session")
def pictures(tmp_path_factory) -> Path:
    folder, numbers = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    for number in range(80):
        path = folder / ("circles", "squares")[number % 2] / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(numbers.integers(0, 256, (32, 32), np.uint8)).save(path)
    return folder


@pytest.fixture
def make_run(tmp_path: Path, pictures: Path, small_models) -> Callable[..., RunDirectory]:
    def make(name: str, preset: str = "fashion-style", **changes) -> RunDirectory:
        settings = small_models[preset] | {
            "dataset": f"folder:{pictures}",
            "batch_size": 8,
            "threads": 1,
            "precision": "fp32",
            "device": "cpu",
            "sheets": 1,
            "checkpoint_seconds": 0.05,
        }
        spec = make_spec(preset, data_channels=1, data_classes=2, **settings | changes)
        return RunDirectory.create(tmp_path / name, spec)

    return make


WORKER = "import sys; from genimg.training import worker; sys.exit(worker.main(sys.argv[1:]))"


@pytest.fixture
def start(run_python) -> Callable[..., Process]:
    """Start a worker on a run."""

    def start_worker(
        run: RunDirectory, arguments: Sequence[str] = (), changes: str = "", **environment: str
    ) -> Process:
        return run_python(f"{changes}\n{WORKER}", run.path, *arguments, **environment)

    return start_worker


@pytest.fixture(scope="session", name="last_step")
def last_step_fixture() -> Callable[[RunDirectory], int]:
    """The step of a run's newest checkpoint; -1 before the first."""
    return last_step


@pytest.fixture
def engine_kind() -> str:
    """Where the runs are trained: one of `DEVICES`."""
    return "local"


@pytest.fixture
def runs(tmp_path, run_python, pictures, small_models, engine_kind) -> Iterator[Runs]:
    """An empty folder of runs; what still runs at the end of the test is killed."""
    root = tmp_path / "runs"
    root.mkdir()
    if engine_kind in ("hf", "all"):  # only what lies among the runs travels
        pictures = shutil.copytree(pictures, root / "sent" / "pictures")
    settings = small_models["fashion-mlp"] | {
        "preset": "fashion-mlp",
        "dataset": f"folder:{pictures}",
        "images": 8 * 10**6,
        "batch_size": 8,
        "threads": 1,
        "precision": "fp32",
        "sheets": 0,
        "checkpoint_seconds": 0.2,
    }
    all_runs = Runs(root, run_python, settings, engine_kind)
    yield all_runs
    for attempt in [*root.glob("*/attempts/*"), *tmp_path.glob("hf/machines/*/*/attempts/*")]:
        all_runs.end_group(attempt)


def living_processes() -> list[int]:
    """Return the numbers of all processes forked here that live (zombies do not)."""
    living = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
            state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if PROCESSES.encode() in command and state != "Z":
            living.append(int(folder.name))
    return living


@pytest.fixture(scope="session", name="living_processes")
def living_processes_fixture() -> Callable[[], list[int]]:
    """The function `living_processes`."""
    return living_processes
