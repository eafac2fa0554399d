"""The states of a job, how it may go from one to another, and what the end of a worker means.

    queued -> starting -> running -> pausing -> paused -> queued
    running -> cancelling -> cancelled
    running -> succeeded | failed | interrupted -> queued

A worker may end at any moment, so whatever is active can become any of the ends.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from genimg.jobs import said
from genimg.wording import Wording


class State(StrEnum):
    """Where a job is."""

    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


def state_name(state: State) -> Wording:
    """Return what a state is called in a sentence."""
    return Wording(f"state.{state}", "{state}", state=str(state))


# A launcher or worker may be alive: the job occupies a device and its files must be left alone.
ACTIVE = frozenset({State.STARTING, State.RUNNING, State.PAUSING, State.CANCELLING})
_ENDS = {State.PAUSED, State.CANCELLED, State.SUCCEEDED, State.FAILED, State.INTERRUPTED}
TRANSITIONS: dict[State, frozenset[State]] = {
    State.QUEUED: frozenset({State.STARTING, State.PAUSED, State.CANCELLED}),
    State.STARTING: frozenset({State.RUNNING, State.PAUSING, State.CANCELLING} | _ENDS),
    State.RUNNING: frozenset({State.PAUSING, State.CANCELLING} | _ENDS),
    State.PAUSING: frozenset({State.CANCELLING} | _ENDS),
    State.CANCELLING: frozenset(_ENDS - {State.PAUSED, State.INTERRUPTED}),
    State.PAUSED: frozenset({State.QUEUED, State.CANCELLED}),
    State.FAILED: frozenset({State.QUEUED}),
    State.INTERRUPTED: frozenset({State.QUEUED, State.CANCELLED}),
    State.SUCCEEDED: frozenset(),
    State.CANCELLED: frozenset(),
}

# Nothing comes after these.
ENDED = frozenset(state for state, following in TRANSITIONS.items() if not following)

# What a job's owner may do with it in each state; everybody may duplicate it.
ACTIONS: dict[State, tuple[str, ...]] = {
    State.QUEUED: ("rename", "pause", "cancel", "move", "delete"),
    State.STARTING: ("rename", "pause", "cancel"),
    State.RUNNING: ("rename", "pause", "cancel", "save_now", "sample_now"),
    State.PAUSING: ("rename", "cancel"),
    State.CANCELLING: ("rename",),
    State.PAUSED: ("rename", "resume", "cancel", "delete"),
    State.FAILED: ("rename", "resume", "delete"),
    State.INTERRUPTED: ("rename", "resume", "cancel", "delete"),
    State.SUCCEEDED: ("rename", "delete"),
    State.CANCELLED: ("rename", "delete"),
}

FAILURES = {
    2: ("unusable", str(said.UNUSABLE)),
    70: ("diverged", str(said.DIVERGED)),
    71: ("out_of_memory", str(said.OUT_OF_MEMORY)),
    74: ("disk", str(said.DISK)),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Exit:
    """How a process ended, as its launcher saw it.

    Attributes:
        code: what it returned; None if a signal ended it.
        signal: the number of that signal, or None.
        memory_full: whether the system was killing processes for their memory at that moment.
    """

    code: int | None = None
    signal: int | None = None
    memory_full: bool = False

    @classmethod
    def from_dict(cls, values: Any) -> "Exit":
        """Read exit.json; what is damaged in it is unknown."""
        values = values if isinstance(values, dict) else {}
        code, number = values.get("code"), values.get("signal")
        return cls(
            code=code if type(code) is int else None,
            signal=number if type(number) is int else None,
            memory_full=values.get("memory_full") is True,
        )


def outcome(state: State, end: Exit | None, reported: str) -> tuple[State, str, str]:
    """Return the state that a job goes to when its worker has ended, the kind, and a sentence.

    Args:
        state: the active state it is in, which says what was asked of it.
        end: how the worker ended; None if nobody saw it (the launcher was killed, or the power).
        reported: the last state that the worker wrote about itself, or ''.
    """
    if end is None:  # the worker may still have said how it ended
        codes = {"succeeded": 0, "paused": 75, "cancelled": 130, "failed": 1}
        end = Exit(code=codes.get(reported))
    if end.code == 0:
        return State.SUCCEEDED, "", ""
    if end.code in FAILURES and not (end.code == 2 and state is State.CANCELLING):
        return State.FAILED, *FAILURES[end.code]
    if state is State.CANCELLING or end.code == 130:
        return State.CANCELLED, "", ""
    if end.code == 75:
        asked = state is State.PAUSING
        return State.PAUSED, "", "" if asked else str(said.STOPPED_FROM_OUTSIDE)
    if end.code is not None:
        return State.FAILED, "error", str(said.ERROR)
    if end.signal == 9 and end.memory_full:
        return State.FAILED, "system_out_of_memory", str(said.MEMORY_FULL)
    if state is State.PAUSING:
        return State.PAUSED, "", str(said.NOT_IN_TIME)
    how = said.filled(said.SIGNAL, number=end.signal) if end.signal else str(said.NOBODY_SAW)
    return State.INTERRUPTED, "", said.filled(said.ENDED_EARLY, how=how)
