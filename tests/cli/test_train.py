import dataclasses
import json
import signal
import subprocess
import sys
import time

import pytest
from PIL import Image

from genimg import load
from genimg.cli import train
from genimg.training.distributed import LostProcess
from genimg.training.presets import PRESETS, make_spec, settings_of
from genimg.training.run_directory import RunDirectory
from genimg.training.task import Diverged

TINY = ["--preset", "fashion-mlp", "--generator-widths", 8, "--discriminator-widths", 8, 8]
TINY += ["--batch-size", 32, "--precision", "fp32", "--device", "cpu", "--threads", 1]
TINY += ["--sheets", 0]


@pytest.fixture
def no_training(monkeypatch):
    """Stop short of training; what was asked for is in the run's directory."""
    monkeypatch.setattr(train, "train_run", lambda *arguments, **settings: "succeeded")


def stop_after(steps):
    class Stop:
        received = False
        asked = 0

        def __call__(self):
            self.asked += 1
            self.received = self.asked >= steps
            return self.received

    return Stop


@pytest.mark.parametrize("preset", PRESETS)
def test_help_of_a_preset_describes_each_of_its_settings(call, preset):
    outcome = call("train", "--preset", preset, "--help")
    assert outcome.code == 0
    flat = " ".join(outcome.out.split())
    for config in settings_of(PRESETS[preset]).values():
        for field in dataclasses.fields(config):
            assert f"--{field.name.replace('_', '-')}" in flat
            assert field.metadata["help"].removesuffix(".") in flat


def test_help_lists_the_presets(call):
    outcome = call("train", "--help")
    assert outcome.code == 0
    for name, preset in PRESETS.items():
        assert name in outcome.out
        assert preset.title in outcome.out


@pytest.mark.parametrize("preset", PRESETS)
def test_giving_every_default_changes_nothing(call, no_training, tmp_path, preset):
    words = []
    for config in settings_of(PRESETS[preset]).values():
        for name, value in config.to_dict().items():
            option = name.replace("_", "-")
            if name == "images":
                continue  # the other way to say how long
            if isinstance(value, bool):
                words.append(f"--{'' if value else 'no-'}{option}")
            else:
                words += [f"--{option}", *(value if isinstance(value, list) else [value])]
    outcome = call("train", "--preset", preset, "--out", tmp_path / "run", *words)
    assert outcome.code == 0, outcome.err
    asked = RunDirectory(tmp_path / "run").read_spec()
    assert asked.difference(make_spec(preset)) == ""


def test_given_settings_are_in_the_specification(call, no_training, tmp_path):
    out = tmp_path / "run"
    words = ["--images", 64, "--classes", 10, "--no-spectral-norm", "--r1", 0.5, "--seed", 9]
    assert call("train", "--preset", "fashion-dcgan", *words, "--out", out).code == 0
    spec = RunDirectory(out).read_spec()
    assert (spec.run.images, spec.run.seed) == (64, 9)
    assert (spec.model.classes, spec.model.spectral_norm, spec.task.r1) == (10, False, 0.5)


def test_training_writes_a_run_that_can_be_loaded(call, tmp_path):
    command = ["train", *TINY, "--images", 128, "--out", tmp_path / "run"]
    outcome = call(*command)
    assert outcome.code == 0
    assert "trained on 128 images" in outcome.out
    assert str(tmp_path / "run") in outcome.out
    assert "128 of 128 images" in outcome.err
    assert "health: too short to tell" in outcome.err  # on a line of its own, at the end
    assert load(tmp_path / "run").sample(2).shape == (2, 32, 32, 1)
    again = call(*command)
    assert again.code == 0
    assert "resuming at 128 images" in again.err


def test_a_finished_run_is_extended_without_saying_its_settings_again(call, refuse, tmp_path):
    runs = [tmp_path / name for name in ("mine", "longer", "tuned")]
    assert call("train", *TINY, "--images", 64, "--seed", 5, "--out", runs[0]).code == 0
    command = ["train", "--extend", runs[0], "--images", 128, "--out", runs[1]]
    outcome = call(*command)
    assert outcome.code == 0
    assert "trained on 128 images" in outcome.out
    assert RunDirectory(runs[1]).read_spec().run.seed == 5
    assert load(runs[1]).info["parent"] == "mine"
    assert "resuming at 128 images" in call(*command).err
    assert "generator_widths is [8] in" in refuse(*command, "--generator-widths", 16)
    nowhere = ["--extend", tmp_path / "nowhere", "--images", 128, "--out", tmp_path / "new"]
    assert "there is no run in" in refuse("train", *nowhere)
    tuned = ["--preset", "fashion-mlp", "--init", runs[1], "--images", 32, "--out", runs[2]]
    assert call("train", *tuned, "--batch-size", 32, "--device", "cpu").code == 0
    assert load(runs[2]).info["initial_weights"] == "longer"
    unlike = ["--preset", "fashion-dcgan", "--init", runs[1], "--out", tmp_path / "new"]
    assert "is of the kind mlp-gan" in refuse("train", *unlike)


def test_a_stopped_run_says_how_to_go_on_and_does(call, tmp_path, monkeypatch):
    command = [*map(str, ["train", *TINY, "--images", 256, "--out", tmp_path / "my run"])]
    with monkeypatch.context() as patched:
        patched.setattr(train, "StopSignal", stop_after(3))
        stopped = call(*command)
    assert stopped.code == 130
    assert "saved at 96 images" in stopped.out
    assert stopped.out.splitlines()[-1].endswith(f"--out '{tmp_path / 'my run'}'")
    resumed = call(*command)
    assert resumed.code == 0
    assert "resuming at 96 images" in resumed.err
    assert "trained on 256 images" in resumed.out


def test_ctrl_c_saves_and_exits_130(tmp_path):
    command = [sys.executable, "-m", "genimg", "train", *map(str, TINY), "--images", "10000000"]
    (tmp_path / "pictures" / "grey").mkdir(parents=True)
    for index in range(3):
        Image.new("L", (32, 32), index).save(tmp_path / "pictures" / "grey" / f"{index}.png")
    command += ["--dataset", f"folder:{tmp_path / 'pictures'}", "--out", str(tmp_path / "run")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        metrics = tmp_path / "run" / "attempts" / "1" / "metrics.jsonl"
        while not (metrics.is_file() and metrics.read_text().count("\n") > 1):  # well under way
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "to resume" in out
    assert "Traceback" not in err
    status = json.loads((tmp_path / "run" / "attempts" / "1" / "status.json").read_text())
    assert status["state"] == "paused"
    assert f"saved at {status['images_seen']:,} images" in out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_before_the_first_step_ends_at_once(call, tmp_path, monkeypatch, number):
    def wait(*arguments, **settings):
        signal.raise_signal(number)
        raise AssertionError("the signal was only noted")

    with monkeypatch.context() as patched:
        patched.setattr("genimg.training.planning.images_per_second", wait)
        command = ["train", *TINY, "--minutes", 1, "--out", tmp_path / "run"]
        outcome = call(*command)
    assert outcome.code == 130
    assert "to resume, run the same command again" in outcome.out
    assert "error" not in outcome.err
    assert call(*command, "--help").code == 0


def test_a_diverged_run_is_one_line(call, tmp_path, monkeypatch):
    def diverge(*arguments, **settings):
        raise Diverged("the loss is not finite")

    monkeypatch.setattr(train, "train_run", diverge)
    outcome = call("train", *TINY, "--out", tmp_path / "run")
    assert outcome.code == 70
    assert outcome.err.splitlines()[-1] == "error: the loss is not finite"


def test_other_settings_in_the_same_folder_are_refused(call, refuse, tmp_path):
    out = tmp_path / "run"
    assert call("train", *TINY, "--images", 32, "--out", out).code == 0
    assert "images is 32 there" in refuse("train", *TINY, "--images", 64, "--out", out)
    other = refuse("train", "--preset", "fashion-dcgan", "--out", out)
    assert "choose another folder" in other


def test_a_request_that_could_not_start_may_be_corrected(call, tmp_path):
    command = ["train", *TINY, "--images", 32, "--out", tmp_path / "run"]
    wrong = call(*command, "--size", 31)
    assert wrong.code == 2
    assert "28, 32, 48, 64" in wrong.err.splitlines()[-1]
    assert call(*command).code == 0


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--preset", "fashion-stile"], "fashion-style"),
        (
            ["--preset", "fashion-mlp", "--dataset", "fashion"],
            "fashion-mnist, portraits, critters, mnist",
        ),
        (["--preset", "fashion-mlp", "--dataset", "folder:nowhere"], "no folder"),
        (["--preset", "fashion-mlp", "--minutes", "0"], "0.01 to 100000"),
        (["--preset", "fashion-mlp", "--minutes", "nan"], "--minutes"),
        (["--preset", "fashion-mlp", "--minutes", "1", "--images", "5"], "not allowed with"),
        (["--preset", "fashion-mlp", "--images", "-5"], "0 or more"),
        (["--preset", "fashion-mlp", "--images", "1.5"], "whole number"),
        (["--preset", "fashion-mlp", "--batch-size", "1"], "2 to 4096"),
        (["--preset", "fashion-mlp", "--objective", "magic"], "hinge"),
        (["--preset", "fashion-mlp", "--style-dimensions", "64"], "--style-dimensions"),
        (["--preset", "fashion-stylegan", "--generator-widths", "8"], "generator_widths"),
        (["--preset"], "--preset"),
        (["--minutes", "1"], "--preset"),
        (["--preset", "fashion-mlp", "--processes", "0"], "1 to 64"),
        (["--preset", "fashion-mlp", "--processes", "2", "--gpus", "2"], "not allowed with"),
        (["--preset", "fashion-mlp", "--gpus", "2", "--device", "cpu"], "leave out --device"),
    ],
)
def test_bad_requests_are_refused_and_leave_nothing(refuse, tmp_path, words, reason):
    assert reason in refuse("train", *words, "--out", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_folders_that_cannot_be_used(refuse, tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    assert "file" in refuse("train", *TINY, "--out", tmp_path / "file" / "run")
    assert "not empty" in refuse("train", *TINY, "--out", tmp_path / "full")
    assert (tmp_path / "full" / "thesis.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("option", "count", "reason"),
    [
        ("--processes", 3, "batch_size 32 cannot be shared equally by 3 processes"),
        ("--gpus", 2, "2 processes need 2 CUDA devices and this machine has 1"),
    ],
)
def test_processes_that_cannot_share_a_run(call, tmp_path, monkeypatch, option, count, reason):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    words = ["--preset", "fashion-mlp", "--batch-size", 32, "--out", tmp_path / "run"]
    outcome = call("train", *words, option, count)
    assert outcome.code == 2
    assert reason in outcome.err.splitlines()[-1]


def test_a_lost_process_has_its_code_and_the_run_goes_on(call, tmp_path, monkeypatch):
    def lose(*arguments, processes, **settings):
        assert processes == 2
        raise LostProcess("process 2 of 2 was ended by signal 9", 137)

    monkeypatch.setattr(train, "train_run", lose)
    outcome = call("train", *TINY, "--processes", 2, "--out", tmp_path / "run")
    assert outcome.code == 137
    assert outcome.err.splitlines()[-1] == "error: process 2 of 2 was ended by signal 9"
    assert "to resume, run the same command again" in outcome.out
    assert outcome.out.splitlines()[-1].endswith(f"--processes 2 --out {tmp_path / 'run'}")


def test_a_device_that_is_not_there(call, tmp_path):
    outcome = call("train", *TINY, "--device", "cuda:99", "--images", 32, "--out", tmp_path / "run")
    assert outcome.code == 2
    assert "cuda:99" in outcome.err.splitlines()[-1]
