"""A race, from its form to two runs side by side, as a student in a browser sees it."""

import contextlib
import json

import numpy as np
import pytest

from genimg.jobs.commands import Cancel
from genimg.jobs.limits import Visitor
from genimg.jobs.manager import JobManager
from genimg.jobs.races import race_named
from genimg.jobs.states import State
from genimg.render import encode

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PICTURES = "256"  # two steps: what is tested is the page
TEACHER = Visitor("ada", is_teacher=True)


@pytest.fixture
def manager(server, server_folder):
    """What sends commands to the server, as a terminal does; what a test leaves is cancelled."""
    with contextlib.closing(JobManager(server_folder / "runs", by_request=True)) as opened:
        yield opened
        for seen in opened.snapshot():
            if seen.job.active or seen.job.state is State.QUEUED:
                opened.do(Cancel(seen.job.id), TEACHER)


def open_race(page):
    page.get_by_role("tab", name="Training").click()
    page.get_by_role("button", name="Race").click()
    page.wait_for_selector("#race .go")


def ask_for(page, values, **numbers):
    page.locator("#race .setting").select_option("objective")
    for box in page.locator("#race .names input").all():
        box.set_checked(box.get_attribute("value") in values)
    page.locator("#race .length").select_option("images")
    for name, number in numbers.items():
        page.locator(f"#race .{name}").fill(number)


def test_two_runs_are_asked_for_and_lie_side_by_side(open_page, manager):
    page = open_page()
    open_race(page)
    for title in ("Objectives", "Optimizers"):  # until there is a race
        page.locator("#race .measured-before h3", has_text=title).wait_for()
    assert page.locator("#race .measured-before td").count() > 20

    ask_for(page, ["hinge"], amount=PICTURES, seed="3")
    page.locator("#race .go").click()
    page.locator("#race .said", has_text="Compare from 2 to 8 different values").wait_for()

    ask_for(page, ["hinge", "minimax"], amount=PICTURES)
    assert page.locator("#race .cost").inner_text().startswith("2 runs of 256 pictures each")
    page.locator("#race .go").dblclick()
    page.locator("#race .racer").nth(1).wait_for()
    assert page.locator("#race .racer .name").all_inner_texts() == [
        "objective minimax",
        "objective hinge",
    ]
    assert not page.locator("#race .measured-before").is_visible()
    queued = page.locator("#runs .row", has_text="objective hinge")
    queued.first.wait_for()
    assert queued.count() == 1  # a double click starts one race

    # What a worker would write of the second run, which waits for the first one.
    [_, second] = race_named(manager.jobs(), "objective").jobs
    manager.do(Cancel(second.id), TEACHER)
    report = {"images_seen": 0, "generator_loss": 2.0, "images_per_second": 40.0}
    attempt = manager.root / second.id / "attempts" / "1"
    attempt.mkdir(parents=True)
    lines = [json.dumps(report | {"images_seen": seen}) for seen in (128, 256)]
    (attempt / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    sheet = encode(np.full((4, 6, 1), 200, np.uint8), "png")
    manager.directory(second.id).write_sheet(256, sheet)

    # A reload in the middle: the Training tab, the race open, the same runs.
    page.wait_for_function("location.search.includes('race=objective-')")
    page.reload()
    racer = page.locator("#race .racer").nth(1)
    racer.locator(".state", has_text="cancelled").wait_for()
    racer.locator(".results", has_text="Speed 40 pictures/s").wait_for()
    page.wait_for_function("document.querySelectorAll('#race .racer img')[1].naturalWidth === 6")
    line = "#race [data-chart='Generator loss'] path.curve-1.run-0[d^=M]"
    page.wait_for_selector(line, state="attached")

    page.locator("#race .which select").select_option(label="what was measured before")
    page.locator("#race .measured-before td").first.wait_for()
    assert not page.locator("#race .racers").is_visible()


def test_numbers_are_compared_too(open_page):
    page = open_page()
    open_race(page)
    page.locator("#race .setting").select_option("generator_learning_rate")
    page.locator("#race .values").fill("0.001, 0.001")
    page.locator("#race .go").click()
    page.locator("#race .said", has_text="from 2 to 8 different values").wait_for()
    page.locator("#race .preset").select_option("fashion-vit")
    page.wait_for_selector("#race .setting option[value=patch]", state="attached")
    page.locator("#race .setting").select_option("position")
    assert page.locator("#race .names input").count() == 2


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_screen(open_page, width):
    page = open_page(width=width)
    open_race(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
