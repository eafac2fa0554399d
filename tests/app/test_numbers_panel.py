import csv
import io
import re

import numpy as np
import pytest

pytestmark = pytest.mark.browser

PANEL = "#draw-numbers"
# How many columns of a table come before the numbers.
NAMED = {
    "query": 1,
    "keys": 2,
    "dot_products": 2,
    "scale": 0,
    "scaled": 2,
    "mask": 2,
    "masked": 2,
    "weights": 2,
    "values": 2,
    "output": 1,
    "projection": 1,
    "projected": 1,
}


@pytest.fixture
def open_panel(open_page):
    """A function that opens the page at the numbers of the first drawing."""

    def open_panel(**options):
        page = open_page(**options)
        page.get_by_role("tab", name="Transformer").click()
        page.wait_for_selector(f"{PANEL} li", state="attached")
        folded = page.locator(f".folded:has({PANEL}) button.fold")
        if folded.count():  # on a phone
            folded.click()
        page.wait_for_selector(f"{PANEL} li")
        return page

    return open_panel


def heading(page):
    return page.locator(f"{PANEL} h3").inner_text()


def place_of(page):
    """Return layer, head and position that the panel is about."""
    return tuple(map(int, re.findall(r"(?:Layer|head|position) (\d+)", heading(page))))


def saved(page, button):
    page.wait_for_timeout(120)  # Chromium drops what is saved more often than ten times a second
    with page.expect_download() as download:
        button.click()
    return download.value.suggested_filename, download.value.path().read_bytes()


def table_of(page, name):
    """Return an array as a visitor gets it, and the names of its rows."""
    button = page.locator(f"{PANEL} [data-array={name}]").get_by_role("button")
    file, block = saved(page, button)
    assert file.endswith(f"-{name}.csv")
    _, *rows = csv.reader(io.StringIO(block.decode("utf-8")))
    numbers = [[np.float32(number) for number in row[NAMED[name] :]] for row in rows]
    assert [int(row[0]) for row in rows if NAMED[name]] == [*range(len(rows) if NAMED[name] else 0)]
    return np.array(numbers, np.float32), [row[1] for row in rows if NAMED[name] == 2]


def test_the_result_can_be_recomputed_from_the_tables(open_panel, drawer):
    page = open_panel()
    tables = {name: table_of(page, name) for name in NAMED}
    drawing = drawer.generate(label=drawer.classes[-1], seed=3)
    place = place_of(page)
    for name, stage in drawing.stages(*place).items():
        # Every float32 came through the text exactly.
        assert np.array_equal(tables[name][0].reshape(stage.shape), stage), name

    exact = {name: numbers.astype(np.float64) for name, (numbers, _) in tables.items()}
    scaled = exact["keys"] @ exact["query"] * exact["scale"]
    masked = np.where(exact["mask"] == 1, scaled, -np.inf)
    weights = np.exp(masked - masked.max())
    projected = exact["projection"] @ (exact["values"].T @ (weights / weights.sum()))
    np.testing.assert_allclose(exact["projected"], projected, atol=1e-5)
    assert np.abs(projected).max() > 1e-3
    names = tables["keys"][1]
    assert names[:2] == ["class token", "token 0 (row 0, column 0)"]
    assert f"position {place[2]}: {names[place[2]]}" in heading(page)


def test_all_stages_are_one_file(open_panel, drawer):
    page = open_panel()
    name, block = saved(page, page.locator(f"{PANEL} .everything"))
    assert name.endswith(".npz")
    with np.load(io.BytesIO(block), allow_pickle=False) as numbers:
        layer, head, query = numbers["chosen"].tolist()
        drawing = drawer.generate(label=drawer.classes[-1], seed=3)
        for name, stage in drawing.stages(layer, head, query).items():
            assert np.array_equal(numbers[name], stage)


def test_it_follows_the_token_that_is_chosen(open_panel, drawer):
    page = open_panel()
    before = heading(page)
    layer, head, position = place_of(page)
    page.locator("#drawing .canvas").focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(
        f"before => document.querySelector('{PANEL} h3').textContent !== before", arg=before
    )
    assert place_of(page) == (layer, head, position - 1)
    drawing = drawer.generate(label=drawer.classes[-1], seed=3)
    stage = drawing.stages(layer, head, position - 1)["projected"]
    assert np.array_equal(table_of(page, "projected")[0][:, 0], stage)


def test_a_cell_tells_its_value(open_panel, drawer):
    page = open_panel()
    figure = page.locator(f"{PANEL} [data-array=weights]")
    weights = table_of(page, "weights")[0][:, 0]

    def reading():
        name, _, number = figure.locator("output").inner_text().rpartition(" · ")
        return name, np.float32(number)

    assert reading() == ("class token", weights[0])
    figure.locator(".cells").hover(position={"x": 3, "y": 36})  # below the class token
    assert reading() == ("token 0 (row 0, column 0)", weights[1])
    figure.locator(".cells").focus()
    page.keyboard.press("ArrowRight")
    assert reading() == ("token 1 (row 0, column 1)", weights[2])
    low, high = figure.locator(".scale span").all_inner_texts()
    assert float(low) == pytest.approx(weights.min(), rel=0.006)  # three digits
    assert float(high) == pytest.approx(weights.max(), rel=0.006)


def test_nothing_overflows_a_narrow_screen(open_panel):
    page = open_panel(width=390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    box = page.locator(f"{PANEL} [data-array=projection] .cells").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
