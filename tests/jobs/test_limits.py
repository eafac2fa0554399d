import pytest
from hypothesis import given
from hypothesis import strategies as st

from genimg.jobs.job import Job
from genimg.jobs.limits import UsageLimits, Visitor
from genimg.jobs.states import State


@pytest.mark.parametrize(
    "state", [State.QUEUED, State.STARTING, State.RUNNING, State.PAUSING, State.PAUSED]
)
def test_unfinished_runs_count(make_job, state):
    mine = [make_job(f"a-{n}", state=state) for n in range(2)]
    UsageLimits(queued_runs=3).check(mine, minutes=1, stored_bytes=0)
    with pytest.raises(PermissionError, match="2 unfinished runs and 2 are allowed; wait"):
        UsageLimits(queued_runs=2).check(mine, minutes=1, stored_bytes=0)


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.FAILED, State.CANCELLED])
def test_finished_runs_do_not_count(make_job, state):
    UsageLimits(queued_runs=1).check([make_job(state=state)], minutes=1, stored_bytes=0)


def test_minutes_and_bytes():
    limits = UsageLimits(minutes_per_run=10, stored_megabytes=5)
    limits.check([], minutes=10, stored_bytes=5_000_000)
    limits.check([], minutes=None, stored_bytes=0)
    with pytest.raises(PermissionError, match="may take 10 minutes and this one asks for about 11"):
        limits.check([], minutes=11, stored_bytes=0)
    with pytest.raises(PermissionError, match="delete some"):
        limits.check([], minutes=1, stored_bytes=5_000_001)


def test_all_together_have_limits(make_job):
    theirs = [make_job(f"{n}", owner=f"o{n}", state=State.QUEUED) for n in range(3)]
    asked = {"mine": [], "minutes": 1, "stored_bytes": 0, "everybodys": theirs}
    UsageLimits(all_queued_runs=4).check(**asked)
    with pytest.raises(PermissionError, match="together has 3 unfinished runs and 3 are"):
        UsageLimits(all_queued_runs=3).check(**asked)
    UsageLimits(all_stored_megabytes=5).check(**asked, all_stored_bytes=5_000_000)
    with pytest.raises(PermissionError, match="together take 6 MB and 5 MB are allowed"):
        UsageLimits(all_stored_megabytes=5).check(**asked, all_stored_bytes=6_000_000)


def test_a_guessed_speed_need_not_decide():
    asked = {"mine": [], "minutes": None, "stored_bytes": 0}
    UsageLimits().check(**asked, by_minutes=False)
    with pytest.raises(PermissionError, match="given in minutes here"):
        UsageLimits(by_minutes_only=True).check(**asked, by_minutes=False)
    UsageLimits(by_minutes_only=True).check(**asked, by_minutes=True)


@given(minutes=st.floats(0, 1e9), stored=st.integers(0, 2**60))
def test_zero_is_no_limit(minutes, stored):
    mine = [Job(id=str(n), name="n", owner="o", preset="p", device="cpu") for n in range(50)]
    free = UsageLimits(queued_runs=0, minutes_per_run=0, stored_megabytes=0)
    free.check(mine, minutes=minutes, stored_bytes=stored)


def test_who_may_change_a_job(make_job):
    job, orphan = make_job(owner="ada"), make_job(owner="")
    assert Visitor("ada").may_change(job)
    assert Visitor("bob", is_teacher=True).may_change(job)
    assert not Visitor("bob").may_change(job)
    assert not Visitor("").may_change(job)
    assert not Visitor("").may_change(orphan)  # nobody's job is not everybody's
    assert Visitor("", is_teacher=True).may_change(orphan)
