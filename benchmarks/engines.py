"""What training elsewhere costs: from the click to the first report, and pictures a second.

    python -m genimg jobs engine ray --address http://head:8265 --runs DIR
    python benchmarks/engines.py --engine ray --runs DIR [--rounds N] [--seconds N]

Runs on this machine and on the engine alternate, one at a time. "first report" goes from the
command to the first line of metrics.jsonl that is seen here; "speed" is what the run itself reports
after some seconds. Nothing here has the lower priority that runs beside a page have.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # where genimg is

# It sets how OpenMP waits, which only counts before torch is imported.
import genimg  # noqa: F401

# isort: split
import argparse
import statistics
import time

from genimg.jobs.commands import Cancel
from genimg.jobs.devices import LOCAL
from genimg.jobs.engine import LocalEngine
from genimg.jobs.engines.configured import Engines
from genimg.jobs.limits import Visitor
from genimg.jobs.manager import JobManager
from genimg.jobs.states import ENDED

PRESET = "fashion-mlp"
WHO = Visitor("benchmark", is_teacher=True)


def measure(manager: JobManager, device: str, seconds: float) -> tuple[float, float]:
    """Train for a while; return the seconds to the first report, and pictures a second."""
    began = time.monotonic()
    job = manager.start(
        PRESET, visitor=WHO, device=device, images=10**8, threads=1, precision="fp32", sheets=0
    )
    directory = manager.directory(job.id)
    while not (rows := directory.read_metrics()):
        if manager.job(job.id).state in ENDED or manager.job(job.id).kind:
            sys.exit(f"the run ended early: {manager.job(job.id).message}")
        time.sleep(0.05)
    first = time.monotonic() - began
    time.sleep(seconds)
    rows = directory.read_metrics()
    manager.do(Cancel(job.id), WHO)
    while manager.job(job.id).state not in ENDED:
        time.sleep(0.1)
    timed = [row for row in rows if "images_per_second" in row]
    return first, timed[-1]["images_per_second"]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", required=True, help="one that the runs know of")
    parser.add_argument("--runs", type=Path, required=True, help="a folder of runs")
    parser.add_argument("--rounds", type=int, default=3, help="runs on each")
    parser.add_argument("--seconds", type=float, default=20, help="to train each of them")
    options = parser.parse_args()
    found: dict[str, list[tuple[float, float]]] = {LOCAL: [], options.engine: []}
    engines = Engines(options.runs, LocalEngine(nice=0))
    with JobManager(options.runs, engine=engines) as manager:
        for _ in range(options.rounds):
            for name, results in found.items():
                device = "cpu" if name == LOCAL else f"{name}/cpu"
                results.append(measure(manager, device, options.seconds))
    print(f"{'engine':<10} {'first report':>14} {'speed':>12}   median of {options.rounds}")
    for name, results in found.items():
        first, speed = (statistics.median(values) for values in zip(*results, strict=True))
        print(f"{name:<10} {first:>12.1f} s {speed:>8,.0f} /s")
    (first, speed), (theirs, their_speed) = (
        [statistics.median(values) for values in zip(*results, strict=True)]
        for results in found.values()
    )
    print(f"{options.engine} is {theirs - first:.1f} s later, at {their_speed / speed:.2f} times")


if __name__ == "__main__":
    main()
