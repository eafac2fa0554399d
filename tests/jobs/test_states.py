import pytest
from hypothesis import given
from hypothesis import strategies as st

from genimg.jobs.states import ACTIONS, ACTIVE, TRANSITIONS, Exit, State, outcome

ends = st.none() | st.builds(
    Exit,
    code=st.none() | st.sampled_from([0, 1, 2, 70, 71, 74, 75, 130, 255]),
    signal=st.none() | st.sampled_from([6, 9, 11, 15]),
    memory_full=st.booleans(),
)


@given(
    state=st.sampled_from(sorted(ACTIVE)),
    end=ends,
    reported=st.sampled_from(["", "running", "failed", "paused", "cancelled", "succeeded", "?"]),
)
def test_every_end_of_a_worker_is_an_allowed_transition(state, end, reported):
    after, kind, message = outcome(state, end, reported)
    assert after in TRANSITIONS[state]
    assert after not in ACTIVE
    assert bool(kind) == (after is State.FAILED)
    assert message or after is not State.FAILED


@pytest.mark.parametrize(
    ("state", "end", "after", "kind"),
    [
        ("running", Exit(code=0), "succeeded", ""),
        ("cancelling", Exit(code=0), "succeeded", ""),
        ("pausing", Exit(code=75), "paused", ""),
        ("running", Exit(code=75), "paused", ""),
        ("cancelling", Exit(code=75), "cancelled", ""),  # SIGTERM came before the wish was seen
        ("cancelling", Exit(code=130), "cancelled", ""),
        ("starting", Exit(code=2), "failed", "unusable"),
        ("running", Exit(code=70), "failed", "diverged"),
        ("running", Exit(code=71), "failed", "out_of_memory"),
        ("running", Exit(signal=9, memory_full=True), "failed", "system_out_of_memory"),
        ("running", Exit(code=74), "failed", "disk"),
        ("running", Exit(code=1), "failed", "error"),
        ("running", Exit(signal=9), "interrupted", ""),
        ("running", Exit(signal=11), "interrupted", ""),
        ("running", None, "interrupted", ""),
        ("cancelling", Exit(signal=9), "cancelled", ""),
        ("pausing", Exit(signal=9), "paused", ""),
    ],
)
def test_what_an_exit_means(state, end, after, kind):
    assert outcome(State(state), end, "running")[:2] == (State(after), kind)


@pytest.mark.parametrize(
    ("reported", "after"),
    [
        ("succeeded", "succeeded"),
        ("paused", "paused"),
        ("cancelled", "cancelled"),
        ("failed", "failed"),
        ("running", "interrupted"),
        ("", "interrupted"),
    ],
)
def test_without_a_launcher_the_worker_is_believed(reported, after):
    assert outcome(State.RUNNING, None, reported)[0] is State(after)


def test_states_are_complete_and_final_ones_final():
    assert set(TRANSITIONS) == set(ACTIONS) == set(State)
    ends = {state for state in State if not TRANSITIONS[state]}
    assert ends == {State.SUCCEEDED, State.CANCELLED}
    for state in set(State) - ends:  # the active can end, and the others can go on
        assert TRANSITIONS[state] & (ends if state in ACTIVE else {State.QUEUED, State.STARTING})


@pytest.mark.parametrize("values", [None, [], {"code": True}, {"code": "0"}, {"signal": 1.5}])
def test_a_damaged_exit_is_unknown(values):
    assert Exit.from_dict(values) == Exit()
