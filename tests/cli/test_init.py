import contextlib
import io
import re
import shlex
import subprocess
import sys

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

import genimg
from genimg import cli
from genimg.cli import COMMANDS, sample, train

PAGES = [[name] for name in COMMANDS]
PAGES += [["data", action] for action in ("list", "show", "preview", "fetch", "draw", "import")]
PAGES += [
    ["jobs", action]
    for action in ("list", "show", "watch", "pause", "resume", "cancel", "logs", "rebuild", "start")
]
PAGES += [["checkpoints", action] for action in ("list", "show", "publish")]


@pytest.mark.parametrize("page", PAGES, ids=" ".join)
def test_help_says_something_on_every_option(call, page):
    outcome = call(*page, "--help")
    assert outcome.code == 0
    assert not outcome.err
    parser = cli._parser(page)
    for word in page:
        (commands,) = (a for a in parser._actions if isinstance(a.choices, dict))
        parser = commands.choices[word]
    flat = " ".join(outcome.out.split())
    for action in parser._actions:
        if isinstance(action.choices, dict):
            continue
        assert action.help
        for option in action.option_strings:
            assert option in flat
        described = (
            action.option_strings
            and not action.required
            and "--help" not in (action.option_strings)
        )
        if described and action.dest not in ("label",):
            assert "default" in action.help, f"{action.dest} does not tell its default"


def test_top_level_help_lists_the_commands(call):
    outcome = call("--help")
    assert outcome.code == 0
    for name, module in COMMANDS.items():
        assert name in outcome.out
        assert module.SUMMARY in outcome.out


@pytest.mark.parametrize(
    "arguments", [[], ["nope"], ["sample"], ["data"], ["sample", "x", "--out", "a.png", "--sed=1"]]
)
def test_wrong_usage_is_one_line(refuse, arguments):
    assert "--help" in refuse(*arguments)


def test_line_breaks_in_the_input_do_not_break_the_line(refuse):
    refuse("sample", "tiny-style", "--out", "a\nb\r.png\n.txt")


def test_interrupted_before_anything_happened(call, monkeypatch):
    def interrupt(options):
        raise KeyboardInterrupt

    monkeypatch.setattr(sample, "run", interrupt)
    outcome = call("sample", "tiny-style", "--out", "a.png")
    assert outcome.code == 130
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize(
    "error",
    [MemoryError(), torch.OutOfMemoryError("CUDA"), RuntimeError("DefaultCPUAllocator: no memory")],
)
def test_memory_that_ran_out_is_one_line(call, monkeypatch, error):
    def fail(options):
        raise error

    monkeypatch.setattr(sample, "run", fail)
    outcome = call("sample", "tiny-style", "--out", "a.png")
    assert outcome.code == 71
    assert len(outcome.err.splitlines()) == 1


def test_a_bug_is_not_hidden(call, monkeypatch):
    def fail(options):
        raise RuntimeError("shapes do not fit")

    monkeypatch.setattr(sample, "run", fail)
    with pytest.raises(RuntimeError):
        call("sample", "tiny-style", "--out", "a.png")


OPTIONS = (
    "--seed --count --label --truncation --out --columns --enlarge --seeds --steps --mode --space"
    " --weights --side --loop --frames-per-second --json --write --feature-net --size --split"
    " --title --license --temperature --top-k --top-p --guidance --layer --head --query --image"
    " --generator-only --preset --minutes --images --device --dataset --batch-size --threads"
    " --generator-widths --classes --channels --port --checkpoint --help"
)
VALUES = (
    "-1 0 1 2 3.5 8 nan inf 1e999 32 64 4294967296 Sneaker slerp lerp z w train test list show"
    " preview publish fashion-style fashion-mlp tiny-style tiny-mlp fashion-features fashion-mnist"
    " folder:nowhere a.png a.gif a.webp a.txt . .. new cpu cuda auto fp32 --"
)
WORDS = st.sampled_from([*OPTIONS.split(" "), *VALUES.split(" ")]) | st.text(max_size=8)
COMMAND_LINES = st.sampled_from(
    [
        "sample tiny-style --out a.png --count 2 --label Bag --truncation 0.5",
        "combine tiny-style --out a.png --seeds 1 2 --weights 0.5 0.5 --label Bag",
        "walk tiny-mlp --out a.gif --seeds 1 2 --steps 3 --mode lerp --loop",
        "draw tiny-style --out a.gif --seed 1 --top-k 3 --top-p 0.5 --guidance 2",
        "attend tiny-style --out a --layer 1 --head 0 --query 3 --image a.png",
        "evaluate tiny-style --json --count 10 --seed 1",
        "data list",
        "data fetch nope",
        "data show fashion-mnist",
        "data draw critters --processes 2",
        "data preview fashion-mnist --out a.webp --count 3 --size 28 --split test",
        "checkpoints list",
        "checkpoints show tiny-mlp",
        "checkpoints publish run new --title T --license L",
        "train --preset fashion-mlp --minutes 1 --out run --dataset fashion-mnist --seed 3",
        "app --port 8000",
        "nope",
        "",
    ]
).map(str.split)
EDITS = st.lists(st.tuples(st.integers(0, 12), st.booleans(), WORDS), max_size=3)


def edited(words, edits):
    """Return words in which some were replaced, and some put in between."""
    words = list(words)
    for place, replace, word in edits:
        words[place : place + replace] = [word]
    return words


@given(line=COMMAND_LINES, edits=EDITS)
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_words_succeed_or_are_refused_in_one_line(call, monkeypatch, tmp_path, line, edits):
    monkeypatch.chdir(tmp_path)
    # What would take long is left out; everything around it is as it is.
    monkeypatch.setattr(train, "train_run", lambda *args, **settings: "succeeded")
    monkeypatch.setattr(cli.evaluate, "evaluate_model", lambda *args, **settings: {})
    monkeypatch.setattr(cli.app, "run", lambda options: 0)
    monkeypatch.setattr(cli.data.data, "draw_set", lambda *args, **settings: tmp_path)
    outcome = call(*edited(line, edits))
    assert outcome.code in (0, 2)
    assert "Traceback" not in outcome.err
    if outcome.code == 2:
        last = outcome.err.splitlines()[-1]
        assert last.startswith("error: ")


def test_python_m_genimg():
    command = [sys.executable, "-m", "genimg", "sample", "no-such-model", "--out", "a.png"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert done.stderr.startswith("error: there is no checkpoint 'no-such-model'")
    assert done.stderr.count("\n") == 1
    assert not done.stdout


def test_the_version_is_that_of_the_package(call):
    assert call("--version").out == f"genimg {genimg.__version__}\n"
    assert call("app", "--version").out == f"genimg {genimg.__version__}\n"


class Terminal(io.TextIOWrapper):
    """A terminal of some encoding."""

    def __init__(self, encoding: str) -> None:
        super().__init__(io.BytesIO(), encoding=encoding, errors="strict")

    def shown(self) -> str:
        self.flush()
        return self.buffer.getvalue().decode(self.encoding)


@pytest.mark.parametrize("encoding", ["cp1252", "gbk", "ascii", "utf-8", "shift-jis"])
def test_every_encoding_shows_every_name(call, monkeypatch, tmp_path, encoding):
    folder = tmp_path / "猫 ü 🐈 \udcff"
    for number in range(2):
        (folder / "ü猫").mkdir(parents=True, exist_ok=True)
        Image.new("L", (28, 28), number).save(folder / "ü猫" / f"{number}.png")
    (folder / "ü猫" / "not.png").write_text("no picture")
    commands = [
        ["data", "show", f"folder:{folder}"],
        ["data", "preview", f"folder:{folder}", "--out", tmp_path / "猫.png"],
        ["checkpoints", "show", "猫🐈"],
        ["sample", "tiny-style", "--label", "猫🐈", "--out", tmp_path / "a.png"],
        ["jobs", "list", "--runs", folder],
        ["jobs", "show", "猫🐈", "--runs", folder],
        ["--help"],
        *([name, "--help"] for name in COMMANDS),
    ]
    for command in commands:
        out, err = Terminal(encoding), Terminal(encoding)
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", err)
        with contextlib.suppress(SystemExit):
            assert cli.main([str(word) for word in command]) in (0, 2)
        assert out.shown() or err.shown(), command


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    ["data list", "--help", "train --help", "checkpoints list", "sample nope --out a.png"],
)
@pytest.mark.parametrize("streams", ["| true", "2>&1 | true"])
def test_a_closed_pipe_is_no_error(command, streams):
    line = f"set -o pipefail; {sys.executable} -m genimg {command} {streams}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert len(done.stderr.splitlines()) <= 1
    assert done.returncode in (0, 2, 141)


def test_a_disk_that_is_full_is_said(call):
    line = f"{sys.executable} -m genimg --version > /dev/full"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: No space left on device")
    assert done.stderr.count("\n") == 1


EMPTY_PATHS = [
    ["train", "--preset", "fashion-mlp", "--out", ""],
    ["attend", "tiny-style", "--out", ""],
    ["sample", "tiny-style", "--out", " "],
    ["checkpoints", "publish", "run", "", "--title", "T", "--license", "L"],
    ["data", "import", "a.zip", "--root", "", "--size", "28"],
    ["data", "import", "", "--root", "r", "--size", "28"],
    ["jobs", "list", "--runs", ""],
    ["app", "--runs", ""],
    ["sample", "tiny-style", "--out", "a\0.png"],
]


@pytest.mark.parametrize("words", EMPTY_PATHS, ids=" ".join)
def test_an_empty_path_is_not_the_folder_one_is_in(refuse, monkeypatch, tmp_path, words):
    monkeypatch.chdir(tmp_path)
    assert "must be the name of a file or a folder" in refuse(*words)
    assert list(tmp_path.iterdir()) == []


def test_a_file_needs_more_than_an_ending(refuse, tmp_path):
    for command in ("sample", "walk", "draw"):
        assert "a name before its ending" in refuse(
            command, "tiny-style", "--out", tmp_path / ".png"
        )


def advised(text: str) -> list[list[str]]:
    """Return the commands that a text advises, as words."""
    found = re.findall(r"(?:python -m genimg|python app\.py) [^\n;`]+", text)
    return [shlex.split(command)[3:] for command in found]


def test_what_is_advised_can_be_typed(call, shelf, tmp_path):
    """Where one looks at nothing yet, or at what is not there."""
    runs = tmp_path / "my runs"
    said = []
    for before in ("no folder", "no run"):
        for words in (["list"], ["show", "nope"], ["watch"], ["logs", "nope"], ["pause", "x"]):
            outcome = call("jobs", *words, "--runs", runs)
            said += [outcome.out + outcome.err]
        runs.mkdir(exist_ok=True)
        assert before
    tiny = ["--preset", "fashion-mlp", "--generator-widths", 8, "--images", 64]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("genimg.jobs.engine.LocalEngine.submit", lambda *arguments: None)
        said += [call("jobs", "start", "--runs", runs, *tiny).out]
    commands = [words for text in said for words in advised(text)]
    assert len(commands) >= 6
    for words in commands:
        options = cli._parser(words).parse_args(words)
        assert options.runs == runs
