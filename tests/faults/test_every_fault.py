"""That no fault of the list gets lost."""

import ast
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent


def documented_faults(fault_numbers) -> set[int]:
    """Return the numbers in the docstrings of all tests, and classes of tests, of this folder."""
    numbers: set[int] = set()
    for path in FOLDER.glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_test = isinstance(node, (ast.FunctionDef, ast.ClassDef))
            if is_test and node.name.lower().startswith("test"):
                numbers.update(fault_numbers(ast.get_docstring(node)))
    return numbers


def faults_tested_elsewhere() -> set[int]:
    """Return the numbers in the docstrings of modules of other folders."""
    numbers: set[int] = set()
    for path in FOLDER.parent.glob("*/test_*.py"):
        said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        if path.parent != FOLDER:
            numbers.update(map(int, re.findall(r"\bfault (\d+) of the list", said)))
    return numbers


def test_every_fault_has_a_test(faults, fault_numbers):
    here, elsewhere = documented_faults(fault_numbers), faults_tested_elsewhere()
    assert here == set(faults)
    assert not here & elsewhere
    assert here | elsewhere == {*range(1, max(here | elsewhere) + 1)}  # no number has got lost


@pytest.mark.parametrize("path", sorted(FOLDER.glob("test_*.py")), ids=lambda path: path.stem)
def test_every_docstring_that_speaks_of_a_fault_is_understood(path, fault_numbers):
    for docstring in re.findall(r'^    """(Fault.*)', path.read_text(), re.MULTILINE):
        assert fault_numbers(docstring), docstring
