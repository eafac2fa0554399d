"""What is next to the picture of the GAN tab, and what it can be made of with others."""

import base64
import io
from urllib.parse import urlencode

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from genimg.explore.mixing import mix_layers
from genimg.explore.own_names import with_names
from genimg.render import data_uri

pytestmark = pytest.mark.browser

expect.set_options(timeout=240_000)  # a busy machine is not a failure

FIRST = {"seed": 5, "label": "Coat", "truncation": 0.7}


def shown(page, selector="#picture img"):
    """Return the pixels (H, W) of a picture on the page."""
    src = page.locator(selector).get_attribute("src")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(src.split(",", 1)[1]))), int)


def expect_picture(page, wait_until, expected, grey_levels=0):
    def is_there():
        return abs(shown(page) - expected[:, :, 0].astype(int)).max() <= grey_levels

    wait_until(page, is_there, lambda: page.locator("#picture figcaption").inner_text())


def cell(pixels, row, column):
    return pixels[row * 32 : row * 32 + 32, column * 32 : column * 32 + 32, None]


def in_address(page, name):
    return page.evaluate("name => new URL(location).searchParams.get(name)", name)


def test_a_neighbour_becomes_the_picture_and_undo_leads_back(open_page, models, wait_until):
    page = open_page()
    sheet = shown(page, "#sheet img")
    page.get_by_role("button", name="Neighbour 6", exact=True).click()
    expect_picture(page, wait_until, cell(sheet, 1, 2), grey_levels=2)
    page.wait_for_function("new URL(location).searchParams.get('code')")
    expect(page.locator("#found")).to_be_visible()
    wait_until(page, lambda: not np.array_equal(shown(page, "#sheet img"), sheet), lambda: "")

    # From the picture itself the arrow keys lead to the others.
    sheet = shown(page, "#sheet img")
    page.locator("#sheet button[tabindex='0']").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect_picture(page, wait_until, cell(sheet, 1, 1), grey_levels=2)
    for _ in range(2):
        page.locator("#history [data-do=undo]").click()
    expect_picture(page, wait_until, models.style.picture(**FIRST))
    expect(page.locator("#found")).to_be_hidden()


def test_the_strip_sets_truncation(open_page, models, wait_until):
    page = open_page()
    page.get_by_role("button", name="Truncation 1.25").click()
    expect_picture(page, wait_until, models.style.picture(**FIRST | {"truncation": 1.25}))
    expect(page.locator("#truncation input[type=range]")).to_have_value("1.25")
    page.locator("#checkpoint select").select_option("plain")
    expect(page.locator("#strip")).to_be_hidden()


def test_noise_is_off_another_and_its_own(open_page, models, wait_until):
    page = open_page()
    page.get_by_role("button", name="Raw latent dimensions").click()
    choices = page.locator("#noise button")
    choices.filter(has_text="Off").click()
    off = models.style.with_noise("off").picture(**FIRST)
    expect_picture(page, wait_until, off)
    page.wait_for_function("new URL(location).searchParams.get('noise') === 'off'")
    page.wait_for_function(
        "document.querySelector('#picture-code code').textContent.includes('with_noise(\"off\")')"
    )
    choices.filter(has_text="New").click()
    page.wait_for_function("/^[0-9]+$/.test(new URL(location).searchParams.get('noise'))")
    other = models.style.with_noise(int(in_address(page, "noise"))).picture(**FIRST)
    expect_picture(page, wait_until, other)
    expect(choices.filter(has_text="New")).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect_picture(page, wait_until, other)
    page.get_by_role("button", name="Raw latent dimensions").click()
    choices.filter(has_text="Its own").click()
    expect_picture(page, wait_until, models.style.picture(**FIRST))
    page.wait_for_function("new URL(location).searchParams.get('noise') === null")


def test_a_link_without_noise_opens_so(open_page, models, wait_until):
    query = {"model": models.style.name, "seed": 9, "label": "Hat", "noise": "off"}
    page = open_page("?" + urlencode(query))
    expected = models.style.with_noise("off").picture(seed=9, label="Hat")
    page.wait_for_function(
        "expected => document.querySelector('#picture img').src === expected",
        arg=data_uri(expected, "png"),
    )


def open_section(page):
    page.get_by_role("button", name="Mix, map, sums").click()


def point(page):
    """Return the pixels (H, W) that the map shows of the point that is chosen."""
    return np.array(
        page.locator("#plane canvas").evaluate(
            """canvas => {
          const { width, height } = canvas;
          const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
          return Array.from({ length: height }, (_, y) =>
            Array.from({ length: width }, (_, x) => data[4 * (y * width + x)]));
        }"""
        )
    )


def test_a_map_is_dragged_and_a_point_becomes_the_picture(open_page, models, wait_until, rest):
    page = open_page()
    open_section(page)
    page.locator("#plane .draw").click()
    page.locator("#plane .slots figure").nth(2).wait_for()
    page.wait_for_function("document.querySelector('#plane .field img').naturalWidth === 9 * 32")
    rest(page)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    first = models.style.picture(**FIRST)[:, :, 0]
    wait_until(page, lambda: np.array_equal(point(page), first), lambda: "the corner A")
    page.locator("#plane .field").scroll_into_view_if_needed()
    box = page.locator("#plane .field").bounding_box()
    page.mouse.move(box["x"] + 4, box["y"] + 4)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5, steps=4)
    page.mouse.move(box["x"] + box["width"] + 30, box["y"] - 20, steps=4)  # past the corner
    page.mouse.up()
    second = models.style.picture(**FIRST | {"seed": 23})[:, :, 0]
    assert np.array_equal(point(page), second)
    assert page.locator("#plane [role=status]").inner_text() == "B"
    assert not [url for url in asked if "queue/join" in url]  # all of it was there

    # Keys lead to A - B + C, and it is taken.
    page.locator("#plane .field").focus()
    for key in ["ArrowLeft"] * 8 + ["ArrowDown"] * 8:
        page.keyboard.press(key)
    assert page.locator("#plane [role=status]").inner_text() == "A − B + C"
    fourth = point(page)
    page.keyboard.press("Enter")
    expect_picture(page, wait_until, fourth[:, :, None])
    page.wait_for_function("new URL(location).searchParams.get('code')")
    page.locator("#plane").get_by_role("button", name="Put the picture at A").click()
    page.wait_for_function(
        "document.querySelector('#plane .slots figcaption').textContent.includes('a code')"
    )
    page.locator("#history [data-do=undo]").click()
    expect_picture(page, wait_until, models.style.picture(**FIRST))


def test_a_picture_between_two_classes_is_taken_with_the_keyboard(open_page, wait_until):
    page = open_page()
    open_section(page)
    page.locator("#ways-ask button").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('#ways img').naturalWidth === 7 * 32")
    sheet = shown(page, "#ways img")
    page.locator("#ways button[tabindex='0']").focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    expect_picture(page, wait_until, cell(sheet, 1, 2))
    assert "between_classes" in page.locator("#ways-code code").inner_text()


def test_each_layer_names_its_seed(open_page, models, wait_until):
    page = open_page()
    open_section(page)
    page.locator("#layers .mix").click()
    page.locator("#layers input").first.wait_for()
    seeds = [int(one.input_value()) for one in page.locator("#layers input").all()]
    seeds[1] = 77
    page.locator("#layers input").nth(1).fill("77")
    page.keyboard.press("Enter")
    given = {name: FIRST[name] for name in ("label", "truncation")}
    expected = mix_layers(models.style, seeds, **given)[:, :, 0]
    wait_until(
        page,
        lambda: np.array_equal(shown(page, "#layers img"), expected),
        lambda: page.locator("#layers img").get_attribute("alt"),
    )
    page.locator("#checkpoint select").select_option("plain")
    page.locator("#strip").wait_for(state="hidden")
    page.locator("#layers .mix").click()
    expect(page.get_by_text("no mapping network")).to_be_visible()


@pytest.mark.parametrize("width", [390, 1280])
def test_the_section_is_no_wider_than_the_screen(open_page, width):
    page = open_page(width=width)
    open_section(page)
    page.locator("#plane .draw").click()
    page.locator("#plane .slots figure").nth(2).wait_for()
    page.locator("#layers .mix").click()
    page.locator("#layers input").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_sliders_have_names_of_ones_own(open_page, models, wait_until, tmp_path):
    page = open_page()
    page.locator("#names summary").click()
    page.locator("#names input[type=text]").nth(1).fill("<b>sleeves</b>")
    page.keyboard.press("Enter")
    label = page.locator("#direction-1 [data-testid=block-info]")
    expect(label).to_have_text("<b>sleeves</b>")
    expect(page.get_by_role("slider", name="sleeves")).to_be_visible()
    page.locator("#names input[type=text]").nth(0).fill("<b>sleeves</b>")
    page.keyboard.press("Enter")
    expect(page.locator("#names [role=status]")).to_contain_text("there already")
    expect(page.locator("#direction-0 [data-testid=block-info]")).to_have_text("Direction 1")

    # Another model has its own; what was kept is there again, also after a reload.
    page.locator("#checkpoint select").select_option("plain")
    expect(label).to_have_text("Direction 2")
    page.locator("#checkpoint select").select_option("style")
    expect(label).to_have_text("<b>sleeves</b>")
    page.reload()
    expect(label).to_have_text("<b>sleeves</b>")

    # The file is the one that Python reads, and the page itself.
    page.locator("#names summary").click()
    with page.expect_download() as download:
        page.locator("#names [data-do=save]").click()
    file = tmp_path / "names.json"
    download.value.save_as(file)
    named = with_names(models.style, file)
    expected = models.style.picture(**FIRST, directions=[0, 1.5])
    moved = named.picture(**FIRST, directions={"<b>sleeves</b>": 1.5})
    assert np.array_equal(moved, expected)
    page.locator("#names [data-do=forget]").click()
    expect(label).to_have_text("Direction 2")
    page.locator("#names input[type=file]").set_input_files(file)
    expect(label).to_have_text("<b>sleeves</b>")
    page.locator("#names input[type=file]").set_input_files(__file__)
    expect(page.locator("#names [role=status]")).to_contain_text("no file of names")
