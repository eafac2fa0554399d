import subprocess
import sys
import threading
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from genimg import tables
from genimg.tables import Description, Plugins, Table

ROOT = Path(__file__).resolve().parent.parent


class Row(Description):
    """Enters itself into the table of a test, once it is there."""

    table: Table

    def __init__(self, name, value="theirs"):
        self.name, self.value = name, value

    def register(self):
        self.table.add(self.name, self.value)


GOOD, TAKEN, NO_DESCRIPTION = Row("new"), Row("old"), 7


def __getattr__(name):
    """An entry point may name anything, also something that ends the process."""
    if name == "EXIT":
        raise SystemExit(3)
    raise AttributeError(name)


def table_of(*entries):
    """Return a table of one row, and what the entry points of plug-ins add."""
    found = [EntryPoint(f"e{i}", entry, tables.GROUPS[0]) for i, entry in enumerate(entries)]
    plugins = Plugins(lambda: found)
    Row.table = Table({"old": "ours"}, plugins)
    return Row.table


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    monkeypatch.setitem(sys.modules, "test_tables", sys.modules[__name__])


def test_plugins_are_found_at_the_first_look_and_come_last():
    table = table_of("test_tables:GOOD")
    assert list(table) == ["old", "new"]
    assert (table["new"], len(table), table.left_out()) == ("theirs", 2, "")
    assert "new" in table
    assert table.is_everywhere("new")
    assert table.is_everywhere("old")


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("test_tables:EXIT", "importing test_tables:EXIT raised SystemExit (3)"),
        ("test_tables:LACKS", "raised AttributeError (LACKS)"),
        ("no_such_module:X", "raised ModuleNotFoundError (No module named 'no_such_module')"),
        ("test_tables:NO_DESCRIPTION", "is neither a genimg.ModelKind nor a genimg.DataSource"),
        ("test_tables:TAKEN", "the name 'old' is taken already; choose another one"),
    ],
)
def test_one_that_fails_is_left_out_in_one_sentence(caplog, entry, reason):
    table = table_of(entry, "test_tables:GOOD")
    assert dict(table) == {"old": "ours", "new": "theirs"}
    assert reason in table.left_out()
    assert table.left_out().startswith(f"; the plug-in {entry} is left out")
    [record] = caplog.records
    assert record.getMessage() == "warning: " + table.left_out().removeprefix("; ")


def test_what_is_added_here_is_known_here_alone():
    table = table_of()
    table.add("mine", 1)
    table.add("mine", 1)
    assert table["mine"] == 1
    assert not table.is_everywhere("mine")
    with pytest.raises(ValueError, match="'mine' is taken"):
        table.add("mine", 2)


def test_what_a_plugin_also_adds_itself_is_everywhere():
    table = table_of("test_tables:GOOD")
    GOOD.register()
    assert table.is_everywhere("new")


def test_another_thread_waits_until_all_are_found():
    began, go = threading.Event(), threading.Event()

    def slowly():
        began.set()
        go.wait()
        return [EntryPoint("e", "test_tables:GOOD", tables.GROUPS[0])]

    Row.table = table = Table({}, Plugins(slowly))
    seen = []
    threads = [threading.Thread(target=lambda: seen.append(list(table))) for _ in range(3)]
    threads[0].start()
    began.wait()
    for thread in threads[1:]:
        thread.start()
    go.set()
    for thread in threads:
        thread.join()
    assert seen == [["new"]] * 3


def test_importing_all_of_genimg_looks_into_no_table():
    code = (
        "import importlib, pathlib, sys\n"
        "import genimg.tables\n"
        "genimg.tables.PLUGINS.find = lambda: sys.exit('looked')\n"
        "for file in sorted(pathlib.Path('genimg').rglob('*.py')):\n"
        "    parts = file.with_suffix('').parts\n"
        "    if parts[-1] != '__main__':\n"
        "        importlib.import_module('.'.join(p for p in parts if p != '__init__'))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr[-300:]) == (0, "")
