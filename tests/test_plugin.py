"""The example of a plug-in, installed into an environment of its own, as a stranger would."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples" / "plugin"
LONGEST_FILE = 60  # lines


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """The Python of an environment that has what this one has, and the example."""
    folder = tmp_path_factory.mktemp("plugin")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    there = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout
    known = [sysconfig.get_path("purelib"), str(ROOT)]
    (Path(there.strip()) / "known.pth").write_text("\n".join(known))
    shutil.copytree(EXAMPLE, folder / "source")  # a build leaves files where it is made
    install = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-index"]
    install += ["--no-build-isolation", "--no-deps", "--disable-pip-version-check"]
    subprocess.run([*install, folder / "source"], check=True)
    return python


@pytest.fixture
def run(python, tmp_path):
    """Run the Python of the environment in an empty folder; return its standard output."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def call(*words, code=0):
        done = subprocess.run(
            [python, *map(str, words)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == code, done.stderr
        return done.stdout if code == 0 else done.stderr

    return call


def test_its_files_are_short():
    files = sorted(EXAMPLE.rglob("*.py"))
    assert len(files) == 3
    assert all(len(file.read_text().splitlines()) < LONGEST_FILE for file in files)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_from_the_form_to_its_tab(run, tmp_path):
    seen = json.loads(run(ROOT / "tests" / "plugin_journey.py", tmp_path).splitlines()[-1])
    assert "stripes-small" in seen["presets"]
    assert seen["pictures"] == "stripes"
    assert "stripes" in seen["data"]
    assert {"width", "latent_dimensions", "objective", "batch_size"} <= set(seen["fields"])
    generator, discriminator = 16 * 64 + 64 + 64 * 784 + 784, 784 * 64 + 64 + 64 + 1
    assert seen["weights"] == generator + discriminator
    assert 0 < seen["paused at"] < seen["images"] == 128 * 600
    assert seen["attempts"] == 2
    assert seen["shape"] == [8, 28, 28, 1]
    assert seen["largest difference"] <= 1  # published weights have half the digits
    assert seen["directions"] == [4, 16]
    assert seen["measured"]["feature_net"] == "random-features"
    assert "compare only" in seen["measured"]["note"]
    assert seen["shown"] == "small-gan"
    assert {seen["job"], str(tmp_path / "mine")} <= set(seen["tab"])


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_two_processes_share_its_batches(run, tmp_path):
    options = ["--preset", "stripes-small", "--images", 128 * 4, "--device", "cpu", "--width", 8]
    # In float32: a share of a batch is summed in another order, which bfloat16 shows.
    command = ["-m", "genimg", "train", *options, "--threads", 2, "--precision", "fp32"]
    assert "trained on 512 images" in run(*command, "--processes", 2, "--out", "two")
    assert "trained on 512 images" in run(*command, "--out", "one")
    losses = []
    for name in ("one", "two"):
        lines = (tmp_path / name / "attempts/1/metrics.jsonl").read_text().splitlines()
        reports = [json.loads(line) for line in lines]
        losses.append([r["generator_loss"] for r in reports if "generator_loss" in r])
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_one_that_cannot_be_imported_is_named_and_left_out(python, run, tmp_path):
    site = sysconfig.get_path("purelib", vars={"base": str(python.parent.parent)})
    broken = Path(site) / "genimg_broken-1.0.dist-info"
    broken.mkdir()
    try:
        (broken / "METADATA").write_text(
            "Metadata-Version: 2.1\nName: genimg-broken\nVersion: 1.0\n"
        )
        (broken / "entry_points.txt").write_text("[genimg.models]\nx = genimg_broken:X\n")
        said = run("-m", "genimg", "train", "--preset", "nope", "--out", "runs/x", code=2)
        assert said.count("the plug-in genimg-broken 1.0 is left out") == 2
        assert "ModuleNotFoundError (No module named 'genimg_broken')" in said
        assert "stripes-small" in said  # the other one is there
        assert "Traceback" not in said
    finally:
        shutil.rmtree(broken)
