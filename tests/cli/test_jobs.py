import json
import re
from pathlib import Path

import pytest

from genimg.jobs import engine, service
from genimg.jobs.devices import Device
from genimg.jobs.engine import Verdict
from genimg.jobs.engines import configured, registry
from genimg.jobs.engines.cluster import Given, Standing
from genimg.jobs.engines.ray_jobs import RaySettings
from genimg.jobs.engines.registry import EngineKind
from genimg.jobs.job import read_job
from genimg.jobs.states import Exit
from genimg.training.run_directory import RunDirectory

TINY = ["--preset", "fashion-mlp", "--generator-widths", 8, "--discriminator-widths", 8, 8]
TINY += ["--images", 64, "--device", "cpu"]


@pytest.fixture(autouse=True)
def no_processes(monkeypatch):
    """Attempts are written down but not made; each lives until its exit.json is there."""

    def probe(self, handle):
        path = handle.files.path / "exit.json"
        if path.exists():
            return Verdict.DEAD, Exit.from_dict(json.loads(path.read_text()))
        return Verdict.ALIVE, None

    monkeypatch.setattr(engine.LocalEngine, "submit", lambda *arguments: None)
    monkeypatch.setattr(engine.LocalEngine, "probe", probe)


class PretendedCluster:
    """Two places, on which everything runs for ever."""

    name, pace, patience = "ray", 1.0, 0.0

    def devices(self) -> list[Device]:
        return [Device(name="ray/cpu", title="CPU of a cluster", places=2)]

    def submit(self, given, handle, device) -> None:
        pass

    def standings(self, asked) -> dict[Given, Standing]:
        return dict.fromkeys(asked, Standing.RUNNING)

    def stop(self, given) -> None:
        pass


@pytest.fixture
def root(tmp_path):
    return tmp_path / "runs"


@pytest.fixture
def start(call, root):
    """Start a run and return its id."""

    def run(*more: object) -> str:
        outcome = call("jobs", "start", "--runs", root, *TINY, *more)
        assert outcome.code == 0, outcome.err
        return outcome.out.split()[0]

    return run


def test_from_start_to_cancel(call, root, start):
    id = start("--name", "My run", "--seed", 9)
    assert RunDirectory(root / id).read_spec().run.seed == 9
    listed = call("jobs", "list", "--runs", root)
    assert re.search(rf"{id} +My run +\S+ +starting", listed.out)
    assert call("jobs", "pause", id, "--runs", root).out == f"{id} is pausing\n"
    (root / id / "attempts" / "1" / "exit.json").write_text('{"code": 75}')
    assert "paused" in call("jobs", "list", "--runs", root).out
    assert call("jobs", "resume", id, "--runs", root).out == f"{id} is starting\n"
    assert call("jobs", "cancel", id[:-3], "--runs", root).out == f"{id} is cancelling\n"
    (root / id / "attempts" / "2" / "exit.json").write_text('{"code": 130}')
    shown = call("jobs", "show", id, "--runs", root)
    assert re.search(r"state +cancelled", shown.out)
    assert re.search(r"attempt +2", shown.out)
    assert "1 runs" in call("jobs", "rebuild", "--runs", root).out


def test_a_race_is_queued_and_its_runs_are_laid_side_by_side(call, root, refuse):
    race = ("jobs", "race", "--runs", root, *TINY, "--vary", "objective")
    outcome = call(*race, "--values", "hinge", "minimax", "--seed", 3)
    assert outcome.code == 0, outcome.err
    lines = outcome.out.splitlines()
    assert re.fullmatch(r"fashion-mlp-\w+-0 is starting: objective hinge", lines[0])
    assert re.fullmatch(r"fashion-mlp-\w+-1 is queued: objective minimax", lines[1])
    id, *_ = lines[0].split()
    assert RunDirectory(root / id).read_spec().run.seed == 3
    assert lines[2].endswith(f"watch --runs {root}")
    [name] = re.findall(r"results (objective-\w+)", lines[3])
    report = json.dumps({"images_seen": 64, "seconds": 1.5, "images_per_second": 40.0})
    (root / id / "attempts" / "1" / "metrics.jsonl").write_text(report + "\n")
    head, hinge, minimax = call("jobs", "results", name, "--runs", root).out.splitlines()
    assert re.fullmatch(r"run +state +images +speed +time trained", head)
    assert re.fullmatch(r"objective hinge +starting +0 +40 +1.5", hinge)
    assert re.fullmatch(r"objective minimax +queued +0", minimax)
    assert "no race" in refuse("jobs", "results", "nope", "--runs", root)
    assert "cannot be varied" in refuse(*race[:-1], "seed")
    assert "'best'" in refuse(*race, "--values", "best", "hinge")


def test_a_sweep_is_queued_and_laid_in_one_table(call, root, refuse):
    sweep = ("jobs", "sweep", "--runs", root, *TINY, "--stop-early", "--r1", "0,0.5")
    outcome = call(*sweep, "--seed", "0..1,7")
    assert outcome.code == 0, outcome.err
    lines = outcome.out.splitlines()
    jobs = [read_job(root / line.split()[0]) for line in lines[:6]]
    assert [job.name for job in jobs] == [
        f"r1 {r1}, seed {seed}" for r1 in ("0", "0.5") for seed in (0, 1, 7)
    ] or [job.name for job in jobs] == [
        f"seed {seed}, r1 {r1}" for seed in (0, 1, 7) for r1 in ("0", "0.5")
    ]
    assert {(job.race, job.stop_rule) for job in jobs} == {(jobs[0].race, "median")}
    specs = [RunDirectory(root / job.id).read_spec() for job in jobs]
    assert {(spec.run.seed, spec.task.r1) for spec in specs} == {
        (seed, r1) for seed in (0, 1, 7) for r1 in (0.0, 0.5)
    }
    assert {spec.run.images for spec in specs} == {64}
    [race] = re.findall(r"results (sweep-\w+)", lines[-1])
    assert len(call("jobs", "results", race, "--runs", root).out.splitlines()) == 7
    assert "several values" in refuse(*sweep[:-1], "0")
    assert "not 'x'" in refuse(*sweep, "--seed", "0,x")
    assert "count up" in refuse(*sweep, "--seed", "4..0")
    assert "must be of" in refuse(*sweep, "--objective", "hinge,best")
    assert len(list(root.glob("*/job.json"))) == 6  # all or none


def test_an_engine_is_named_used_and_forgotten(call, root, refuse, monkeypatch):
    def connect(settings) -> PretendedCluster:
        return PretendedCluster()

    kind = EngineKind("A cluster", RaySettings, connect)
    monkeypatch.setitem(registry.ENGINES, "ray", kind)
    monkeypatch.setattr(configured, "meet", lambda *arguments: "node-1")
    named = call("jobs", "engine", "ray", "--address", "http://head:1", "--runs", root)
    assert named.code == 0, named.err
    assert "2 on ray/cpu" in named.out
    assert "node-1 sees the files" in named.out
    assert re.search(r"ray/cpu +2 +CPU of a cluster", named.out)
    outcome = call("jobs", "start", "--runs", root, *TINY, "--engine", "ray")
    assert outcome.code == 0, outcome.err
    job = read_job(root / outcome.out.split()[0])
    assert (job.device, job.assigned) == ("ray/cpu", "ray/cpu")
    assert RunDirectory(root / job.id).read_spec().run.device == "cpu"
    assert call("jobs", "engine", "ray", "--forget", "--runs", root).code == 0
    assert "ray/cpu" not in call("jobs", "engine", "--runs", root).out
    asked = ("jobs", "engine", "hf", "--runs", root, "--dry-run", "--time-limit", 30)
    dry = call(*asked, "--space", "ada/genimg", "--bucket", "ada/runs")
    assert dry.code == 0, dry.err
    assert '"timeout": "30m"' in dry.out
    assert "hf.co/spaces/ada/genimg" in dry.out
    assert "now, nothing did" in dry.out
    assert "space must be OWNER/NAME" in refuse(*asked)
    of_visitors = (*asked, "--space", "ada/genimg", "--visitors")
    assert "RUN/1 in VISITOR/genimg-runs" in call(*of_visitors).out
    assert "bucket must be NAME where visitors sign in" in refuse(*of_visitors, "--bucket", "a/b")
    again = ("jobs", "start", "--runs", root, *TINY)
    assert "no engine 'nope'" in refuse(*again, "--engine", "nope")
    assert "say which with --engine" in refuse(*again, "--address", "http://head:1")


def test_the_queue_is_shown_in_its_order(call, root, start):
    ids = [start() for _ in range(3)]
    lines = call("jobs", "list", "--runs", root).out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ids
    assert "queued, place 1" in lines[2]
    assert "queued, place 2" in lines[3]


def test_watching_ends_with_the_runs(call, root, start):
    id = start()
    assert "starting" in call("jobs", "watch", "--runs", root, "--seconds", 0.1).out
    (root / id / "attempts" / "1" / "exit.json").write_text('{"code": 0}')
    assert "succeeded" in call("jobs", "watch", "--runs", root).out


def test_the_health_of_a_run_is_shown(call, root, start):
    id = start()
    assert "health: " not in call("jobs", "show", id, "--runs", root).out  # nothing is known yet
    report = {"real_accuracy": 1.0, "fake_accuracy": 1.0, "generator_loss": 5.0}
    rows = [json.dumps(report | {"images_seen": 640 * number}) for number in range(40)]
    metrics = root / id / "attempts" / "1" / "metrics.jsonl"
    metrics.write_text("\n".join(rows[:3]) + "\n")
    assert "health: too early to tell" in call("jobs", "show", id, "--runs", root).out
    metrics.write_text("\n".join(rows) + "\n")
    assert "warning: the discriminator wins" in call("jobs", "show", id, "--runs", root).out


def test_logs_cannot_command_the_terminal(call, root, start):
    id = start()
    (root / id / "attempts" / "1" / "log.txt").write_text("one\n\x1b[31mred\x07\n")
    outcome = call("jobs", "logs", id, "--runs", root)
    assert outcome.out == "one\n [31mred \n"
    assert call("jobs", "logs", id, "--runs", root, "--attempt", 7).out == ""


def test_without_runs_it_says_how_to_start_one(call, root):
    root.mkdir()
    assert "jobs start --preset" in call("jobs", "list", "--runs", root).out


def test_bad_input_is_one_sentence(refuse, call, root, start):
    assert "there is no folder" in refuse("jobs", "list", "--runs", root)
    assert "no preset" in refuse("jobs", "start", "--runs", root, "--preset", "nope")
    assert not root.exists()
    first, second = start(), start()
    assert "no job 'nope'" in refuse("jobs", "show", "nope", "--runs", root)
    several = refuse("jobs", "show", "fashion", "--runs", root)
    assert first in several
    assert second in several
    call("jobs", "cancel", second, "--runs", root)
    assert "for good" in refuse("jobs", "resume", second, "--runs", root)
    assert "--help" in refuse("jobs", "pause", "--runs", root)


def test_a_server_that_does_not_answer_is_one_sentence(refuse, root, start, monkeypatch):
    id = start()
    monkeypatch.setattr(service.Service, "_take_over", lambda self: False)
    monkeypatch.setattr(service.Inbox.ask, "__defaults__", (0.1,))
    assert "does not answer" in refuse("jobs", "pause", id, "--runs", root)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="there is no folder that nobody writes")
def test_a_folder_that_cannot_be_written_is_listed(call, refuse):
    outcome = call("jobs", "list", "--runs", "/proc")
    assert outcome.code == 0
    assert "no runs yet" in outcome.out
    assert "cannot be written" in outcome.err
    assert "cannot be written" in refuse("jobs", "start", "--runs", "/proc", *TINY)
    assert "cannot be written" in refuse("jobs", "rebuild", "--runs", "/proc")


def test_a_job_is_named_as_its_owner_calls_it(call, root, start, refuse):
    id = start("--name", "My run")
    assert id in call("jobs", "show", "My run", "--runs", root).out
    assert call("jobs", "pause", "My run", "--runs", root).out == f"{id} is pausing\n"


def test_help_of_start_lists_the_settings_of_a_preset(call):
    outcome = call("jobs", "start", "--preset", "fashion-style", "--help")
    assert outcome.code == 0
    assert "--style-dimensions" in outcome.out
