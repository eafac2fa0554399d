"""Whose turn it is: first come, first served within an owner, turn by turn between owners."""

from collections.abc import Iterable

from genimg.jobs.devices import Device
from genimg.jobs.job import Job
from genimg.jobs.states import State


def waiting(jobs: Iterable[Job], device: Device) -> list[Job]:
    """Return the queued jobs that `device` could run, in the order in which they would start.

    The owner whose last start on this kind of device is longest ago comes first; then everybody
    has one turn after the other. Owners without a start yet go by their first job's position.
    """
    jobs = [job for job in jobs if device.serves(job.device)]
    queues: dict[str, list[Job]] = {}
    for job in sorted(jobs, key=lambda job: (job.position, job.id)):
        if job.state is State.QUEUED:
            queues.setdefault(job.owner, []).append(job)
    last_turn = dict.fromkeys(queues, 0.0)
    for job in jobs:
        if job.owner in queues:
            last_turn[job.owner] = max(last_turn[job.owner], job.started)
    owners = sorted(queues, key=lambda owner: (last_turn[owner], queues[owner][0].position))
    rounds = max(map(len, queues.values()), default=0)
    return [
        queues[owner][turn]
        for turn in range(rounds)
        for owner in owners
        if turn < len(queues[owner])
    ]


def neighbour(jobs: Iterable[Job], job: Job, step: int) -> Job | None:
    """Return the owner's queued job `step` places after `job` (before it, if negative), or None.

    Only jobs that wait for the same device count: others are not in the way.
    """
    mine = [
        other
        for other in sorted(jobs, key=lambda other: (other.position, other.id))
        if other.state is State.QUEUED and (other.owner, other.device) == (job.owner, job.device)
    ]
    places = [index for index, other in enumerate(mine) if other.id == job.id]
    if not places or not 0 <= places[0] + step < len(mine):
        return None
    return mine[places[0] + step]
