"""Runs in the background: start, list, watch, pause, resume and cancel them.

    python -m genimg jobs start --preset fashion-style --minutes 10
    python -m genimg jobs list
    python -m genimg jobs watch
    python -m genimg jobs pause fashion-style-1c9e
    python -m genimg jobs race --preset fashion-mlp --minutes 2 --vary objective
    python -m genimg jobs results objective-5b2d
    python -m genimg jobs sweep --preset fashion-mlp --minutes 2 --seed 0..2 --r1 0,1
    python -m genimg jobs engine ray --address http://head:8265

A run goes on when its terminal or the app is closed. The app starts the next one in the queue;
where no app runs, each of these commands looks after the queue once, and `watch` does so until all
runs are done. JOB is a job's id, the beginning of its id, or its name; the tokenizer of an image
GPT may be named in the same way. A race is several runs that differ in one setting; a sweep differs
in several, with every combination of their values (0..4 counts, commas divide). An engine is
somewhere else to train: once it was named, --engine sends runs there.
"""

import argparse
import getpass
import os
import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path

from genimg.cli.engines import (
    add_engine,
    add_engine_settings,
    engines_table,
    say_cost,
    use_engine,
    with_engine,
)
from genimg.cli.health import findings_of, summary
from genimg.cli.options import Parser, add_number, path
from genimg.cli.tables import facts_table, plain, table
from genimg.cli.train import add_preset, given_settings
from genimg.jobs import naming
from genimg.jobs.commands import COMMANDS, Rebuild, Resume
from genimg.jobs.early_stop import MEDIAN
from genimg.jobs.job import Job
from genimg.jobs.limits import Visitor
from genimg.jobs.manager import JobManager
from genimg.jobs.races import RESULTS, newest, race_named
from genimg.jobs.states import ENDED, State
from genimg.jobs.views import JobView
from genimg.training.metric_names import METRICS
from genimg.training.progress import time_text
from genimg.ui.host import runs_of

SUMMARY = "train in the background: start, watch, pause, resume, cancel"
_RUNS = Path("runs")
_FIRST = ("start", "--preset", "fashion-style", "--minutes", "10")
_HEAD = ("job", "name", "owner", "state", "images", "images/s", "left")
_MAKE_THE_FOLDER = ("start", "race", "sweep", "engine")
_ACTIONS = {
    "pause": "Save and stop a run, to go on later; a queued one waits until it is resumed.",
    "resume": "Queue a paused, failed or interrupted run, to go on from its last checkpoint.",
    "cancel": "Stop a run for good; its last checkpoint stays.",
}


def add_arguments(parser: Parser, arguments: list[str]) -> None:
    """Add the actions with their options.

    Raises:
        ValueError: `arguments` start a preset that does not exist.
    """
    actions = parser.add_subparsers(metavar="ACTION", required=True, title="actions")
    _add(actions, "list", "List all runs.", _list)
    _add(actions, "show", "Show all that is known about a run.", _show, with_job=True)
    watch = _add(
        actions, "watch", "Follow the runs until all are done, and start queued ones.", _watch
    )
    add_number(
        watch,
        "--seconds",
        float,
        "Seconds to watch at most; 0 is until all runs are done.",
        default=0.0,
        low=0,
    )
    for action, help in _ACTIONS.items():
        command = _add(actions, action, help, _command, with_job=True)
        command.set_defaults(command=COMMANDS[action])
        if action == "resume":
            add_engine(command)
    logs = _add(actions, "logs", "Print the last lines that a run's worker printed.", _logs, True)
    add_number(
        logs,
        "--attempt",
        int,
        "Which attempt.",
        default=None,
        low=1,
        shown_default="the newest",
    )
    _add(actions, "rebuild", "Make the list of runs again from their folders.", _rebuild)
    results = _add(actions, "results", "Print the runs of a race side by side.", _results)
    results.add_argument("race", metavar="RACE", help="Id of a race, or the beginning of it.")
    race = _add(actions, "race", "Queue runs that differ in one setting, to compare.", _race)
    race.add_argument(
        "--vary", required=True, metavar="SETTING", help="The setting in which they differ."
    )
    race.add_argument(
        "--values", nargs="+", default=[], metavar="VALUE",
        help="What to compare: names or numbers (default all that have a name).",
    )  # fmt: skip
    add_engine(race)
    add_preset(race, arguments[2:] if arguments[:2] == ["jobs", "race"] else None)
    sweep = _add(actions, "sweep", "Queue runs with every combination of some values.", _sweep)
    sweep.add_argument(
        "--stop-early",
        action="store_true",
        help="End runs that are worse than the median of the others (default: train all to the"
        " end).",
    )
    add_engine(sweep)
    add_preset(sweep, arguments[2:] if arguments[:2] == ["jobs", "sweep"] else None, several=True)
    engine = _add(
        actions, "engine", "Name somewhere else to train, or list what is named.", _engine
    )
    add_engine_settings(engine, arguments[2:] if arguments[:2] == ["jobs", "engine"] else [])
    start = _add(actions, "start", "Queue a run.", _start)
    start.add_argument(
        "--name", default="", metavar="TEXT", help="Name of the run (default that of the preset)."
    )
    add_engine(start)
    add_preset(start, arguments[2:] if arguments[:2] == ["jobs", "start"] else None)


def _add(
    actions: "argparse._SubParsersAction[Parser]",
    name: str,
    help: str,
    action: Callable[[argparse.Namespace, JobManager], None],
    with_job: bool = False,
) -> Parser:
    parser = actions.add_parser(name, help=help, description=help)
    if with_job:
        parser.add_argument(
            "job", metavar="JOB", help="Id of the job, the beginning of its id, or its name."
        )
    parser.add_argument(
        "--runs",
        type=path,
        default=Path(runs_of(os.environ)),
        metavar="DIR",
        help="Folder of all runs (default runs, or what GENIMG_RUNS names).",
    )
    parser.set_defaults(action=action, makes_root=name in _MAKE_THE_FOLDER)
    parser.set_defaults(takes_engine=name in (*_MAKE_THE_FOLDER, "resume"))
    return parser


def run(options: argparse.Namespace) -> int:
    """Do what was asked; return the exit code."""
    if not options.runs.is_dir() and not options.makes_root:
        raise ValueError(
            f"there is no folder {options.runs}; give the folder of the runs as --runs, or start a"
            f" first run with: {_command_line(options.runs, *_FIRST)}"
        )
    if options.takes_engine:
        use_engine(options)
    manager = JobManager(options.runs, by_request=True)
    try:
        options.action(options, manager)
    finally:
        manager.close()
    return 0


def _command_line(runs: Path, *words: str) -> str:
    """Return a command that one can type, about the same folder of runs."""
    where = [] if runs == _RUNS else ["--runs", str(runs)]
    return shlex.join(["python", "-m", "genimg", "jobs", *words, *where])


def _list(options: argparse.Namespace, manager: JobManager) -> None:
    manager.step()  # notice what ended while nobody looked
    print(_table(manager.snapshot(), options.runs))
    if manager.notice and (manager.only_watches or manager.supervising):
        print(manager.notice, file=sys.stderr)


def _show(options: argparse.Namespace, manager: JobManager) -> None:
    manager.step()
    seen = manager.view(_find(manager, options.job).id)
    facts = seen.job.to_dict() | {
        "images_seen": seen.images_seen,
        "total": seen.total,
        "images_per_second": seen.images_per_second,
        "place_in_the_queue": seen.place,
        "megabytes": round(manager.stored_bytes(seen.job.id) / 1e6, 1),
        "folder": str(manager.directory(seen.job.id).path),
        "actions": list(seen.actions),
    }
    for name in ("created", "changed", "started"):
        moment = time.localtime(facts[name])
        facts[name] = time.strftime("%Y-%m-%d %H:%M:%S", moment) if facts[name] else "never"
    print(facts_table(facts))
    directory = manager.directory(seen.job.id)
    if rows := directory.read_metrics():
        for line in summary(findings_of(directory, rows, ended=seen.job.state in ENDED)):
            print(line)


def _watch(options: argparse.Namespace, manager: JobManager) -> None:
    manager.supervise()
    if not manager.supervising:
        print(manager.notice, file=sys.stderr)
    shown, begin = "", time.monotonic()
    while True:
        views = manager.snapshot()
        if (text := _table(views, options.runs)) != shown:
            print(text + "\n", flush=True)
            shown = text
        late = options.seconds and time.monotonic() - begin >= options.seconds
        if late or not any(seen.job.active or seen.job.state is State.QUEUED for seen in views):
            return
        time.sleep(1.0)


def _command(options: argparse.Namespace, manager: JobManager) -> None:
    job = _find(manager, options.job)
    where = {"engine": options.engine or ""} if options.command is Resume else {}
    manager.do(options.command(job.id, **where), _visitor())
    manager.step()
    print(f"{job.id} is {manager.job(job.id).state}")


def _start(options: argparse.Namespace, manager: JobManager) -> None:
    say_cost(manager.devices(), options.engine)
    job = manager.start(
        options.preset,
        visitor=_visitor(),
        name=options.name,
        **with_engine(options, given_settings(options)),
    )
    manager.step()
    print(f"{job.id} is {manager.job(job.id).state}; the run is in {manager.root / job.id}")
    if manager.supervising:
        watch = _command_line(options.runs, "watch")
        print(f"to start what is queued after it, leave this running: {watch}")


def _race(options: argparse.Namespace, manager: JobManager) -> None:
    say_cost(manager.devices(), options.engine)
    race = manager.race(
        options.preset,
        options.vary,
        options.values,
        visitor=_visitor(),
        **with_engine(options, given_settings(options)),
    )
    _tell_of(manager, race, options.runs)


def _sweep(options: argparse.Namespace, manager: JobManager) -> None:
    say_cost(manager.devices(), options.engine)
    given = given_settings(options)
    lists = {name: values for name, values in given.items() if name in options.several_names}
    varied = {name: values for name, values in lists.items() if len(values) > 1}
    settings = given | {name: values[0] for name, values in lists.items() if len(values) == 1}
    race = manager.sweep(
        options.preset,
        varied,
        visitor=_visitor(),
        stop_rule=MEDIAN if options.stop_early else "",
        **with_engine(options, {n: v for n, v in settings.items() if n not in varied}),
    )
    _tell_of(manager, race, options.runs)


def _tell_of(manager: JobManager, race: str, runs: Path) -> None:
    """Say what was queued, and what to do next."""
    manager.step()
    for job in race_named(manager.jobs(), race).jobs:
        print(f"{job.id} is {job.state}: {job.name}")
    if manager.supervising:
        print(f"to train one after the other: {_command_line(runs, 'watch')}")
    print(f"to compare them: {_command_line(runs, 'results', race)}")


def _results(options: argparse.Namespace, manager: JobManager) -> None:
    manager.step()
    race = race_named(manager.jobs(), options.race)
    reports = {job: newest(manager.directory(job.id).read_metrics()) for job in race.jobs}
    names = [name for name in RESULTS if any(name in values for values in reports.values())]
    rows = [("run", "state", "images", *(METRICS[name].label.lower() for name in names))]
    for job, values in reports.items():
        cells = [f"{values[name]:.4g}" if name in values else "" for name in names]
        rows.append((plain(job.name), job.state, f"{manager.view(job.id).images_seen:,}", *cells))
    print(table(rows))


def _engine(options: argparse.Namespace, manager: JobManager) -> None:
    if options.dry_run:
        return
    manager.step()
    print(engines_table(options.runs, manager.devices()))


def _logs(options: argparse.Namespace, manager: JobManager) -> None:
    for line in manager.log(_find(manager, options.job).id, options.attempt).splitlines():
        print(plain(line))


def _rebuild(options: argparse.Namespace, manager: JobManager) -> None:
    count = manager.do(Rebuild(), _visitor())
    print(f"the list has {count} runs again, from the folders in {options.runs}")


def _visitor() -> Visitor:
    """Return who sits here: a teacher, who could change the files of all runs anyway."""
    return Visitor(getpass.getuser(), is_teacher=True)


def _find(manager: JobManager, text: str) -> Job:
    """Return the one job that is called so; see `genimg.jobs.naming`."""
    job = naming.find(manager.jobs(), text)
    if job is None:
        see = _command_line(manager.root, "list")
        raise ValueError(f"there is no job {text!r} in {manager.root}; see: {see}")
    return job


def _table(views: list[JobView], runs: Path) -> str:
    if not views:
        return f"there are no runs yet; start one with: {_command_line(runs, *_FIRST)}"
    return table([_HEAD, *map(_row, views)])


def _row(seen: JobView) -> tuple[str, ...]:
    job = seen.job
    state = f"{job.state} ({job.kind})" if job.kind else str(job.state)
    speed, left = seen.images_per_second, seen.seconds_left
    return (
        job.id,
        plain(job.name),
        plain(job.owner),
        f"queued, place {seen.place}" if seen.place else state,
        f"{seen.images_seen:,} of {seen.total:,}" if seen.total else "",
        f"{speed:.0f}" if speed and job.active else "",
        "" if left is None else time_text(left),
    )
