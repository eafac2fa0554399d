import subprocess
import sys

import pytest

import genimg


def test_only_public_names_are_offered():
    code = (
        "import genimg, genimg.cli, genimg.jobs, genimg.explore; print(*dir(genimg));"
        "print(genimg.load.__module__, genimg.data.load.__module__, genimg.train.__module__)"
    )
    lines = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert lines[0].split() == sorted([*genimg.__all__, "__version__"])
    assert lines[1].split() == ["genimg.explore", "genimg.data", "genimg.training.running"]


def test_data_need_no_model_to_be_found():
    code = "import genimg; print(genimg.data.names()[0])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "fashion-mnist\n"


def test_what_is_offered_exists_and_nothing_else_does():
    for name in dir(genimg):
        assert getattr(genimg, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'lod'"):
        genimg.lod  # noqa: B018
