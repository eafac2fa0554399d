"""Makes an engine of a cluster: the rules that all clusters share.

A network may hang, and the supervisor must not. So one thread talks to the cluster, again and again
until it is understood, and whoever asks gets the newest answer; where that has grown old nobody
knows, and what nobody knows is left alone. How an attempt ended is told by its own exit.json and
leases, never by the cluster: that only says whether there is still something to wait for.

Names are ours, and the same in every process. So whatever a killed server had asked for is asked
for again by the next one, and starts once.
"""

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from genimg.jobs.accounts import OwnerAway
from genimg.jobs.devices import Device
from genimg.jobs.engine import Handle, Verdict, read_exit, worker_is_alive
from genimg.jobs.engines.cluster import Cluster, Given, Standing
from genimg.jobs.states import Exit
from genimg.storage import Lease, write_json
from genimg.wording import wording_of

# An answer that is older than this says nothing any more.
_FRESH_SECONDS, _FRESH_ROUNDS = 15.0, 3
# For the last files of a worker to be seen from here: NFS keeps what it knows of a folder.
_APPEARS_SECONDS = 10.0
# A worker that the cluster has forgotten, and that nobody sees, is gone when it says nothing for
# so long; it writes its status every second or two.
_SILENT_SECONDS = 60.0
_DEVICES_SECONDS = 10.0
_FAREWELL_SECONDS = 20.0
_PAUSED = Exit(code=75)


@dataclass
class _Followed:
    """What is known of one attempt, and what is wanted of it.

    Attributes:
        wanted: where it is to be started; None once the cluster has it.
        asked_to_end: whether it is to be stopped: since when, and whether the cluster was told.
        standing: what the cluster said at `answered`; None if it does not know it.
        ended: when it was first said to have ended.
        sign, seen: the worker's newest sign of life, and when that was new.
        away: whether what is wanted waits for its owner to sign in.
    """

    wanted: Device | None = None
    asked_to_end: bool = False
    asked_at: float = 0.0
    told_to_end: bool = False
    standing: Standing | None = None
    answered: float | None = None
    ended: float | None = None
    sign: tuple[int, ...] = ()
    seen: float | None = None
    away: bool = False


class RemoteEngine:
    """Attempts on a cluster; see `genimg.jobs.engine.Engine`.

    Args:
        cluster: makes what is asked of; it is called by one thread at a time.
        clock: seconds that only ever grow.
        threaded: whether a thread talks to the cluster; else `talk` is to be called.
    """

    def __init__(
        self,
        cluster: Cluster,
        *,
        clock: Callable[[], float] = time.monotonic,
        threaded: bool = True,
    ) -> None:
        self.cluster, self.clock, self._threaded = cluster, clock, threaded
        self._lock = threading.Lock()
        self._followed: dict[Handle, _Followed] = {}
        self._devices: list[Device] = []
        self._devices_at = self._answered_at = float("-inf")
        self._fresh = max(_FRESH_SECONDS, _FRESH_ROUNDS * cluster.pace)
        self._asked, self._closing = threading.Event(), threading.Event()
        self._wanted = threading.Event()  # something that need not wait for the next round
        self._thread: threading.Thread | None = None
        self.trouble = ""
        """Why the cluster cannot be used just now, in one sentence, or ''."""

    # What the supervisor asks: none of it waits

    def submit(self, handle: Handle, device: Device, device_lock: Path) -> None:
        """Have the attempt started."""
        with self._lock:
            self._followed[handle] = _Followed(wanted=device)
        self._hurry()

    def probe(self, handle: Handle) -> tuple[Verdict, Exit | None]:
        """Ask exit.json first, then what the cluster last said, then the worker's signs of life."""
        self._wake()
        if handle.files.exit.exists():
            return self._forget(handle, read_exit(handle))
        with self._lock:
            known = self._followed.setdefault(handle, _Followed())
            if known.wanted is not None:
                return Verdict.WAITING, None
            if known.told_to_end and _take_back(handle):
                return self._gone(handle, known)
            if known.answered is None or self.clock() - known.answered > self._fresh:
                return Verdict.UNKNOWN, None
            if known.standing is Standing.RUNNING:
                return Verdict.ALIVE, None
            if known.standing is Standing.WAITING:
                return Verdict.WAITING, None
            if known.standing is Standing.ENDED:
                return self._ended(handle, known)
            return self._unheard_of(handle, known)

    def terminate(self, handle: Handle) -> None:
        """Have the attempt asked to end; the cluster kills it if that takes too long."""
        with self._lock:
            known = self._followed.setdefault(handle, _Followed())
            if not known.asked_to_end:
                known.asked_at = self.clock()
            known.asked_to_end, known.wanted = True, None
        self._hurry()

    def capacity(self) -> list[Device]:
        """Return what the cluster has; without a place as long as it does not answer."""
        self._wake()
        with self._lock:
            if self.clock() - self._answered_at <= 2 * self._fresh:
                return list(self._devices)
            return [replace(device, places=0) for device in self._devices]

    def close(self) -> None:
        """Wait until the cluster has what was asked for, but not for long; then stop talking."""
        self._closing.set()
        self._wanted.set()
        if self._thread is not None:
            self._thread.join(_FAREWELL_SECONDS if self._has_work() else 1.0)

    def wait(self, seconds: float) -> None:
        """Wait until the cluster was asked for the first time, whatever came of it."""
        self._wake()
        self._asked.wait(seconds)

    # What is made of an answer

    def _ended(self, handle: Handle, known: _Followed) -> tuple[Verdict, Exit | None]:
        """Return the verdict on what the cluster calls ended; its exit.json is not here yet."""
        if worker_is_alive(handle):  # without its launcher it goes on, and is taken as it is
            return Verdict.ALIVE, None
        if known.ended is None or self.clock() - known.ended < _APPEARS_SECONDS:
            return Verdict.UNKNOWN, None
        return self._gone(handle, known)

    def _unheard_of(self, handle: Handle, known: _Followed) -> tuple[Verdict, Exit | None]:
        """Return the verdict on what the cluster does not know: it began anew, or never got it."""
        if not _has_begun(handle):
            if known.asked_to_end:
                return self._gone(handle, known)
            known.wanted, known.answered = Device(name=handle.device, title=""), None
            return Verdict.WAITING, None
        if Lease(handle.files.lease).is_held() or worker_is_alive(handle):
            return Verdict.ALIVE, None
        sign = _sign_of_life(handle)
        if known.seen is None or sign != known.sign:
            known.sign, known.seen = sign, self.clock()
        if self.clock() - known.seen < _SILENT_SECONDS:
            return Verdict.UNKNOWN, None
        return self._gone(handle, known)

    def _gone(self, handle: Handle, known: _Followed) -> tuple[Verdict, Exit | None]:
        self._followed.pop(handle, None)
        never = known.asked_to_end and not _has_begun(handle)
        return Verdict.DEAD, _PAUSED if never else None

    def _forget(self, handle: Handle, end: Exit) -> tuple[Verdict, Exit | None]:
        with self._lock:
            self._followed.pop(handle, None)
        return Verdict.DEAD, end

    # Talking

    def _wake(self) -> None:
        if self._threaded and self._thread is None:
            self._thread = threading.Thread(
                target=self._loop, name=f"engine {self.cluster.name}", daemon=True
            )
            self._thread.start()

    def _hurry(self) -> None:
        self._wanted.set()
        self._wake()

    def _loop(self) -> None:
        while True:
            self._wanted.clear()
            self.talk()
            # What could not be done is asked for by whoever looks after the runs next.
            if self._closing.is_set() and (self.trouble or not self._has_work()):
                return
            self._wanted.wait(self.cluster.pace)

    def _has_work(self) -> bool:
        with self._lock:
            return any(
                known.wanted is not None
                or (known.asked_to_end and not known.told_to_end and self._is_due(handle, known))
                for handle, known in self._followed.items()
                if not known.away
            )

    def talk(self) -> None:
        """Do what is wanted, and ask how all that is followed stands."""
        try:
            self._do_what_is_wanted()
            self._ask()
            self.trouble = ""
        except (ValueError, OSError) as error:  # a token, an address; the network
            self.trouble = wording_of(error)
        finally:
            self._asked.set()

    def _do_what_is_wanted(self) -> None:
        with self._lock:
            wanted = [(handle, known) for handle, known in self._followed.items()]
        for handle, known in wanted:
            try:
                self._do_one(handle, known)
                known.away = False
            except OwnerAway:
                known.away = True  # it is tried again, and holds nobody up

    def _do_one(self, handle: Handle, known: _Followed) -> None:
        if (device := known.wanted) is not None:
            try:
                self.cluster.submit(Given.of(handle), handle, device)
            except ValueError as error:
                _refuse(handle, str(error))
            with self._lock:
                known.wanted = None if known.wanted is device else known.wanted
        if known.asked_to_end and not known.told_to_end and self._is_due(handle, known):
            self.cluster.stop(Given.of(handle))
            known.told_to_end = True

    def _is_due(self, handle: Handle, known: _Followed) -> bool:
        """Return whether the cluster is to stop it now: it may still be about to end by itself."""
        waited = self.clock() - known.asked_at
        return waited >= self.cluster.patience or not _has_begun(handle)

    def _ask(self) -> None:
        asked_at = self.clock()
        if asked_at - self._devices_at >= _DEVICES_SECONDS:
            devices = self.cluster.devices()
            with self._lock:
                self._devices, self._devices_at = devices, asked_at
        with self._lock:
            asked = {Given.of(h): h for h, known in self._followed.items() if known.wanted is None}
        said = self.cluster.standings(asked) if asked else {}
        # Of those nobody has heard anything, so what is known of them grows old.
        asked = {g: h for g, h in asked.items() if said.get(g) is not Standing.HIDDEN}
        for given, handle in asked.items():
            if said.get(given) is Standing.ENDED:
                self._keep_output(given, handle)
        with self._lock:
            for given, handle in asked.items():
                if (now := self._followed.get(handle)) is not None:
                    now.standing, now.answered = said.get(given), asked_at
                    if now.standing is Standing.ENDED and now.ended is None:
                        now.ended = asked_at
            self._answered_at = asked_at

    def _keep_output(self, given: Given, handle: Handle) -> None:
        """Put into the log what was printed by something that never came to open it."""
        log = handle.files.log
        if _has_begun(handle) or (log.exists() and log.stat().st_size):
            return
        if text := self.cluster.output(given):
            with log.open("a", encoding="utf-8") as file:
                file.write(text)


def _has_begun(handle: Handle) -> bool:
    return handle.files.launcher.exists() or handle.files.status.exists()


def _sign_of_life(handle: Handle) -> tuple[int, ...]:
    """Return something that changes whenever a worker has written."""
    found: list[int] = []
    for path in (handle.files.status, handle.files.metrics, handle.files.log):
        with contextlib.suppress(OSError):
            facts = path.stat()
            found += (facts.st_mtime_ns, facts.st_size)
    return tuple(found)


def _take_back(handle: Handle) -> bool:
    """Write down that an attempt is over which has not begun; return whether it had not.

    Ray hears that something is to stop only when that has a place. Its launcher then finds this.
    """
    lease = Lease(handle.files.lease)
    if _has_begun(handle) or not lease.acquire():
        return False
    try:
        if _has_begun(handle):
            return False
        write_json(handle.files.exit, {"code": _PAUSED.code, "signal": None, "time": time.time()})
        return True
    finally:
        lease.release()


def _refuse(handle: Handle, reason: str) -> None:
    """Write down that an attempt cannot be started, as a launcher would."""
    with handle.files.log.open("a", encoding="utf-8") as log:
        log.write(f"error: {reason}\n")
    write_json(handle.files.exit, {"code": 2, "signal": None, "time": time.time()})
