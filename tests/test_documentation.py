"""The pages that are made from the docstrings."""

import subprocess
import sys
from pathlib import Path

import pytest

import genimg

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_the_pages_are_built_without_a_warning(tmp_path):
    command = [sys.executable, ROOT / "docs" / "api.py", tmp_path]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.stderr == ""
    assert run.stdout == f"wrote {tmp_path / 'index.html'}\n"
    first = (tmp_path / "genimg.html").read_text(encoding="utf-8")
    for name in genimg.__all__:
        assert f'id="{name}"' in first or f'href="genimg/{name}.html"' in first
    models = (tmp_path / "genimg" / "explore.html").read_text(encoding="utf-8")
    for name in ("GanModel.sample", "DrawerModel.complete", "LoadedModel.to"):
        assert f'id="{name}"' in models
