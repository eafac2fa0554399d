"""Tables that others can add rows to: kinds of models, recipes, data sets.

A plug-in is an installed package with entry points in the groups `genimg.models` and
`genimg.datasets`; each names a `Description` (see `genimg.extending`). They are imported when
somebody first looks into a table, so every process sees the same rows: the page, a command, a
worker, and those that share its batches.
"""

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

GROUPS = ("genimg.models", "genimg.datasets")
Row = TypeVar("Row")
_log = logging.getLogger(__name__)


class Description(ABC):
    """What an entry point names: something that can enter itself into the tables."""

    __slots__ = ()

    @abstractmethod
    def register(self) -> None:
        """Enter it; ValueError says in one sentence what is wrong with it."""


def installed() -> Iterable[EntryPoint]:
    """Return the entry points of all installed packages, by group and name."""
    found = [entry for group in GROUPS for entry in entry_points(group=group)]
    return sorted(found, key=lambda entry: (entry.group, entry.name))


class Plugins:
    """The plug-ins of this process, found once.

    Args:
        entries: returns the entry points to look at.

    Attributes:
        problems: a sentence for each that is left out.
        looking: whether they are being found right now.
    """

    def __init__(self, entries: Callable[[], Iterable[EntryPoint]] = installed) -> None:
        self._entries = entries
        self._lock = threading.RLock()
        self._found = self.looking = False
        self.problems: list[str] = []

    def find(self) -> None:
        """Import and register them all. One that fails is left out, with a sentence in the log."""
        if self._found:
            return
        with self._lock:  # other threads wait; this one may look into a table meanwhile
            if self._found or self.looking:
                return
            self.looking = True
            try:
                for entry in self._entries():
                    if problem := _register(entry):
                        self.problems.append(problem)
                        _log.warning("warning: %s", problem)
            finally:
                self._found, self.looking = True, False


def _register(entry: EntryPoint) -> str:
    """Register what an entry point names; return '' or why it is left out, in one sentence."""
    package = f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.value
    begin = f"the plug-in {package} is left out"
    try:
        described = entry.load()
    except (Exception, SystemExit) as error:  # a stranger's package may raise anything
        said = " ".join(str(error).split())[:200]
        return f"{begin}: importing {entry.value} raised {type(error).__name__} ({said})"
    if not isinstance(described, Description):
        return f"{begin}: {entry.value} is neither a genimg.ModelKind nor a genimg.DataSource"
    try:
        described.register()
    except ValueError as error:
        return f"{begin}: {error}"
    except Exception as error:  # likewise
        said = " ".join(str(error).split())[:200]
        return f"{begin}: registering it raised {type(error).__name__} ({said})"
    return ""


PLUGINS = Plugins()
"""The plug-ins that are installed."""


class Table(Mapping[str, Row], Generic[Row]):
    """Rows by name: those that genimg brings, and after them those of plug-ins.

    Args:
        rows: those that genimg brings.
        plugins: found when somebody first looks.
    """

    def __init__(self, rows: Mapping[str, Row], plugins: Plugins = PLUGINS) -> None:
        self._rows, self._plugins = dict(rows), plugins
        self._only_here: set[str] = set()

    def __getitem__(self, name: str) -> Row:
        self._plugins.find()
        return self._rows[name]

    def __iter__(self) -> Iterator[str]:
        self._plugins.find()
        return iter(tuple(self._rows))

    def __len__(self) -> int:
        self._plugins.find()
        return len(self._rows)

    def check_free(self, name: str, row: Row) -> None:
        """Raise ValueError if the name is taken by anything but this very row."""
        if name in self._rows and self._rows[name] != row:
            raise ValueError(f"the name {name!r} is taken already; choose another one")

    def add(self, name: str, row: Row) -> None:
        """Add a row; ValueError if the name is taken. The same row again changes nothing."""
        self.check_free(name, row)
        if self._plugins.looking:
            self._only_here.discard(name)
        elif name not in self._rows:
            self._only_here.add(name)
        self._rows[name] = row

    def is_everywhere(self, name: str) -> bool:
        """Return whether other processes have the row too; False if only this one added it."""
        return name in self and name not in self._only_here

    def left_out(self) -> str:
        """Return what to add to a sentence about an unknown name: '' or "; the plug-in ..."."""
        self._plugins.find()
        return "".join(f"; {problem}" for problem in self._plugins.problems)
