"""A drawing of 784 pixels on the Draw tab, and the panel that shows who sees whom."""

import base64
import io
import re
from urllib.parse import urlencode

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

import genimg
from genimg import checkpoints
from genimg.models import kind_named
from genimg.models.drawer import PixelDrawerConfig
from genimg.render import encode

pytestmark = pytest.mark.browser

CANVAS = "canvas => canvas.toDataURL('image/png')"
LOOKS_ARE_THERE = "!document.querySelector('#drawing .attention').classList.contains('late')"


@pytest.fixture(scope="module")
def path(tmp_path_factory, alive):
    config = PixelDrawerConfig(
        width=16, layers=2, heads=2, classes=3, attention="window", window=56
    )
    return str(
        checkpoints.write(
            tmp_path_factory.mktemp("checkpoints") / "pixels",
            kind="pixel-gpt",
            model=alive(kind_named("pixel-gpt").build(config)),
            card={"title": "pixels", "classes": ["Shoe", "Hat", "Coat"], "dataset": "none"},
            preview=encode(np.zeros((2, 2, 1), np.uint8), "png"),
        )
    )


@pytest.fixture(scope="module")
def pixels(path):
    """The same model as the server's, to compare with."""
    return genimg.load(path)


@pytest.fixture(scope="module")
def server(serve, path, tmp_path_factory):
    with serve(tmp_path_factory.mktemp("server"), "--checkpoint", path) as address:
        yield address


def expect_looks(page, drawing, query):
    """Expect the attention of a query, which the server was asked for."""
    expect(page.locator("#drawing .query + output")).to_have_text(f"{query}")
    page.wait_for_function(LOOKS_ARE_THERE)
    largest = drawing.maps.all_heads(query).max()
    assert page.locator("#drawing .attention .color-bar span").last.inner_text() == f"{largest:.3f}"
    for number in range(4):
        label = page.locator("#drawing .head-grid button").nth(number).get_attribute("aria-label")
        entropy = drawing.entropy(*divmod(number, 2), query)
        assert float(re.search(r"entropy ([\d.]+)", label)[1]) == pytest.approx(entropy, abs=6e-3)
    said = page.locator("#drawing .rollout .numbers").inner_text()
    most = drawing.rollout(query).max()
    assert float(re.search(r"(\d\.\d{3})", said)[1]) == pytest.approx(most, abs=6e-4)


def test_a_drawing_of_784_pixels_and_where_each_looked(open_page, pixels):
    link = {"drawer": pixels.name, "drawing": 1, "class": "Hat", "token": 300}
    page = open_page(f"?{urlencode(link)}", reduced_motion="reduce")
    page.get_by_role("tab", name="Transformer").click()
    page.wait_for_selector("#drawing .head-grid button")
    drawing = pixels.generate(label="Hat", seed=1)
    expect_looks(page, drawing, 300)
    *_, code = page.locator("#drawing .picture").evaluate(CANVAS).partition(",")
    painted = np.asarray(Image.open(io.BytesIO(base64.b64decode(code))).convert("L"))
    np.testing.assert_array_equal(painted, drawing.image[:, :, 0])

    page.locator("#drawing .map.canvas").press("ArrowDown")
    expect_looks(page, drawing, 328)
    bars = page.locator("#drawing .bars > *")
    expect(bars.first).to_be_visible()  # what could have come next needs no answer
    page.locator("#drawing .query").press("End")
    expect_looks(page, drawing, 783)


@pytest.mark.parametrize("width", [1280, 390])
def test_who_sees_whom_follows_its_controls(open_page, width):
    page = open_page(width=width)
    page.get_by_role("tab", name="Transformer").click()
    panel = page.locator("#patterns")
    expect(page.locator("#pattern-shown")).to_be_hidden()  # folded at first
    panel.get_by_role("button", name="Who sees whom").click()
    shown = page.locator("#pattern-shown")
    expect(shown).to_contain_text("this token hears of 10, 18, 26, 34, 42 and 45")
    expect(page.locator("#pattern-memory")).to_be_hidden()
    page.locator("#pattern select").select_option(label="Segments with a memory (Transformer-XL)")
    expect(shown.locator(".remembered")).to_have_count(8)
    field = page.locator("#pattern-memory input[type=number]")
    field.fill("3")
    field.press("Tab")
    expect(shown.locator(".remembered")).to_have_count(3)
    page.locator("#pattern select").select_option(label="Full: everything before it")
    expect(shown).to_contain_text("100%")
    expect(page.locator("#pattern-length")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_reload_shows_who_sees_whom_again(open_page):
    page = open_page()
    page.get_by_role("tab", name="Transformer").click()
    page.locator("#patterns").get_by_role("button", name="Who sees whom").click()
    page.locator("#pattern select").select_option(label="Segments with a memory (Transformer-XL)")
    field = page.locator("#pattern-memory input[type=number]")
    field.fill("3")
    field.press("Tab")
    page.wait_for_url("**pattern=recurrent-8-3-3-44**")

    page.reload()
    page.locator("#pattern-shown .remembered").nth(2).wait_for()
    expect(page.locator("#pattern-shown .remembered")).to_have_count(3)
    expect(page.locator("#pattern select")).to_have_value("Segments with a memory (Transformer-XL)")
    expect(page.locator("#pattern-memory input[type=number]")).to_have_value("3")


def test_a_damaged_pattern_in_a_link_says_so(open_page):
    page = open_page("?pattern=window-9999-1-1-1&tab=draw")
    page.get_by_text("The length must be").wait_for()
    expect(page.locator("#patterns")).to_be_visible()
    expect(page.locator("#pattern-shown")).to_be_hidden()
