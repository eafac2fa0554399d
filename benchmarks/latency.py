"""How fast the page follows a slider: inside the handler, and in headless Chromium.

    python benchmarks/latency.py [--events N] [--skip-browser]

"handler" is the Python function behind the slider, arguments in, picture out as a data address;
"ends" the one that draws the small pictures at both ends of all sliders; "units" the one that
draws the picture with eight units of a layer switched off. "browser" goes from the slider's input
event to the decoded new picture, in the page as a visitor gets it. The models are those of
`fashion-style`, grey at 32 pixels, and of `portraits-style`, in colour at 64, with random weights:
the time does not depend on what it has learned. `import` and `ready` are what a start costs.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # where genimg is

# It sets how OpenMP waits, which only counts before torch is imported.
import genimg  # noqa: F401

# isort: split
import argparse
import contextlib
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator

import numpy as np

from genimg import checkpoints
from genimg.models import kind_named
from genimg.models.style_dcgan import StyleDcganConfig
from genimg.render import encode
from genimg.training.presets import make_spec
from genimg.ui.gan.handlers import LATENTS, GanHandlers
from genimg.ui.gan.inside_handlers import InsideHandlers
from genimg.ui.gan.sliders import DIRECTIONS
from genimg.ui.model_shelf import ModelShelf

ROOT = Path(__file__).resolve().parents[1]
KIND = "style-dcgan"
CONFIGS = {
    32: StyleDcganConfig(),
    64: make_spec("portraits-style", classes=10).model,
}
# One event: move the slider as a hand does, and wait until the new picture is decoded.
_EVENT = """
async value => {
  const slider = document.querySelector('#direction-0 input[type=range]');
  const image = document.querySelector('#picture img');
  const before = image.src;
  const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set;
  set.call(slider, value);
  const start = performance.now();
  slider.dispatchEvent(new Event('input', {bubbles: true}));
  while (image.src === before) await new Promise(done => setTimeout(done, 1));
  await image.decode();
  return performance.now() - start;
}
"""


def publish_untrained(folder: Path, size: int) -> Path:
    """Write a checkpoint with random weights."""
    return checkpoints.write(
        folder / f"style-{size}",
        kind=KIND,
        model=kind_named(KIND).build(CONFIGS[size]),
        card={"title": f"{size} px, untrained", "classes": [str(digit) for digit in range(10)]},
        preview=encode(np.zeros((2, 2, 1), np.uint8), "png"),
    )


def time_handler(path: Path, events: int) -> list[float]:
    """Return milliseconds for each call of the handler."""
    name = str(path)
    handlers = GanHandlers(ModelShelf([name]))
    times = []
    for event in range(events + 5):
        amounts = [event / events] + [0.0] * (DIRECTIONS + LATENTS - 1)
        start = time.perf_counter()
        handlers.picture(handlers.view(name, "3", 5, 0.7, amounts))
        times.append((time.perf_counter() - start) * 1000)
    return times[5:]  # the first calls compute what is then kept


def time_ends(path: Path, events: int) -> list[float]:
    """Return milliseconds for each drawing of the pictures at the sliders' ends."""
    name = str(path)
    handlers = GanHandlers(ModelShelf([name]))
    times = []
    for event in range(events + 2):
        view = handlers.view(name, "3", event, 0.7, [1.0] * DIRECTIONS)
        start = time.perf_counter()
        handlers.ends(view)
        times.append((time.perf_counter() - start) * 1000)
    return times[2:]


def time_units(path: Path, events: int) -> list[float]:
    """Return milliseconds for each picture with other units switched off."""
    handlers = GanHandlers(ModelShelf([str(path)]))
    inside, query = InsideHandlers(handlers), handlers.first_view().query()
    times = []
    for event in range(events + 2):
        units = list(range(event % 24, event % 24 + 8))
        change = {"layer": 1, "units": units, "factor": 0, "level": 1, "painted": ""}
        start = time.perf_counter()
        answer = inside.look({"query": query, "layer": 1, "changes": [change]})
        times.append((time.perf_counter() - start) * 1000)
        assert "error" not in answer, answer
    return times[2:]


def start_app(path: Path, *options: str) -> tuple[subprocess.Popen, str, float]:
    """Start `python app.py`; return it, its address, and the seconds until the page answered."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}/"
    start = time.perf_counter()
    command = [sys.executable, "app.py", "--port", str(port), "--no-browser", "--checkpoint", path]
    command += options
    app = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    while time.perf_counter() - start < 120:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return app, address, time.perf_counter() - start
        except OSError:
            time.sleep(0.05)
    app.kill()
    raise SystemExit("app.py did not answer within two minutes")


def time_browser(browser, address: str, events: int) -> list[float]:
    """Return milliseconds from input event to decoded picture, one event at a time."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(address)
    page.wait_for_function("document.querySelector('#picture img')?.naturalWidth > 0")
    page.wait_for_selector("#direction-0 input[type=range]")
    times = []
    for event in range(events + 5):
        value = -2 + 4 * ((event * 0.37) % 1)
        times.append(page.evaluate(_EVENT, f"{value:.2f}"))
        page.wait_for_timeout(400)  # until the neighbours, which follow a drag, are done
    page.close()
    return times[5:]


def p95(times: list[float]) -> float:
    """Return the time that 95 % of all are shorter than."""
    return sorted(times)[min(len(times) - 1, int(0.95 * len(times)))]


def row(name: str, size: int, times: list[float]) -> str:
    """Return one line of the table."""
    median = statistics.median(times)
    return f"{name:10s} {size:3d} px {median:8.1f} {p95(times):8.1f} {len(times):6d}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=60)
    parser.add_argument("--skip-browser", action="store_true")
    options = parser.parse_args()
    times = "import time, torch; t = time.time(); import genimg; print(time.time() - t)"
    seconds = [
        float(subprocess.check_output([sys.executable, "-c", times], cwd=ROOT)) for _ in range(3)
    ]
    print(f"import genimg, beyond torch: {statistics.median(seconds):.2f} s\n")
    print(f"{'':10s} {'':6s} {'median':>8s} {'p95':>8s} {'events':>6s}   (milliseconds)")
    with tempfile.TemporaryDirectory() as folder:
        paths = {size: publish_untrained(Path(folder), size) for size in CONFIGS}
        for size, path in paths.items():
            print(row("handler", size, time_handler(path, options.events)))
            print(row("ends", size, time_ends(path, options.events)))
            print(row("units", size, time_units(path, options.events)))
        if not options.skip_browser:
            in_browser(paths, options.events)


@contextlib.contextmanager
def open_browser() -> Iterator:
    """Start headless Chromium; end it after the block."""
    from playwright.sync_api import sync_playwright

    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        raise SystemExit("no Chromium was found; install it, or use --skip-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


def in_browser(paths: dict[int, Path], events: int) -> None:
    """Print the browser's rows."""
    with open_browser() as browser:
        for size, path in paths.items():
            app, address, ready = start_app(path)
            try:
                print(row("browser", size, time_browser(browser, address, events)))
                print(f"{'ready':10s} {size:3d} px {ready * 1000:8.0f}")
            finally:
                app.terminate()
                app.wait(30)


if __name__ == "__main__":
    main()
