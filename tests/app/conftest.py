"""A real server, started as a user starts it, and a real browser."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import genimg
from genimg import checkpoints
from genimg.models import kind_named
from genimg.models.drawer import DrawerConfig, MaskedDrawerConfig
from genimg.models.vision_transformer import VisionTransformerConfig
from genimg.render import encode

ROOT = Path(__file__).parents[2]
TRAFFIC = Path(__file__).with_name("traffic.js")
# Generous: a busy machine is not a failure. Nothing here waits longer than it must.
PATIENCE_SECONDS = 240


@pytest.fixture(scope="session")
def paths(tmp_path_factory, small_config, small_models, alive):
    """A GAN with classes and a mapping network, one without either, and both Transformers."""
    drawer = {k: v for k, v in small_models["fashion-gpt"].items() if k != "validations"}
    configs = {
        "style": ("stylegan", small_config("stylegan", 32, 1, 3)),
        "plain": ("dcgan", small_config("dcgan", 32, 1, 0)),
        "drawer": ("image-gpt", DrawerConfig(**drawer | {"classes": 3, "layers": 2})),
        "masked": ("maskgit", MaskedDrawerConfig(**drawer | {"classes": 3, "layers": 2})),
        "vision": (
            "vision-transformer",
            VisionTransformerConfig(width=16, layers=2, heads=2, classes=3),
        ),
    }
    figures = {"distance": 1.5, "entropy": 1.25, "class_share": 0.125}
    places = np.ndindex(2, configs["drawer"][1].heads)
    table = [
        {"layer": layer, "head": head, "effect": (layer * 7 + head * 3) % 5 / 8, **figures}
        for layer, head in places
    ]
    heads = {"drawings": 4, "seed": 0, "command": "python -m genimg heads x", "table": table}
    made = {}
    for name, (kind, config) in configs.items():
        classes = ["Shoe", "Hat", "Coat"][: config.classes]
        measured = {"heads": heads} if name == "drawer" else {}
        folder = checkpoints.write(
            tmp_path_factory.mktemp("checkpoints") / name,
            kind=kind,
            model=alive(kind_named(kind).build(config)),
            card={"title": name, "classes": classes, "dataset": "none"} | measured,
            preview=encode(np.zeros((2, 2, 1), np.uint8), "png"),
        )
        made[name] = str(folder)
    return made


@pytest.fixture(scope="session")
def models(paths):
    """The same models as the server's, to compare with."""
    return SimpleNamespace(**{name: genimg.load(path) for name, path in paths.items()})


@pytest.fixture(scope="session")
def drawer(models):
    """The image GPT."""
    return models.drawer


@pytest.fixture(scope="session")
def server_folder(tmp_path_factory):
    """Where the server runs, so that its data root is "runs" in it."""
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="session")
def serve(paths):
    """Run `python app.py` in a folder, with further options, as long as the context lasts.

    Its environment is that of the tests and what is given; its modules are found in `python_path`,
    too.
    """
    checkpoints = [word for path in paths.values() for word in ("--checkpoint", path)]
    return lambda folder, *options, **more: _serve(folder, [*checkpoints, *options], **more)


@pytest.fixture(scope="session")
def server(serve, server_folder):
    """The address of `python app.py`."""
    with serve(server_folder) as address:
        yield address


@pytest.fixture
def second_server(server, serve, server_folder):
    """The address of another `python app.py` with the same data root."""
    with serve(server_folder) as address:
        yield address


@pytest.fixture
def empty_server(serve, tmp_path):
    """The address of a `python app.py` in a folder where nothing was ever trained."""
    with serve(tmp_path) as address:
        yield address


@contextlib.contextmanager
def _serve(folder, options, environment=None, python_path=()):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}/"
    log = folder / f"log-{port}.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, ROOT / "app.py", "--port", str(port), "--no-browser", *options],
            cwd=folder,
            env=os.environ
            | {"PYTHONPATH": os.pathsep.join([*python_path, str(ROOT)])}
            | (environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_until_it_answers(address, process, log)
            yield address
        finally:
            process.terminate()
            process.wait(30)


def _wait_until_it_answers(address, process, log):
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            pytest.fail(f"app.py ended with {process.returncode}: {log.read_text()}")
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"app.py did not answer: {log.read_text()}")


@pytest.fixture(scope="session")
def browser():
    """Chromium as the system has it."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        reason = f"none of {', '.join(names)} is installed"
        if os.environ.get("GENIMG_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser, server):
    """A function that opens the page: open_page(query, width=1280) -> Page.

    Further options are those of the browser's context, such as reduced_motion="reduce".

    After the test: nothing was asked of another machine, nothing failed, no error was logged.
    """
    pages, documents, problems = [], [], []

    def watch_request(request):
        if not request.url.startswith((server, "data:", "blob:")):
            problems.append(f"a request left the machine: {request.url[:200]}")

    def watch_console(message):
        if message.type == "error":
            problems.append(f"the console says: {message.text}")

    def open_page(query="", width=1280, height=900, **options):
        page = browser.new_page(viewport={"width": width, "height": height}, **options)
        page.set_default_timeout(PATIENCE_SECONDS * 1000)
        page.add_init_script(path=TRAFFIC)
        pages.append(page)
        page.on("request", watch_request)
        page.on("domcontentloaded", lambda page: documents.append(page))
        page.on("console", watch_console)
        page.on("pageerror", lambda error: problems.append(f"the page failed: {error}"))
        page.goto(server + query)
        page.wait_for_function("document.querySelector('#picture img')?.naturalWidth > 0")
        page.wait_for_function("document.querySelector('#player output')?.textContent")
        return page

    yield open_page
    for page in pages:
        page.close()
    if len(documents) > len(pages):  # a reload ends what is on its way, and Gradio says so
        ended = ("AbortError: signal is aborted", "Unexpected error Connection errored out")
        problems = [problem for problem in problems if not any(one in problem for one in ended)]
    assert problems == []


@pytest.fixture
def rest(wait_until):
    """A function that waits until all that a visitor has caused is answered: rest(page).

    Playwright's own "networkidle" may never come: a tab asks for its runs again and again, and
    Gradio 6.31 sometimes listens on when everything has been answered.
    """

    def rest(page):
        wait_until(
            page,
            lambda: page.evaluate("window.traffic.isAtRest()"),
            lambda: page.evaluate("window.traffic.onTheWay()"),
        )

    return rest


@pytest.fixture
def wait_until():
    """A function that waits for a condition: wait_until(page, condition, words if it never is)."""

    def wait_until(page, condition, words):
        end = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < end, words()
            page.wait_for_timeout(50)

    return wait_until


# What a Chinese page says in Latin letters: names, abbreviations and units.
AGREED = {
    *("genimg", "GAN", "GANs", "VQGAN", "StyleGAN", "DCGAN", "Transformer", "Python", "MNIST"),
    *("Fashion", "Kuzushiji", "CIFAR", "FD", "CFG", "EMA", "CPU", "GPU", "Space", "PNG", "JPEG"),
    *("WebP", "MB", "GB", "px", "top", "k", "p", "z", "w", "T"),
}
_WALK = """
(root) => {
  const found = [];
  const skipped = 'script, style, code, pre, .snippet, footer';
  // What is written in another language than the page's, on purpose, says so.
  const own = (node) => node.closest('[lang]').lang === document.documentElement.lang;
  const seen = (node) => node.checkVisibility() && !node.closest(skipped) && own(node);
  for (const node of document.querySelectorAll(`${root} *`)) {
    if (!seen(node)) continue;
    for (const name of ['aria-label', 'title', 'placeholder', 'alt']) {
      if (node.hasAttribute(name)) found.push(node.getAttribute(name));
    }
    for (const child of node.childNodes) {
      if (child.nodeType === Node.TEXT_NODE && child.data.trim()) found.push(child.data.trim());
    }
  }
  return found;
}
"""


@pytest.fixture(scope="session")
def foreign():
    """A function that finds what a page says in the other language: foreign(page, names=()).

    `names` are further words that stay as they are, and `root` is what is looked at.
    """

    def foreign(page, names=(), root="body"):
        said = page.evaluate(_WALK, root)
        assert len(said) > 5, said
        if page.evaluate("document.documentElement.lang") == "en":
            return [text for text in said if re.search("[\u4e00-\u9fff]", text)]
        # Gradio 6.31 tells a screen reader of an event's end by a key that it has no words for.
        said = [text for text in said if text != "common.complete"]
        kept = AGREED | set(names)
        words = {text: re.findall("[A-Za-z][A-Za-z-]*[A-Za-z]|[A-Za-z]", text) for text in said}
        return [text for text, found in words.items() if not kept.issuperset(found)]

    return foreign
