"""This machine, and whatever else a folder of runs was told of, as one engine.

RUNS/engines.json names the others and their settings, {"ray": {"address": ...}}. It is read again
when it changes, so a server that runs already learns of an engine that a terminal adds, and
whoever looks after the runs later still finds those that train elsewhere. Tokens are not in it.
A Space, which has no terminal, may be given one engine by its variables instead.
"""

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from genimg.configuration import Configuration
from genimg.jobs.accounts import Accounts
from genimg.jobs.devices import Device, engine_of
from genimg.jobs.engine import Engine, Handle, LocalEngine, Verdict, read_exit
from genimg.jobs.engines.cluster import SharingCluster
from genimg.jobs.engines.hub import HubCluster
from genimg.jobs.engines.meeting import meet
from genimg.jobs.engines.registry import engine_named
from genimg.jobs.engines.remote import RemoteEngine
from genimg.jobs.states import Exit
from genimg.storage import read_json, write_json

_FILE = "engines.json"
_PATIENCE_SECONDS = 5.0


class Engines:
    """All of them; see `genimg.jobs.engine.Engine`. A device says by its name whose it is.

    Args:
        root: folder of the runs.
        local: this machine.
        connect: makes an engine of a name and its settings.
        accounts: of the visitors who are signed in.
        besides: settings by the names of engines that the file does not name.
    """

    def __init__(
        self,
        root: Path,
        local: Engine | None = None,
        connect: Callable[[str, Configuration], RemoteEngine] | None = None,
        *,
        accounts: Accounts | None = None,
        besides: Mapping[str, Configuration] | None = None,
    ) -> None:
        self.root, self.local = root, local or LocalEngine()
        self.accounts, self._besides = accounts or Accounts(), dict(besides or {})
        self._connect = connect or self._connect_usually
        self._remote: dict[str, tuple[Configuration, RemoteEngine]] = {}
        self._seen: tuple[int, ...] | None = None
        self._lock = threading.Lock()  # the page's threads ask, too
        self._damage = ""

    def submit(self, handle: Handle, device: Device, device_lock: Path) -> None:
        """Start the attempt where its device is."""
        if (engine := self._engine(device.name)) is None:
            raise OSError(f"nothing is known of {device.name} any more")
        engine.submit(handle, device, device_lock)

    def probe(self, handle: Handle) -> tuple[Verdict, Exit | None]:
        """Ask whose it is. Of an engine that is no longer known, only what is on disk counts."""
        if (engine := self._engine(handle.device)) is not None:
            return engine.probe(handle)
        if handle.files.exit.exists():
            return Verdict.DEAD, read_exit(handle)
        return Verdict.UNKNOWN, None

    def terminate(self, handle: Handle) -> None:
        """Ask it to end; where its engine is no longer known, nobody can."""
        if (engine := self._engine(handle.device)) is not None:
            engine.terminate(handle)

    def capacity(self) -> list[Device]:
        """Return the devices of this machine, then those elsewhere."""
        self._read()
        others = [engine.capacity() for _, engine in self._remote.values()]
        return [*self.local.capacity(), *(device for devices in others for device in devices)]

    def close(self) -> None:
        """Finish what was asked for; the attempts go on."""
        for _, engine in self._remote.values():
            engine.close()

    @property
    def trouble(self) -> str:
        """What is wrong with the file or with an engine, in one sentence, or ''."""
        remote = (engine.trouble for _, engine in self._remote.values())
        return self._damage or next(filter(None, remote), "")

    @property
    def on_accounts(self) -> bool:
        """Whether one of them trains on the accounts of visitors, who sign in for it."""
        self._read()
        return any(getattr(known, "visitors", False) for known, _ in self._remote.values())

    def _connect_usually(self, name: str, settings: Configuration) -> RemoteEngine:
        cluster = engine_named(name).connect(settings)
        if isinstance(cluster, HubCluster):
            cluster.accounts = self.accounts
        return RemoteEngine(cluster)

    def _engine(self, device: str) -> Engine | None:
        name = engine_of(device)
        if not name:
            return self.local
        self._read()
        return self._remote[name][1] if name in self._remote else None

    def _read(self) -> None:
        """Look whether the file has changed, and connect to what is new in it."""
        with self._lock:
            self._read_locked()

    def _read_locked(self) -> None:
        path = self.root / _FILE
        try:
            facts = os.stat(path)
            now: tuple[int, ...] = (facts.st_mtime_ns, facts.st_size, facts.st_ino)
        except OSError:
            now = ()
        if now == self._seen:
            return
        self._seen, self._damage = now, ""
        try:
            asked = self._besides | read_settings(self.root)
        except (ValueError, OSError) as error:
            self._damage = str(error)
            return  # those that are known stay: runs may train there
        for name, (settings, engine) in list(self._remote.items()):
            if asked.get(name) != settings:
                engine.close()
                del self._remote[name]
        for name, settings in asked.items():
            if name not in self._remote:
                engine = self._connect(name, settings)
                # So that what is asked for in the same second finds its devices.
                engine.wait(_PATIENCE_SECONDS)
                self._remote[name] = (settings, engine)


@dataclass(frozen=True, slots=True)
class Introduced:
    """What was found when an engine was added.

    Attributes:
        devices: what it has.
        host: a machine of it that sees the same files, or '' where files travel.
    """

    devices: list[Device]
    host: str


def introduce(root: Path, name: str, settings: Configuration) -> Introduced:
    """Add an engine to a folder of runs, once it was seen to work.

    Raises:
        ValueError: there is no such engine, or it cannot be used; the sentence says why.
        OSError: it cannot be reached, or the folder not be written.
    """
    kind = engine_named(name)
    cluster = kind.connect(settings)
    devices = cluster.devices()
    host = ""
    if kind.shares_files:
        host = meet(cast(SharingCluster, cluster), root, str(getattr(settings, "python", "")))
    write_settings(root, name, settings)
    return Introduced(devices, host)


def read_settings(root: Path) -> dict[str, Configuration]:
    """Return what a folder of runs was told of engines elsewhere, by name.

    Raises:
        ValueError: the file is damaged, or names what does not exist.
        OSError: it cannot be read.
    """
    try:
        values: Any = read_json(root / _FILE)
    except FileNotFoundError:
        return {}
    if not isinstance(values, dict):
        raise ValueError(f"{root / _FILE} holds no engines; delete it, and name them again")
    return {name: engine_named(name).settings.from_dict(each) for name, each in values.items()}


def write_settings(root: Path, name: str, settings: Configuration | None) -> None:
    """Keep what an engine was told, or forget the engine.

    Raises:
        ValueError, OSError: as for `read_settings`; it cannot be written.
    """
    root.mkdir(parents=True, exist_ok=True)
    known = read_settings(root)
    known.pop(name, None)
    if settings is not None:
        known[name] = settings
    write_json(root / _FILE, {name: each.to_dict() for name, each in known.items()})
