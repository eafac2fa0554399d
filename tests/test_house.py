"""The rules of the house, read from the source: who imports whom, what is banned, what is said."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from genimg.models import KINDS

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "genimg").rglob("*.py")) + [
    path for path in (ROOT / "app.py",) if path.exists()
]
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES}

# Imports go down this list only; what stands on one line does not import one another.
LAYERS = [
    ["app"],
    ["genimg.cli"],
    ["genimg.ui"],
    ["genimg"],  # the public names, from explore and training
    ["genimg.jobs", "genimg.extending"],
    ["genimg.explore"],
    ["genimg.training"],
    ["genimg.metrics"],
    ["genimg.trails"],
    ["genimg.render", "genimg.data", "genimg.checkpoints"],
    ["genimg.models"],
    [
        "genimg.checks",
        "genimg.configuration",
        "genimg.devices",
        "genimg.model_card",
        "genimg.randomness",
        "genimg.storage",
        "genimg.kept_wording",
        "genimg.tables",
        "genimg.tensors",
    ],
    ["genimg.wording"],
]

each_source = pytest.mark.parametrize(
    "path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix()
)


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path) for path in SOURCES}


def imported_modules(path: Path) -> set[str]:
    """Return every module that a file imports, also inside functions."""
    found = set()
    for node in ast.walk(TREES[path]):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}:{node.lineno} imports relatively"
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            # `from package import module` imports the module, `from module import name` does not.
            found |= {name if name in MODULES else node.module for name in names}
    return found


def layer_of(module: str) -> tuple[int, str]:
    if module == "genimg.__main__":
        module = "genimg.cli"
    member = ".".join(module.split(".")[:2])
    for index, members in enumerate(LAYERS):
        if member in members:
            return index, member
    raise AssertionError(f"{module} has no place in the design's list of layers")


@each_source
def test_imports_go_down_only(path):
    index, member = layer_of(module_name(path))
    for imported in imported_modules(path):
        if imported.split(".")[0] in ("genimg", "app"):
            below, other = layer_of(imported)
            assert below > index or other == member, f"{member} must not import {imported}"


def circles(imports: dict[str, set[str]]) -> set[str]:
    """Return every module that imports itself by way of others."""

    def reached(module: str) -> set[str]:
        found, waiting = set(), [module]
        while waiting:
            new = imports[waiting.pop()] - found
            found |= new
            waiting += new
        return found

    return {module for module in imports if module in reached(module)}


def test_no_import_goes_in_a_circle():
    imports = {module_name(path): imported_modules(path) & MODULES for path in SOURCES}
    assert circles(imports) == set()


def test_the_search_for_circles_finds_them():
    imports = {"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"d"}, "e": {"a"}, "f": set()}
    assert circles(imports) == {"b", "c", "d"}


def test_models_import_nothing_but_torch():
    allowed = sys.stdlib_module_names | {"torch"}
    for path in SOURCES:
        if module_name(path).startswith("genimg.models"):
            for imported in imported_modules(path):
                ours = ("genimg.models", "genimg.configuration", "genimg.tables", "genimg.wording")
                inside = imported.startswith(ours)
                assert inside or imported.split(".")[0] in allowed, f"{path.name}: {imported}"


def test_render_knows_no_model():
    for path in SOURCES:
        if module_name(path).startswith("genimg.render"):
            for imported in imported_modules(path):
                top = imported.split(".")[0]
                assert top not in {"torch", "torchvision", "safetensors", "gradio"}, path.name
                inside = imported.startswith(("genimg.render", "genimg.checks", "genimg.wording"))
                assert top != "genimg" or inside, f"{path.name}: {imported}"


def test_exploring_needs_of_training_only_to_read_a_run():
    needed = {
        imported
        for path in SOURCES
        if module_name(path).startswith("genimg.explore")
        for imported in imported_modules(path)
        if imported.startswith("genimg.training")
    }
    assert needed == {"genimg.training.publishing"}


def test_importing_the_package_stays_cheap():
    heavy = ["gradio", "torchvision", "matplotlib", "huggingface_hub", "pandas", "scipy"]
    heavy += ["ray", "submitit", "httpx"]
    code = f"import genimg, sys; print(*[m for m in {heavy} if m in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == []


BANNED_MODULES = {"pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
BANNED_BUILTINS = {"eval", "exec", "__import__"}
BANNED_ATTRIBUTES = {"extractall", "read_pickle", "system", "popen"}
BANNED_OPTIONS = {"shell", "allow_pickle"}


def dangers(tree: ast.AST) -> list[str]:
    """Return what a file does that could run a stranger's code."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = {alias.name.split(".")[0] for alias in node.names}
            if isinstance(node, ast.ImportFrom):
                if node.module == "torch":
                    found += [f"torch.{name}" for name in names & {"load"}]
                names = {(node.module or "").split(".")[0]}
            found += sorted(names & BANNED_MODULES)
        elif isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name) and node.func.id in BANNED_BUILTINS:
                found.append(node.func.id)
            for option in node.keywords:
                off = isinstance(option.value, ast.Constant) and option.value.value is False
                if option.arg in BANNED_OPTIONS and not off:
                    found.append(f"{option.arg}={ast.unparse(option.value)}")
        elif isinstance(node, ast.Attribute):
            owner = ast.unparse(node.value)
            if node.attr in BANNED_ATTRIBUTES or (
                node.attr == "load" and owner in ("torch", "torch.jit")
            ):
                found.append(f"{owner}.{node.attr}")
    return found


@each_source
def test_nothing_runs_a_strangers_code(path):
    assert dangers(TREES[path]) == []


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "import os, pickle as p",
        "from pickle import loads",
        "import dill.session",
        "torch.load(path)",
        "from torch import load",
        "torch.jit.load(path)",
        "eval(text)",
        "exec(text)",
        "__import__(name)",
        "subprocess.run(line, shell=True)",
        "subprocess.run(line, shell=flag)",
        "np.load(path, allow_pickle=True)",
        "archive.extractall(folder)",
        "os.system(line)",
        "os.popen(line)",
    ],
)
def test_the_search_for_dangers_finds_them(code):
    assert dangers(ast.parse(code))


@pytest.mark.parametrize(
    "code",
    [
        "model.eval()",
        "np.load(path, allow_pickle=False)",
        "genimg.load(name)",
        "subprocess.run(words, shell=False)",
        "'pickle'",
        "platform.machine()",
    ],
)
def test_the_search_for_dangers_finds_nothing_else(code):
    assert dangers(ast.parse(code)) == []


# What only some systems have; a model says by its type what it can do.
ASKED = {"signal", "os", "torch.cpu", "stream"}


@each_source
def test_nobody_asks_a_model_what_else_it_has(path):
    asked = {
        ast.unparse(node.args[0])
        for node in ast.walk(TREES[path])
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "hasattr"
    }
    assert asked <= ASKED


# Where kinds of models are named: their table, and the recipes. "classifier" is a task, too.
NAMED_IN = {"genimg.models", "genimg.training.presets"}


def chosen_by_name(tree: ast.AST) -> set[str]:
    """Return the texts that a file compares with, or has in a table or a list."""
    found = set()
    for node in ast.walk(tree):
        parts: list[ast.expr | None] = []
        if isinstance(node, ast.Compare):
            parts = [node.left, *node.comparators]
        elif isinstance(node, ast.Dict):
            parts = node.keys
        elif isinstance(node, (ast.Tuple, ast.List, ast.Set)):
            parts = node.elts
        found |= {part.value for part in parts if isinstance(part, ast.Constant)}
    return {text for text in found if isinstance(text, str)}


@each_source
def test_nobody_asks_a_kind_of_model_for_its_name(path):
    if module_name(path) not in NAMED_IN:
        assert not chosen_by_name(TREES[path]) & (KINDS.keys() - {"classifier"})


@pytest.mark.parametrize(
    "code", ["kind == 'dcgan'", "kind in ('dcgan', 'x')", "{'dcgan': 500}", "'dcgan' != kind"]
)
def test_the_search_for_names_of_kinds_finds_them(code):
    assert "dcgan" in chosen_by_name(ast.parse(code))


LAYOUT = {
    *("attempts", "status.json", "metrics.jsonl", "log.txt", "launcher.json", "exit.json"),
    "submission.json",
}


def test_one_module_knows_where_attempts_are():
    spelled = {
        module_name(path)
        for path in SOURCES
        for node in ast.walk(TREES[path])
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and len(node.value.split()) == 1  # a docstring may speak of them
        and {*node.value.split("/")} & LAYOUT
    }
    assert spelled == {"genimg.training.attempts"}


def undocumented(tree: ast.Module) -> list[str]:
    """Return the public modules, classes, functions and methods that have no docstring."""
    missing = ["module"] if tree.body and not ast.get_docstring(tree) else []

    def visit(parent: ast.AST, prefix: str) -> None:
        for node in parent.body:
            definition = isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
            # What an overload does is said where it is done.
            if definition and "overload" in map(ast.unparse, node.decorator_list):
                continue
            if definition and not node.name.startswith("_"):
                if not ast.get_docstring(node):
                    missing.append(prefix + node.name)
                if isinstance(node, ast.ClassDef):
                    visit(node, f"{prefix}{node.name}.")

    visit(tree, "")
    return missing


@each_source
def test_everything_public_is_documented(path):
    assert undocumented(TREES[path]) == []


def test_the_search_for_docstrings_looks_inside_classes():
    tree = ast.parse(
        "class A:\n  'Said.'\n  def b(self): pass\n  def _c(self): pass\ndef d(): 'Said.'"
    )
    assert undocumented(tree) == ["module", "A.b"]


@each_source
def test_files_are_short(path):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= (60 if path.name == "app.py" and path.parent == ROOT else 450)


def requirements() -> dict[str, str]:
    """Return each requirement line with its comment."""
    lines = {}
    for name in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / name).read_text().splitlines():
            requirement, _, comment = line.partition("#")
            if requirement.strip() and not requirement.startswith("-r "):
                lines[requirement.strip()] = comment.strip()
    return lines


def test_every_requirement_says_why():
    assert len(requirements()) >= 10
    for requirement, comment in requirements().items():
        assert len(comment.split()) >= 3, requirement


def test_torch_may_be_any_newer_one():
    [torch] = [line for line in requirements() if re.match(r"torch\b", line)]
    assert "<" not in torch
    assert "==" not in torch


def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_space_runs_the_gradio_that_is_tested():
    [pin] = [line for line in requirements() if line.startswith("gradio==")]
    version = re.search(r"^sdk_version: *[\"']?([\d.]+)[\"']?$", readme(), re.MULTILINE)
    assert version, "README.md needs sdk_version in its front matter"
    pinned = pin.removeprefix("gradio==").removesuffix(".*")
    assert version[1] == pinned or version[1].startswith(f"{pinned}.")


def front_matter() -> dict[str, str]:
    """Return what README.md tells Hugging Face: plain keys and values only."""
    lines = readme().split("---\n")[1].splitlines()
    return {key: value.strip(" \"'") for key, _, value in (line.partition(":") for line in lines)}


# What ZeroGPU, the only kind of Space that a free account can host, offered in August 2026.
ZERO_GPU_PYTHONS = ((3, 10), (3, 12))
ZERO_GPU_NEWEST_TORCH = (2, 11)


def test_zero_gpu_has_the_python_and_a_torch_that_are_required():
    python = tuple(map(int, front_matter()["python_version"].split(".")[:2]))
    assert python in ZERO_GPU_PYTHONS
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lowest = project["requires-python"].removeprefix(">=")
    assert python >= tuple(map(int, lowest.split(".")))
    [torch] = [line for line in requirements() if re.match(r"torch\b", line)]
    assert tuple(map(int, re.findall(r"\d+", torch)[:2])) <= ZERO_GPU_NEWEST_TORCH
    assert not any(re.match(r"spaces\b", line) for line in requirements())  # it brings its own


def test_the_space_is_described_as_hugging_face_accepts_it():
    facts = front_matter()
    colors = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
    assert {facts["colorFrom"], facts["colorTo"]} <= colors
    assert facts["sdk"] == "gradio"
    assert (ROOT / facts["app_file"]).is_file()
    assert len(facts["short_description"]) <= 60
    assert facts["suggested_hardware"] in {"cpu-basic", "zero-a10g"}


def test_ci_runs_the_readmes_test_command():
    script = ROOT / ".ci" / "run"
    reader = re.search(r"^test_command\(\) \{\n.*?^\}\n", script.read_text(), re.M | re.S)
    command = subprocess.run(
        ["bash", "-c", f"{reader[0]}\ntest_command"],
        cwd=ROOT,
        input=readme(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "requirements-dev.txt" in command
    assert "-m pytest" in command


# Packages whose own tests bear another name, and folders of tests that mirror no package.
TESTED_AS = {"__init__": "init", "__main__": "main"}
NO_MIRROR = {
    *("app", "faults", "test_plugin.py", "test_words.py"),
    *("test_house.py", "test_benchmarks.py", "test_documentation.py", "test_installation.py"),
}


def test_tests_mirror_the_package():
    tests = ROOT / "tests"
    mirrored = {
        path.relative_to(ROOT / "genimg").with_name(
            f"test_{TESTED_AS.get(path.stem, path.stem)}.py"
        )
        for path in SOURCES
        if path.parent != ROOT
    }
    for path in tests.rglob("test_*.py"):
        relative = path.relative_to(tests)
        if relative.parts[0] not in NO_MIRROR:
            assert relative in mirrored, f"tests/{relative} tests no module of that name"


def test_tests_are_no_package():
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_every_package_is_installed():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found = {module_name(path) for path in SOURCES if path.name == "__init__.py"}
    assert {*project["tool"]["setuptools"]["packages"]} == found | {"genimg.shipped"}


def test_what_the_page_is_made_of_is_installed():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = project["tool"]["setuptools"]["package-data"]["genimg"]
    installed = {path for pattern in patterns for path in (ROOT / "genimg").glob(pattern)}
    parts = {path for path in (ROOT / "genimg" / "ui").rglob("static/*") if path.is_file()}
    assert len(parts) > 30
    assert parts <= installed
