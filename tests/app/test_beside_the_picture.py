"""What stands beside the picture of the GAN tab: its history, its sliders' ends, its opponent."""

import base64
import io
from urllib.parse import urlencode

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from genimg.render import data_uri

pytestmark = pytest.mark.browser

FIRST = {"seed": 5, "label": "Coat", "truncation": 0.7}


def expect_picture(page, pixels):
    page.wait_for_function(
        "expected => document.querySelector('#picture img').src === expected",
        arg=data_uri(pixels, "png"),
    )


def slider(page, name):
    return page.locator(f"#{name} input[type=range]")


def test_undo_and_redo_go_back_and_forth_with_buttons_and_keys(open_page, models):
    page = open_page()
    button = {name: page.locator(f"#history [data-do={name}]") for name in ("undo", "redo")}
    expect(button["undo"]).to_be_disabled()
    slider(page, "direction-1").focus()
    page.keyboard.press("End")
    expect_picture(page, models.style.picture(**FIRST, directions=[0, 3]))
    expect(button["undo"]).to_be_enabled()
    page.locator("#label select").select_option("Hat")
    moved = {**FIRST, "label": "Hat", "directions": [0, 3]}
    expect_picture(page, models.style.picture(**moved))
    page.wait_for_function("new URL(location).searchParams.get('label') === 'Hat'")

    button["undo"].click()
    expect_picture(page, models.style.picture(**FIRST, directions=[0, 3]))
    page.keyboard.press("Control+z")
    expect_picture(page, models.style.picture(**FIRST))
    expect(slider(page, "direction-1")).to_have_value("0")
    expect(button["undo"]).to_be_disabled()
    page.keyboard.press("Control+Shift+z")
    expect_picture(page, models.style.picture(**FIRST, directions=[0, 3]))
    button["redo"].click()
    expect_picture(page, models.style.picture(**moved))
    expect(button["redo"]).to_be_disabled()


def test_two_quick_undos_are_two(open_page, models):
    page = open_page()
    for label in ("Hat", "Shoe"):
        page.locator("#label select").select_option(label)
        expect_picture(page, models.style.picture(**FIRST | {"label": label}))
        page.wait_for_function(f"new URL(location).searchParams.get('label') === '{label}'")
    page.locator("#history [data-do=undo]").evaluate("""undo => {
      const { fetch } = window;
      window.fetch = (...request) => {  // the first is on its way
        window.fetch = fetch;
        setTimeout(() => undo.click());
        return fetch(...request);
      };
      undo.click();
    }""")
    expect_picture(page, models.style.picture(**FIRST))
    expect(page.locator("#history [data-do=undo]")).to_be_disabled()


def test_a_bookmark_outlives_a_reload_and_brings_its_view_back(open_page, models):
    page = open_page("?" + urlencode({"model": models.style.name, "seed": 9, "label": "Hat"}))
    kept = models.style.picture(seed=9, label="Hat")
    expect_picture(page, kept)
    page.locator("#history [data-do=bookmark]").click()
    page.locator("#die button, button#die").click()
    page.wait_for_function("new URL(location).searchParams.get('seed') !== '9'")
    page.reload()
    mark = page.locator("#history .bookmarks li button").first
    mark.click()
    expect_picture(page, kept)
    page.get_by_role("button", name="Remove the bookmark").click()
    expect(page.locator("#history .bookmarks")).to_be_hidden()


def test_a_picture_is_saved_crisp_and_large(open_page, models):
    page = open_page()
    with page.expect_download() as download:
        page.locator("#history [data-do=save]").click()
    saved = np.asarray(Image.open(download.value.path()).convert("L"))
    expected = models.style.picture(**FIRST)[:, :, 0]
    assert np.array_equal(saved, expected.repeat(16, axis=0).repeat(16, axis=1))


def test_each_slider_has_the_picture_at_its_ends(open_page, models, wait_until):
    page = open_page()

    def end(which):
        return page.evaluate(
            "name => getComputedStyle(document.documentElement).getPropertyValue(name)", which
        )

    def expect_end(which, expected):
        def is_shown():
            *_, code = end(which).rstrip(")").rpartition("base64,")
            if not code:
                return False
            shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(code))), int)
            # All ends are drawn together, which may round otherwise than one alone.
            return abs(shown - expected[:, :, 0]).max() <= 1

        wait_until(page, is_shown, lambda: end(which))

    expect_end("--high-end-1", models.style.picture(**FIRST, directions=[0, 3]))
    slider(page, "direction-0").focus()
    page.keyboard.press("Home")
    expect_end("--low-end-1", models.style.picture(**FIRST, directions=[-3, -3]))


def test_the_sliders_move_until_the_discriminator_likes_it_better(open_page, models):
    def score(*moves):
        picture = models.style.picture(**FIRST, directions=moves)
        return models.style.judge(picture[None], FIRST["label"])[0]

    page = open_page()
    page.locator("#convince").click()
    page.wait_for_function("new URL(location).searchParams.get('directions')")
    text = page.evaluate("new URL(location).searchParams.get('directions')")
    assert score(*map(float, text.split(","))) > score()
    page.locator("#history [data-do=undo]").click()
    expect_picture(page, models.style.picture(**FIRST))


def test_what_decides_is_shown_on_request(open_page):
    page = open_page()
    page.locator("#decides button").first.click()
    page.locator("#why").click()
    page.locator("#maps img").nth(1).wait_for()
    assert page.locator("#maps img").evaluate_all(
        "images => images.every((image) => image.naturalWidth > 0)"
    )
    slider(page, "direction-1").focus()
    page.keyboard.press("End")
    page.locator("#maps img").first.wait_for(state="detached")


def test_pictures_are_mixed_layer_by_layer(open_page, models):
    page = open_page()
    page.locator("#mix button").first.click()
    page.locator("#mix-rows textarea, #mix-rows input").fill("1, 2")
    page.locator("#mix-make").click()
    page.wait_for_function("document.querySelector('#mixed img')?.naturalWidth === 5 * 32")
    assert "from the left" in page.locator("#mixed figcaption").inner_text()
