"""What a head adds, why a patch was drawn, the table of heads and the overview, on the Draw tab."""

import numpy as np
import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

FIRST = {"label": "Coat", "seed": 3}


def open_tab(open_page, query="", **options):
    page = open_page(query, reduced_motion="reduce", **options)
    page.get_by_role("tab", name="Transformer").click()
    page.wait_for_function("document.querySelector('#drawing .decided')?.textContent")
    page.wait_for_function("!document.querySelector('#reasons .ask').disabled")
    return page


def place_of(page, drawer):
    """Return the layer, head and query that the page looks at."""
    chosen = page.locator("#drawing .head-grid button[aria-pressed=true]")
    number = page.locator("#drawing .head-grid button").all_inner_texts()
    assert len(number) == 2 * drawer.config.heads
    title = chosen.get_attribute("title").split(":")[0].split()
    query = int(page.locator("#drawing .query").input_value())
    return int(title[1].strip(",")), int(title[3]), query


def expect_class(page, value):
    """Wait until the map tells this number for the class token."""
    shown = page.locator("#drawing .attention .special span")
    expect(shown).to_have_count(1)
    page.wait_for_function(
        "value => Math.abs(Number(document.querySelector("
        "'#drawing .attention .special span').textContent) - value) <= 0.005 * Math.max(1, value)",
        arg=float(value),
    )


def test_maps_show_weights_or_what_they_add(open_page, drawer):
    page = open_tab(open_page)
    place = place_of(page, drawer)
    drawing = drawer.generate(**FIRST)
    expect_class(page, drawing.attention(*place)[0])
    page.get_by_role("radio", name="Where it looks").focus()
    page.keyboard.press("ArrowRight")
    expect_class(page, drawing.contribution(*place)[0])
    expect(page.locator("#drawing .attention h2")).to_contain_text("What it adds")
    highest = max(
        drawing.contribution(layer, head, place[2]).max()
        for layer in range(2)
        for head in range(drawer.config.heads)
    )
    bar = page.locator("#drawing .attention .color-bar span").last.inner_text()
    assert float(bar) == pytest.approx(highest, rel=0.01, abs=0.001)
    page.wait_for_function("location.search.includes('maps=added')")

    page.reload()
    page.wait_for_function("document.querySelector('#drawing .decided')?.textContent")
    expect_class(page, drawing.contribution(*place)[0])
    page.get_by_role("radio", name="Where it looks").check()
    page.wait_for_function("!location.search.includes('maps=')")


def in_nats(text):
    return float(text.replace("−", "-"))


def test_a_patch_is_explained_in_two_ways(open_page, drawer):
    page = open_tab(open_page)
    query = int(page.locator("#drawing .query").input_value())
    ask = page.locator("#reasons .ask")
    expect(ask).to_have_text(f"Why token {query}?")
    ask.press("Enter")
    found = drawer.generate(**FIRST).reasons(query)
    status = page.locator("#reasons [role=status]")
    expect(status).to_contain_text(f"over {query + 1} positions")
    for name, values in (("gradient", found.gradient), ("ablation", found.ablation)):
        said = page.locator(f"#reasons .{name} .special span").inner_text()
        assert in_nats(said) == pytest.approx(float(values[0]), rel=0.01, abs=0.002)
        most = int(np.argmax(values))
        word = "the class" if most == 0 else f"token {most - 1} "
        expect(page.locator(f"#reasons .{name} figcaption")).to_contain_text(f"Most for it: {word}")
    expect(page.locator("#reasons code")).to_have_text(f"drawing.reasons(query={query})")

    page.locator("#drawing .canvas").press("ArrowLeft")
    expect(ask).to_have_text(f"Why token {query - 1}?")
    expect(page.locator("#reasons .results")).to_be_hidden()
    expect(status).to_have_text("")


def test_the_table_of_heads_is_sorted_and_chooses(open_page, drawer):
    page = open_tab(open_page)
    page.locator("#drawing .measured summary").click()
    rows = page.locator("#drawing .measured tbody tr")
    expect(rows).to_have_count(2 * drawer.config.heads)

    def column(number):
        return [float(row.locator("td").nth(number).inner_text()) for row in rows.all()]

    assert column(0) == sorted(column(0), reverse=True)
    page.locator("#drawing .measured thead button").nth(1).press("Enter")
    assert page.locator("#drawing .measured [aria-sort=descending]").inner_text() == "distance"
    last = rows.last.get_by_role("button")
    name = last.inner_text()
    last.press("Enter")
    expect(page.locator("#drawing .attention .place")).to_have_text(name)
    assert "chosen" in rows.last.get_attribute("class")


@pytest.mark.parametrize("width", [390, 1280])
def test_the_whole_machine_is_on_one_screen_and_leads_to_its_parts(open_page, drawer, width):
    page = open_tab(open_page, width=width, color_scheme="dark")
    stations = page.locator("#drawing .stations button")
    expect(stations.first).to_be_hidden()
    page.get_by_role("button", name="The whole machine").press("Enter")
    expect(stations).to_have_count(6 + 2 * drawer.config.layers)
    query = int(page.locator("#drawing .query").input_value())
    shapes = page.locator("#drawing .stations button span").all_inner_texts()
    rows, columns = drawer.grid
    width_of_model = drawer.config.width
    assert shapes[0] == f"{drawer.config.size} × {drawer.config.size} × 1"
    assert shapes[1].startswith(f"{query} of {rows * columns}, each one of ")
    assert shapes[2].startswith(f"{query + 1} × {width_of_model};")
    assert shapes[-3] == f"{drawer.tokenizer.vocabulary_size} numbers"
    drawn = drawer.generate(**FIRST).tokens[query]
    assert shapes[-2].startswith(f"{drawn}, given ")
    blank = "canvas => !canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)"
    for canvas in page.locator("#drawing .stations canvas").all():
        assert not canvas.evaluate(f"{blank}.data.some((byte) => byte > 0)")

    for layer in (1, 0):
        stations.filter(has_text=f"Attention {layer}").press("Enter")
        expect(page.locator("#drawing .attention .place")).to_contain_text(f"Layer {layer},")
    stations.filter(has_text="Logits").press("Enter")
    expect(page.locator("#drawing .bars")).to_be_visible()  # unfolded, on a phone
    assert page.evaluate("document.activeElement.matches('#drawing .next')")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
