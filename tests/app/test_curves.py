"""The arithmetic of the curves, in the browser's own script."""

import json
import random

import pytest

from genimg.training.run_directory import RunDirectory
from genimg.ui.training.components import STATIC
from genimg.ui.training.run_history import RunHistory

pytestmark = pytest.mark.browser

GROW = """answers => {
  %s
  let history;
  return answers.map((answer) => { history = grown(history, answer); return history.values; });
}"""


def grow(run, picks):
    """Let a run report at random, go back now and then, and return what a browser is told.

    Returns:
        for each look of the browser (the answer to it, all curves as they are then).
    """
    history, cursor, looks = RunHistory(run), None, []
    folder = run.path / "attempts" / "1"
    folder.mkdir(parents=True)
    seen = 0
    for _ in range(picks.randrange(2, 7)):
        with (folder / "metrics.jsonl").open("a") as file:
            for _ in range(picks.randrange(8)):
                seen = max(0, seen + picks.choice([100, 100, 300, 700, -1500]))
                report = {"images_seen": seen, picks.choice(["loss", "accuracy"]): picks.random()}
                file.write(json.dumps(report) + "\n")
        history.read_on()
        answer = history.curves(6000, cursor)
        whole = RunHistory(run)
        whole.read_on()
        cursor = answer["cursor"]
        looks.append((answer, whole.curves(6000)["values"]))
    return looks


def test_what_the_browser_adds_up_is_everything(browser, tmp_path):
    page = browser.new_page()
    script = GROW % (STATIC / "curves.js").read_text(encoding="utf-8")
    news = 0
    for number in range(40):
        looks = grow(RunDirectory(tmp_path / str(number)), random.Random(number))
        found = page.evaluate(script, [answer for answer, _ in looks])
        for values, (answer, everything) in zip(found, looks, strict=True):
            assert {name: curve for name, curve in values.items() if curve[0]} == everything
            news += answer["begin"] > 0
    assert news > 40  # not only first answers
    page.close()
