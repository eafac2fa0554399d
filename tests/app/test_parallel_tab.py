"""A MaskGIT draws: its steps, looked at with the keyboard."""

import base64
import io

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

CANVAS = "canvas => canvas.toDataURL('image/png')"


def painted(canvas):
    """Return the grey levels and the opacity that a canvas shows, uint8 (H, W, 2)."""
    *_, code = canvas.evaluate(CANVAS).partition(",")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(code))).convert("LA"))


def open_tab(open_page, query="", **options):
    page = open_page(query, reduced_motion="reduce", **options)
    page.get_by_role("tab", name="Transformer").click()
    page.get_by_role("tab", name="Draw in parallel").click()
    page.wait_for_function("document.querySelector('#parallel [role=status]')?.textContent")
    return page


def expect_step(page, drawing, step):
    steps = len(drawing.masked)
    expect(page.locator("#parallel output")).to_have_text(f"{step + 1} of {steps}")
    kept = painted(page.locator("#parallel .kept canvas"))
    side = kept.shape[0] // 8
    masked = drawing.masked[step].reshape(8, 8).repeat(side, 0).repeat(side, 1)
    assert (kept[..., 1] == np.where(masked, 0, 255)).all()
    difference = kept[..., 0].astype(int) - drawing.images[step][..., 0]
    assert np.abs(difference[~masked]).max(initial=0) <= 1
    guess = painted(page.locator("#parallel .guess canvas"))[..., 0].astype(int)
    assert np.abs(guess - drawing.guesses[step][..., 0]).max() <= 1
    before = drawing.masked[step - 1] if step else np.ones(64, bool)
    expect(page.locator("#parallel .chosen i")).to_have_count(
        int((before & ~drawing.masked[step]).sum())
    )
    heat = painted(page.locator("#parallel .heat"))
    assert ((heat[..., 1] > 0) == before.reshape(8, 8)).all()


def test_the_steps_of_a_drawing_with_the_keyboard(open_page, models):
    page = open_tab(open_page)
    drawing = models.masked.draw(label="Coat", seed=3)
    expect_step(page, drawing, 7)
    slider = page.get_by_role("slider", name="Step of the drawing")
    slider.press("Home")
    expect_step(page, drawing, 0)
    slider.press("ArrowRight")
    expect_step(page, drawing, 1)
    expect(page.locator("#parallel-code")).to_contain_text("drawing.masked[1]")

    status = page.locator("#parallel [role=status]")
    left = int(drawing.masked[1].sum())
    expect(status).to_contain_text(f"Step 2 of 8: of {int(drawing.masked[0].sum())} proposals")
    expect(status).to_contain_text(f"{left} masked again")

    map = page.locator("#parallel .sure .map")
    map.click(position={"x": 3, "y": 3})
    map.press("ArrowDown")
    expect(page.locator("#parallel .reading")).to_contain_text("Row 2, column 1:")


def test_another_drawing_by_its_controls_is_in_the_address(open_page, models):
    page = open_tab(open_page)
    page.locator("#parallel-steps input[type=number]").fill("4")
    page.locator("#parallel-steps input[type=number]").press("Tab")
    page.locator("#parallel-order select").select_option(label="spiral inwards")
    page.locator("#parallel-seed input").fill("12")
    page.locator("#parallel-make").press("Enter")
    drawing = models.masked.draw(label="Coat", seed=12, steps=4, order="spiral")
    expect(page.locator("#parallel output")).to_have_text("4 of 4")
    expect_step(page, drawing, 3)
    assert "parallel_order=spiral" in page.url

    page.reload()
    page.wait_for_function("document.querySelector('#parallel output')?.textContent === '4 of 4'")
    expect_step(page, drawing, 3)
    assert page.locator("#parallel-order select").input_value() == "spiral inwards"


def test_a_reload_keeps_the_step_and_what_the_controls_say_by_now(open_page, models):
    page = open_tab(open_page)
    page.get_by_role("slider", name="Step of the drawing").press("Home")
    page.locator("#parallel-steps input[type=number]").fill("5")
    page.locator("#parallel-steps input[type=number]").press("Tab")
    page.locator("#parallel-order select").select_option(label="row by row")
    page.wait_for_url("**parallel_next_order=raster**")

    page.reload()
    page.wait_for_function("document.querySelector('#parallel output')?.textContent === '1 of 8'")
    expect_step(page, models.masked.draw(label="Coat", seed=3), 0)
    assert page.locator("#parallel-steps input[type=number]").input_value() == "5"
    expect(page.locator("#parallel-order select")).to_have_value("row by row")

    page.locator("#parallel-make").press("Enter")
    expect_step(page, models.masked.draw(label="Coat", seed=3, steps=5, order="raster"), 4)
    assert "parallel_next" not in page.url


def test_it_plays(open_page):
    page = open_tab(open_page)
    page.locator("#parallel .play").press("Enter")
    expect(page.locator("#parallel .play")).to_have_text("Pause")
    expect(page.locator("#parallel output")).to_have_text("3 of 8")
    page.locator("#parallel .play").press("Enter")
    expect(page.locator("#parallel .play")).to_have_text("Play")


def test_it_fits_on_a_phone(open_page):
    page = open_tab(open_page, width=390, height=844)
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390
    for place in (".kept", ".guess", ".sure"):
        box = page.locator(f"#parallel {place}").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
