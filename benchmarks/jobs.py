"""What a training run in the background costs the page, and what its reports cost the run.

    python benchmarks/jobs.py [--events N] [--rounds N] [--seconds N] [--skip-browser]

"slider" is p95 from a slider's input event to the decoded picture, while StyleGAN-mini is trained
on the same cores, over p95 while nothing is; rounds with and without alternate. "reports" is the
time of a run over the time of its steps alone: what everything else costs (metrics, status, sample
sheets, quality, checkpoints), from the first step to the last. "start" goes from the click on Start
to the first point in a chart, "history" from the click on a run with 50,000 reports to its curves.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # where genimg is

# It sets how OpenMP waits, which only counts before torch is imported.
import genimg

# isort: split
import argparse
import json
import os
import statistics
import tempfile
import time

import torch
from latency import open_browser, p95, publish_untrained, start_app, time_browser

from genimg import data
from genimg.jobs.commands import Cancel, Pause, Resume
from genimg.jobs.job import Job, write_job
from genimg.jobs.limits import Visitor
from genimg.jobs.manager import JobManager
from genimg.jobs.states import State
from genimg.training.loop import Trainer
from genimg.training.presets import make_spec
from genimg.training.run_directory import RunDirectory

PRESET = "fashion-style"
REPORTS = 50_000
HISTORIES = 3
# Click, and wait until a curve of the losses is drawn in the run of that name (any new one).
_UNTIL_CURVE = """
async ([selector, name]) => {
  const before = document.querySelector('#runs .title').textContent;
  const start = performance.now();
  document.querySelector(selector).click();
  while (true) {
    const title = document.querySelector('#runs .title').textContent;
    const curve = document.querySelector('#runs [data-chart=Losses] path.curve-0[d^=M]');
    const seen = curve && curve.getClientRects().length > 0;
    if (seen && (name ? title === name : title !== before)) break;
    await new Promise(done => setTimeout(done, 5));
  }
  return (performance.now() - start) / 1000;
}
"""


class TimedTrainer(Trainer):
    """A trainer that notes how long its steps take, and what else there is between them."""

    steps = first = last = 0.0

    def _make_step(self) -> dict[str, float]:
        start = time.perf_counter()
        report = super()._make_step()
        self.last = time.perf_counter()
        self.first = self.first or start
        self.steps += self.last - start
        return report


def cost_of_reports(seconds: float) -> float:
    """Train a run of ten minutes for its first seconds; return its time over that of its steps."""
    spec = make_spec(PRESET, minutes=10, device="cpu")
    with tempfile.TemporaryDirectory() as folder:
        directory = RunDirectory.create(f"{folder}/run", spec)
        begin = time.monotonic()
        trainer = TimedTrainer(
            directory,
            directory.new_attempt(),
            data.load("fashion-mnist"),
            should_stop=lambda: time.monotonic() - begin > seconds,
        )
        begin = time.monotonic()
        trainer.run()
        return (trainer.last - trainer.first) / trainer.steps


def write_history(root: Path, number: int) -> Job:
    """Make a finished run with as many reports as a long one."""
    job = Job(
        id=f"long-{number}",
        name=f"long {number}",
        owner="benchmark",
        preset=PRESET,
        device="cpu",
        state=State.SUCCEEDED,
        attempt=1,
    )
    directory = RunDirectory.create(root / job.id, make_spec(PRESET, images=128 * REPORTS))
    attempt = directory.new_attempt()
    names = ("generator_loss", "discriminator_loss", "generator_gradient", "images_per_second")
    with attempt.metrics.open("w") as file:
        for step in range(1, REPORTS + 1):
            values = dict.fromkeys(names, 1 + step * 7919 % 1000 / 1000)
            file.write(json.dumps({"images_seen": 128 * step, **values}) + "\n")
    total = 128 * REPORTS
    attempt.write_status(state="succeeded", images_seen=total, total=total, time=time.time())
    write_job(root, job)
    return job


def wait_for(manager: JobManager, job_id: str, *states: State) -> None:
    """Wait until a job is in one of the states."""
    while manager.job(job_id).state not in states:
        time.sleep(0.2)


def in_browser(folder: Path, events: int, rounds: int) -> dict[str, float]:
    """Return the results of everything that needs a page."""
    root = folder / "runs"
    root.mkdir()
    histories = [write_history(root, number) for number in range(HISTORIES)]
    app, address, _ = start_app(publish_untrained(folder, 32), "--runs", str(root))
    manager = JobManager(root, by_request=True)
    who = Visitor("benchmark", is_teacher=True)
    job_id = ""
    try:
        with open_browser() as browser:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.set_default_timeout(120_000)
            page.goto(address)
            page.get_by_role("tab", name="Training").click()
            page.wait_for_selector(f"#runs [data-run={histories[-1].id}]")
            page.wait_for_timeout(2000)
            opened = [
                page.evaluate(_UNTIL_CURVE, [f"#runs [data-run={job.id}]", job.name])
                for job in histories
            ]
            started = page.evaluate(_UNTIL_CURVE, ["#train-start", ""])
            job_id = next(view.job.id for view in manager.snapshot() if view.job.active)
            page.close()
            idle, busy = [], []
            for _ in range(rounds):
                busy += time_browser(browser, address, events)
                manager.do(Pause(job_id), who)
                wait_for(manager, job_id, State.PAUSED)
                idle += time_browser(browser, address, events)
                manager.do(Resume(job_id), who)
                seen = manager.view(job_id).images_seen
                while manager.view(job_id).images_seen <= seen:
                    time.sleep(0.2)
    finally:
        if job_id:
            manager.do(Cancel(job_id), who)
            wait_for(manager, job_id, State.CANCELLED)
        app.terminate()
        app.wait(30)
    return {
        "idle": p95(idle),
        "busy": p95(busy),
        "slider": p95(busy) / p95(idle),
        "start": started,
        "history": statistics.median(opened),
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=40, help="slider events in a round")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=130.0, help="of training for 'reports'")
    parser.add_argument("--skip-browser", action="store_true")
    options = parser.parse_args()
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    print(f"genimg {genimg.__version__}, torch {torch.__version__}, {os.cpu_count()} cores")
    print(f"load before: {load:.1f}\n")
    print(f"{'':8s} {'result':>10s} {'at most':>10s}", flush=True)
    print(f"{'reports':8s} {cost_of_reports(options.seconds):9.3f}x {1.03:9.2f}x", flush=True)
    if options.skip_browser:
        return
    with tempfile.TemporaryDirectory() as folder:
        found = in_browser(Path(folder), options.events, options.rounds)
    print(f"{'slider':8s} {found['slider']:9.2f}x {2:9.2f}x", end="")
    print(f"   p95 {found['busy']:.0f} ms beside training, {found['idle']:.0f} ms alone")
    print(f"{'start':8s} {found['start']:9.1f}s {8:9.1f}s")
    print(f"{'history':8s} {found['history']:9.2f}s {1:9.1f}s")


if __name__ == "__main__":
    main()
