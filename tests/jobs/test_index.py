import dataclasses
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from genimg.jobs.index import Index, IndexBusy
from genimg.jobs.job import Job, read_jobs, write_job
from genimg.jobs.states import TRANSITIONS, State


@pytest.fixture
def add(root, index, make_job):
    def add_one(id: str, **fields) -> Job:
        (root / id).mkdir()
        assert index.add(make_job(id, **fields))
        return index.job(id)

    return add_one


class Life(RuleBasedStateMachine):
    """Random events against a dictionary: nothing is lost, nothing stale gets through."""

    seen = Bundle("seen")  # jobs as somebody saw them, perhaps long ago

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.index = Index(self.root)
        self.model: dict[str, Job] = {}

    def teardown(self) -> None:
        self.index.close()
        shutil.rmtree(self.root)

    @rule(target=seen, number=st.integers(0, 3))
    def add(self, number):
        job = Job(id=f"j-{number}", name="n", owner="o", preset="p", device="cpu")
        (self.root / job.id).mkdir(exist_ok=True)
        assert self.index.add(job) == (job.id not in self.model)
        self.model.setdefault(job.id, self.index.job(job.id))
        return self.model[job.id]

    @rule(target=seen, job=seen, state=st.sampled_from(State), more=st.integers(0, 1))
    def change(self, job, state, more):
        fresh = job.id in self.model and (job.state, job.attempt) == (
            self.model[job.id].state,
            self.model[job.id].attempt,
        )
        try:
            changed = self.index.change(job, state=state, attempt=job.attempt + more)
        except ValueError:
            assert state is not job.state
            assert state not in TRANSITIONS[job.state]
            return job
        assert (changed is not None) == fresh
        if changed is not None:
            assert (changed.state, changed.attempt) == (state, job.attempt + more)
            self.model[job.id] = changed
        return changed or job

    @rule(job=seen)
    def remove(self, job):
        current = self.model.get(job.id)
        fresh = current is not None and (current.state, current.attempt) == (job.state, job.attempt)
        assert self.index.remove(job) == fresh
        if fresh:
            del self.model[job.id]
            shutil.rmtree(self.root / job.id)

    @rule(loss=st.sampled_from(["none", "deleted", "damaged", "old"]))
    def reopen(self, loss):
        old = (self.root / "jobs.sqlite").read_bytes()
        if loss == "old" and self.model:
            job = next(iter(self.model.values()))
            self.model[job.id] = self.index.change(job, name=job.name + "!")
        self.index.close()
        path = self.root / "jobs.sqlite"
        if loss == "deleted":
            path.unlink()
        elif loss == "damaged":
            path.write_bytes(b"SQLite format 3\0" + b"?" * 5000)
        elif loss == "old":  # somebody restored a backup
            path.write_bytes(old)
        self.index = Index(self.root)

    @rule()
    def rebuild(self):
        assert self.index.rebuild() == len(self.model)

    @invariant()
    def index_and_directories_say_the_same(self):
        assert {job.id: job for job in self.index.jobs()} == self.model
        assert {job.id: job for job in read_jobs(self.root)} == self.model


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=8, stateful_step_count=15, deadline=None)


def test_a_stale_change_changes_nothing(index, add):
    old = add("a-1")
    new = index.change(old, state=State.STARTING, attempt=1)
    assert index.change(old, state=State.CANCELLED) is None
    assert index.change(dataclasses.replace(new, attempt=0), state=State.RUNNING) is None
    assert index.job("a-1") == new


def test_what_may_not_follow_is_refused(index, add):
    job = add("a-1")
    with pytest.raises(ValueError, match="a job that is queued cannot become succeeded"):
        index.change(job, state=State.SUCCEEDED)
    with pytest.raises(ValueError, match="only grows"):
        index.change(job, attempt=-1)
    assert index.job("a-1") == job


def test_jobs_queue_in_the_order_of_their_coming(index, add):
    ids = ["c-1", "a-1", "b-1"]
    for id in ids:
        add(id)
    assert [job.id for job in index.jobs()] == ids


def test_a_second_index_is_refused_in_this_process_and_in_others(root, index):
    with pytest.raises(IndexBusy):
        Index(root)
    code = (
        "import sys; from pathlib import Path; from genimg.jobs.index import Index;"
        "Index(Path(sys.argv[1]))"
    )
    other = subprocess.run([sys.executable, "-c", code, str(root)], capture_output=True, text=True)
    assert "IndexBusy" in other.stderr
    assert index.jobs() == []


def test_a_crash_between_row_and_job_json_is_mended(root, index, add):
    job = add("a-1")
    newer = index.change(job, name="newer")
    write_job(root, job)  # the copy is old
    index.close()
    again = Index(root)
    assert again.jobs() == [newer]
    assert read_jobs(root) == [newer]
    again.close()


def test_a_table_of_another_program_is_set_aside(root, make_job):
    (root / "a-1").mkdir()
    write_job(root, make_job("a-1"))
    other = sqlite3.connect(root / "jobs.sqlite")
    other.execute("CREATE TABLE jobs (id)")
    other.execute("INSERT INTO jobs VALUES ('x')")
    other.commit()
    other.close()
    index = Index(root)
    assert [job.id for job in index.jobs()] == ["a-1"]
    assert list(root.glob("jobs.damaged-*"))
    index.close()


def test_a_row_whose_run_is_gone_is_dropped(root, index, add):
    add("a-1")
    add("b-1")
    shutil.rmtree(root / "a-1")
    index.close()
    again = Index(root)
    assert [job.id for job in again.jobs()] == ["b-1"]
    again.close()


def test_the_clock_may_go_back(index, add, monkeypatch):
    job = add("a-1", changed=2e9)
    monkeypatch.setattr("time.time", lambda: 1e9)
    assert index.change(job, name="later").changed == 2e9


def test_a_file_that_cannot_even_be_opened_is_one_sentence(tmp_path):
    with pytest.raises(OSError, match=r"jobs\.sqlite cannot be used: unable to open"):
        Index(tmp_path / "no such folder")
