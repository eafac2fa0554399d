"""What `pip install .` installs, and what it leaves behind."""

import importlib.metadata
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import genimg
from genimg import checkpoints

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
WITHOUT_NETWORK = ["--no-deps", "--no-index", "--no-build-isolation"]


def files_in(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*")}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A copy of what the package is built from."""
    source = tmp_path_factory.mktemp("source")
    for name in ("genimg", "checkpoints"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "setup.py", "requirements.txt", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    return source


@pytest.fixture(scope="module")
def before(source):
    """What is in the source folder before anything is built."""
    return files_in(source)


@pytest.fixture(scope="module")
def installed(source, before, tmp_path_factory):
    """The folder that the package was installed to."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run([*PIP, "install", *WITHOUT_NETWORK, "--target", folder, source], check=True)
    return folder


def test_an_installed_package_has_the_same_checkpoints(installed):
    script = (
        "import genimg; from genimg import checkpoints;"
        "print(genimg.__file__, *checkpoints.names()); genimg.load('fashion-mlp').sample(1)"
    )
    output = subprocess.check_output([sys.executable, "-c", script], cwd=installed, text=True)
    expected = [str(installed / "genimg" / "__init__.py"), *checkpoints.names()]
    assert output.split() == expected


def test_nothing_is_left_in_the_source_folder(source, before, installed):
    assert files_in(source) == before


def test_the_description_is_the_readme_without_the_header_of_the_space(installed):
    (found,) = importlib.metadata.distributions(name="genimg", path=[str(installed)])
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    header, text = readme.removeprefix("---\n").split("\n---\n", maxsplit=1)
    assert "sdk: gradio" in header  # the Space goes on reading it
    description = found.metadata.get_payload() or found.metadata["Description"]
    assert description.strip() == text.strip()
    assert found.metadata["Description-Content-Type"].startswith("text/markdown")
    assert found.version == genimg.__version__
    assert "Intended Audience :: Education" in found.metadata.get_all("Classifier")


def test_the_command_that_is_installed_tells_its_version(installed):
    script = installed / "bin" / "genimg"
    environment = os.environ | {"PYTHONPATH": str(installed)}
    output = subprocess.check_output(
        [sys.executable, script, "--version"], cwd=installed, env=environment, text=True
    )
    assert output == f"genimg {genimg.__version__}\n"
