"""A cluster with one machine, which is this one: its jobs are launchers, as on a real one.

It outlives every server, because all that it knows is on disk.
"""

from collections.abc import Collection

from genimg.jobs.devices import Device
from genimg.jobs.engine import Handle, LocalEngine, Verdict
from genimg.jobs.engines.cluster import Given, Standing

_STANDINGS = {
    Verdict.UNKNOWN: Standing.WAITING,
    Verdict.ALIVE: Standing.RUNNING,
    Verdict.DEAD: Standing.ENDED,
}


class ProcessCluster:
    """See `genimg.jobs.engines.cluster.Cluster`."""

    name, pace, patience = "ray", 0.05, 0.0

    def __init__(self) -> None:
        self._machine = LocalEngine(nice=0)
        self._stopping: set[Given] = set()

    def devices(self) -> list[Device]:
        """Return the one place that there is."""
        return [Device(name="ray/cpu", title="a machine of the cluster")]

    def submit(self, given: Given, handle: Handle, device: Device) -> None:
        """Start a launcher, once."""
        note = given.folder / "given"
        if not note.exists():
            note.touch()
            lock = handle.run.parent / "machine.lock"
            self._machine.submit(_handle(given), Device(name="cpu", title=""), lock)

    def standings(self, asked: Collection[Given]) -> dict[Given, Standing]:
        """Return how those stand that were started, and go on ending what is to end."""
        for given in self._stopping:
            self._machine.terminate(_handle(given))
        return {
            given: _STANDINGS[self._machine.probe(_handle(given))[0]]
            for given in asked
            if (given.folder / "given").exists()
        }

    def stop(self, given: Given) -> None:
        """End it, at first politely."""
        self._stopping.add(given)

    def output(self, given: Given) -> str:
        """Return nothing: all output is in the log."""
        return ""


def _handle(given: Given) -> Handle:
    return Handle(given.folder.parents[1], int(given.folder.name))
