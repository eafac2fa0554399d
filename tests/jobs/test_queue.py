import itertools

from hypothesis import given
from hypothesis import strategies as st

from genimg.jobs import queue
from genimg.jobs.devices import Device
from genimg.jobs.job import Job
from genimg.jobs.states import State

CPU, FIRST, SECOND = (Device(name=name, title=name) for name in ("cpu", "cuda:0", "cuda:1"))

jobs = st.lists(
    st.builds(
        Job,
        id=st.uuids().map(str),
        name=st.just("n"),
        owner=st.sampled_from("abc"),
        preset=st.just("p"),
        device=st.sampled_from(["cpu", "cuda", "cuda:0", "cuda:1"]),
        state=st.sampled_from([State.QUEUED, State.QUEUED, State.SUCCEEDED, State.RUNNING]),
        position=st.integers(0, 1000).map(float),
        started=st.integers(0, 5).map(float),
    ),
    max_size=12,
    unique_by=lambda job: job.position,
)


@given(jobs=jobs, device=st.sampled_from([CPU, FIRST, SECOND]))
def test_order(jobs, device):
    order = queue.waiting(jobs, device)
    wanted = [job for job in jobs if job.state is State.QUEUED and device.serves(job.device)]
    assert sorted(job.id for job in order) == sorted(job.id for job in wanted)  # nobody is lost
    for owner in "abc":  # first come, first served
        mine = [job.position for job in order if job.owner == owner]
        assert mine == sorted(mine)
    for before, after in itertools.pairwise(order):  # turn by turn
        turns = [
            sum(job.owner == one.owner for job in order[: order.index(one)])
            for one in (before, after)
        ]
        assert turns[0] <= turns[1]


def test_an_owner_with_many_runs_does_not_hold_up_the_others(make_job):
    many = [make_job(f"a-{n}", owner="ada", position=float(n)) for n in range(5)]
    one = make_job("b-1", owner="bob", position=9.0)
    assert [job.id for job in queue.waiting([*many, one], CPU)][:3] == ["a-0", "b-1", "a-1"]
    done = make_job("a-9", owner="ada", state=State.SUCCEEDED, started=5.0)
    assert queue.waiting([done, *many, one], CPU)[0] == one  # ada has had a turn


def test_neighbours_are_of_the_same_owner_and_device(make_job):
    first, second, third = (make_job(f"a-{n}", position=float(n)) for n in (1, 3, 5))
    others = [
        make_job("b-1", owner="bob", position=2.0),
        make_job("c-1", device="cuda", position=4.0),
        make_job("d-1", state=State.PAUSED, position=4.5),
    ]
    jobs = [third, *others, first, second]
    assert queue.neighbour(jobs, second, -1) == first
    assert queue.neighbour(jobs, second, 1) == third
    assert queue.neighbour(jobs, first, -1) is None
    assert queue.neighbour(jobs, third, 1) is None
    assert queue.neighbour(jobs, others[2], 1) is None  # it does not wait
