"""The image GPT taken apart on the Draw tab: its logit lens, and parts of it changed."""

import base64
import io

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

CANVAS = "canvas => canvas.toDataURL('image/png')"
FIRST = {"label": "Coat", "seed": 3}


def three(number):
    """Return a number with three digits, as JavaScript writes them."""
    digits = 2 - int(np.floor(np.log10(abs(number))))
    return f"{number:.{max(digits, 0)}f}"


def painted(canvas):
    """Return the grey levels that a canvas shows, uint8 (H, W)."""
    *_, code = canvas.evaluate(CANVAS).partition(",")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(code))).convert("L"))


def open_tab(open_page, query="", **options):
    page = open_page(query, reduced_motion="reduce", **options)
    page.get_by_role("tab", name="Transformer").click()
    page.wait_for_function("document.querySelector('#drawing .decided')?.textContent")
    page.wait_for_function("!document.querySelector('#surgery .controls').inert")
    return page


def choose_head(page, layer, head, heads):
    page.locator("#drawing .head-grid button").nth(layer * heads + head).click()
    expect(page.locator("#surgery .place")).to_have_text(f"Head {head} of layer {layer}:")


def expect_made_again(page, drawer, **changes):
    drawing = drawer.generate(**FIRST)
    expected = drawer.ablate(drawing, **changes)
    code = f"heads={changes.get('heads', {})!r}, feed_forwards={changes.get('feed_forwards', [])!r}"
    expect(page.locator("#surgery code")).to_have_text(f"model.ablate(drawing, {code})")
    assert np.array_equal(painted(page.locator("#surgery .before canvas")), drawing.image[:, :, 0])
    assert np.array_equal(painted(page.locator("#surgery .after canvas")), expected.image[:, :, 0])


def test_each_depth_shows_what_it_would_draw(open_page, drawer):
    page = open_tab(open_page)
    drawing = drawer.generate(**FIRST)
    lens = drawing.lens()
    columns = page.locator("#drawing .depths > div")
    expect(columns).to_have_count(drawer.config.layers + 1)
    query = int(page.locator("#drawing .query").input_value())
    for depth, picture in enumerate(lens.images):
        column = columns.nth(depth)
        assert np.array_equal(painted(column.locator("canvas")), picture[:, :, 0])
        chance = 100 * lens.probabilities[depth, query]
        assert float(column.locator("b").inner_text().strip("<> %")) == pytest.approx(
            chance, abs=0.06
        )
        said = [f"stream {three(lens.stream[depth, query])}"]
        if depth:
            added = lens.attention[depth - 1, query], lens.feed_forward[depth - 1, query]
            said = [f"attention {three(added[0])}", f"feed-forward {three(added[1])}", *said]
        assert column.locator(".sums").inner_text().splitlines() == said
    decided = lens.decided[query]
    words = "before the first layer" if not decided else f"after layer {decided - 1}."
    expect(page.locator("#drawing .decided")).to_contain_text(words)

    columns.first.locator(".map").click(position={"x": 2, "y": 2})
    expect(page.locator("#drawing .decided")).to_contain_text("For place 0 the model")


def test_parts_are_changed_and_made_whole_again_with_the_keyboard(open_page, drawer):
    page = open_tab(open_page)
    choose_head(page, 1, 0, drawer.config.heads)
    page.locator("#surgery .add-head").press("Enter")
    expect_made_again(page, drawer, heads={(1, 0): "off"})
    page.locator("#surgery .treatment").select_option("1")
    page.locator("#surgery .add-head").press("Enter")
    expect_made_again(page, drawer, heads={(1, 0): 1})
    page.locator("#surgery .add-feed-forward").press("Enter")
    expect_made_again(page, drawer, heads={(1, 0): 1}, feed_forwards=[1])

    page.reload()
    page.wait_for_function("document.querySelector('#drawing .decided')?.textContent")
    expect_made_again(page, drawer, heads={(1, 0): 1}, feed_forwards=[1])

    page.locator("#surgery .changes button").first.press("Enter")
    expect_made_again(page, drawer, feed_forwards=[1])
    page.locator("#surgery .changes button").first.press("Enter")
    expect(page.locator("#surgery .results")).to_be_hidden()
    assert "changed=" not in page.url


def test_another_drawing_is_made_again_with_the_same_changes(open_page, drawer):
    page = open_tab(open_page)
    page.locator("#surgery .add-feed-forward").click()
    page.wait_for_function("document.querySelector('#surgery code').textContent")
    before = page.locator("#surgery .before canvas").evaluate(CANVAS)
    page.locator("#draw-seed input").fill("8")
    page.locator("#draw-make").click()
    page.wait_for_function(
        "before => document.querySelector('#surgery .before canvas').toDataURL('image/png')"
        " !== before",
        arg=before,
    )
    other = drawer.generate(**FIRST | {"seed": 8}).image[:, :, 0]
    assert np.array_equal(painted(page.locator("#surgery .before canvas")), other)


@pytest.mark.parametrize("changed", ["x", "99", "0.99.off", "0.0.gone", "-1.0.off", "0.0.99", ",,"])
def test_a_damaged_link_changes_nothing(open_page, changed):
    page = open_tab(open_page, f"?changed={changed}")
    page.wait_for_function("!location.search.includes('changed')")
    assert page.locator("#surgery .changes li").count() == 0
    assert page.locator("#surgery [role=status]").inner_text() == ""


def test_a_mistake_is_chosen_and_a_link_opens_their_tab(open_page):
    page = open_page("?tab=mistakes")
    shown = page.locator("#mistake-shown")
    expect(shown).to_contain_text("TypeError")
    page.locator("#mistake select").select_option("Mask after the softmax")
    expect(shown).to_contain_text("masked_fill(~mask, 0)")
    expect(shown).to_contain_text("it passes on the right module and fails on the mistake")
    expect(page.locator("#mistake-depth rect")).to_have_count(60)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_overflows(open_page, width, scheme):
    page = open_tab(open_page, width=width, color_scheme=scheme)
    if width == 390:
        for name in ("What each layer would draw", "Take it apart"):
            page.get_by_role("button", name=name).click()
    page.locator("#surgery .add-feed-forward").click()
    page.wait_for_function("document.querySelector('#surgery code').textContent")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
