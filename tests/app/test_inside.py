"""Inside the generator on the GAN tab: look, choose, switch off, paint; with the keyboard, too."""

import base64
import io
from urllib.parse import parse_qsl, urlencode, urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

import genimg
from genimg.explore.inside import alter, feature_maps, layers_of, peaks
from genimg.render.colors import color_table

pytestmark = pytest.mark.browser

expect.set_options(timeout=240_000)  # a busy machine is not a failure

CANVAS = "canvas => canvas.toDataURL('image/png')"


def painted(canvas, mode="RGB"):
    """Return what a canvas shows, uint8 (H, W) or (H, W, 3)."""
    *_, code = canvas.evaluate(CANVAS).partition(",")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(code))).convert(mode))


def open_inside(page):
    page.locator("#inside-fold button.label-wrap").click()
    page.wait_for_selector("#inside .grid button")
    return page


def arguments(page, model):
    """Return what the page shows, as arguments of a picture."""
    entries = dict(parse_qsl(urlsplit(page.url).query))
    found = {"seed": int(entries.get("seed", 5)), "truncation": 0.7}
    return found | {"label": entries.get("label", model.classes[-1])}


def strongest(model, layer, **view):
    """Return the units of a layer in the page's order, where none is as active as another."""
    maps = feature_maps(model, layer, **view)
    high = max(np.percentile(maps, 99.5), 1e-6)
    levels = np.rint(255 * (maps / high).clip(0, 1)).reshape(len(maps), -1).sum(axis=1)
    return np.argsort(-levels, kind="stable"), np.rint(255 * (maps / high).clip(0, 1))


def expect_after(page, wait_until, picture):
    """Wait until the changed picture is this one."""
    canvas = page.locator("#inside .after")
    mode = "L" if picture.shape[2] == 1 else "RGB"
    wanted = picture[..., 0] if mode == "L" else picture
    wait_until(page, lambda: np.array_equal(painted(canvas, mode), wanted), lambda: page.url)


def test_nothing_is_computed_before_it_is_opened(open_page, models, rest):
    page = open_page()
    rest(page)
    assert page.locator("#inside .grid button").count() == 0
    open_inside(page)
    view = arguments(page, models.style)
    order, levels = strongest(models.style, 0, **view)
    tiles = page.locator("#inside .grid button")
    expect(tiles).to_have_count(layers_of(models.style)[0].units)
    colors = color_table("sequential")
    for place in (0, 5):
        tile = tiles.nth(place)
        assert int(tile.get_attribute("data-unit")) == order[place]
        expected = colors[np.rint(levels[order[place]] * 256 / 255).astype(int)]
        assert np.array_equal(painted(tile.locator("canvas")), expected)
    assert "inside=" not in page.url
    for name in ("before", "after"):
        shown = painted(page.locator(f"#inside .{name}"), "L")
        assert np.array_equal(shown, models.style.picture(**view)[..., 0])


def test_units_are_switched_off_and_painted_in_and_a_reload_restores(open_page, models, wait_until):
    page = open_inside(open_page())
    view = arguments(page, models.style)
    page.locator("#inside .which").select_option("2")
    size = layers_of(models.style)[2].size
    first = f"document.querySelector('#inside .grid canvas').width === {size}"
    page.wait_for_function(first)
    units = [
        int(page.locator("#inside .grid button").nth(i).get_attribute("data-unit")) for i in (0, 3)
    ]
    for i in (0, 3):
        page.locator("#inside .grid button").nth(i).click()
    page.locator("#inside .off").click()
    off = {(2, unit): 0.0 for unit in units}
    expect_after(page, wait_until, alter(models.style, factors=off, **view))
    assert page.locator("#inside .grid [aria-pressed=true]").count() == 2

    page.locator("#inside .paper").scroll_into_view_if_needed()
    box = page.locator("#inside .paper").bounding_box()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.4 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.4 * box["height"], steps=4)
    page.mouse.up()
    mask = np.zeros((size, size))
    y, x = (np.mgrid[:size, :size] + 0.5) / size
    # The brush reaches a sixteenth of the picture to each side of its way.
    near = np.hypot(np.maximum(abs(x - 0.5) - 0.2, 0), y - 0.4) < 1 / 16
    mask[near] = 1
    mask[int(0.4 * size), int(0.3 * size) : int(0.7 * size) + 1] = 1
    high = peaks(models.style, 2)
    expected = alter(
        models.style,
        factors=off,
        added={(2, unit): float(high[unit]) * mask for unit in units},
        **view,
    )
    expect_after(page, wait_until, expected)
    assert page.locator("#inside .snippet code").inner_text().count("peaks") == 2

    page.reload()
    page.wait_for_selector("#inside .grid button")
    expect_after(page, wait_until, expected)
    expect(page.locator("#inside .which")).to_have_value("2")
    page.locator("#inside .unpaint").click()
    expect_after(page, wait_until, alter(models.style, factors=off, **view))
    page.locator("#inside .nothing").click()
    expect_after(page, wait_until, models.style.picture(**view))
    page.wait_for_url(lambda url: "inside=" not in url)


def test_it_follows_the_picture_and_forgets_units_of_another_model(open_page, models, wait_until):
    page = open_inside(open_page())
    tile = page.locator("#inside .grid button").first
    unit = int(tile.get_attribute("data-unit"))
    tile.click()
    page.locator("#inside .up").click()
    page.locator("#seed input").fill("77")
    page.locator("#seed input").press("Enter")
    page.wait_for_url(lambda url: "seed=77" in url)
    view = arguments(page, models.style)
    assert view["seed"] == 77
    expect_after(page, wait_until, alter(models.style, factors={(0, unit): 3.0}, **view))
    page.locator("#checkpoint select").select_option(index=1)
    page.wait_for_url(lambda url: "plain" in url.split("inside=")[0])
    expect_after(page, wait_until, models.plain.picture(seed=77))
    expect(page.locator("#inside .which option")).to_have_count(len(layers_of(models.plain)))
    assert "inside=" not in page.url


def test_the_keyboard_reaches_everything(open_page, models, wait_until):
    page = open_page()
    page.locator("#inside-fold button.label-wrap").press("Enter")
    page.wait_for_selector("#inside .grid button")
    view = arguments(page, models.style)
    tiles = page.locator("#inside .grid button")
    tiles.first.focus()
    page.keyboard.press("ArrowRight")
    unit = int(page.evaluate("document.activeElement.dataset.unit"))
    assert unit == int(tiles.nth(1).get_attribute("data-unit"))
    page.keyboard.press("Space")
    expect(tiles.nth(1)).to_have_attribute("aria-pressed", "true")
    page.locator("#inside .factor").focus()
    page.keyboard.press("Home")
    expect_after(page, wait_until, alter(models.style, factors={(0, unit): 0.0}, **view))
    page.keyboard.press("ArrowRight")
    expect_after(page, wait_until, alter(models.style, factors={(0, unit): 0.25}, **view))
    page.locator("#inside .paper").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Space")
    size = layers_of(models.style)[0].size
    mask = np.zeros((size, size))
    mask[int((0.5 - 1 / size) * size), size // 2] = 1
    high = float(peaks(models.style, 0)[unit])
    expected = alter(
        models.style,
        factors={(0, unit): 0.25 * (1 - mask)},
        added={(0, unit): high * mask},
        **view,
    )
    expect_after(page, wait_until, expected)


def test_what_units_serve_is_measured_on_demand(open_page, wait_until):
    page = open_page("?model=portraits-small&seed=2")
    page.wait_for_url("**label=**")  # until then it is the page's first model
    open_inside(page)
    model = genimg.load("portraits-small")
    last = len(layers_of(model)) - 1
    page.locator("#inside .which").select_option(str(last))
    page.wait_for_function("document.querySelector('#inside .grid canvas')?.width === 64")
    page.locator("#inside .measure").click()
    order = page.locator("#inside .order")
    expect(order.locator("option", has_text="hair colour: black")).to_have_count(1)
    order.select_option("hair colour: black")
    effects = page.locator("#inside .grid small").all_inner_texts()
    numbers = [float(text.replace("−", "-")) for text in effects if text]
    assert len(numbers) == layers_of(model)[last].units
    assert numbers == sorted(numbers, reverse=True)
    page.locator("#inside .first").click()
    expect(page.locator("#inside .grid [aria-pressed=true]")).to_have_count(8)
    page.locator("#inside .off").click()
    expect(page.locator("#inside [role=status]")).to_contain_text(
        "The network that names attributes"
    )


@pytest.mark.parametrize("width", [390, 1280])
def test_the_spectrum_is_measured_and_all_fits_the_page(open_page, width):
    page = open_page("?model=fashion-dcgan&seed=2", width=width)
    page.locator("#strip").wait_for(state="hidden")  # of the page's first model, which has styles
    open_inside(page)
    page.locator("#spectrum .ask").click()
    expect(page.locator("#spectrum tbody tr")).to_have_count(6)
    heads = page.locator("#spectrum tbody th").all_inner_texts()
    assert heads[:2] == ["real pictures", "Fashion, DCGAN"]
    boards = [float(text) for text in page.locator("#spectrum td:last-child").all_inner_texts()]
    assert boards[1] > boards[0]
    assert page.locator("#spectrum .power path").count() == 6
    assert page.locator("#spectrum .mark").count() == 2
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator("#checkpoint select").select_option("Portraits, small, with its training")
    expect(page.locator("#spectrum .found")).to_be_hidden()


def test_a_link_keeps_what_is_changed_in_another_model(open_page, models, paths, wait_until):
    link = urlencode({"model": paths["plain"], "seed": 4, "inside": "0~1~0~1"})
    page = open_page(f"?{link}")
    page.wait_for_selector("#inside .grid button")
    changed = alter(models.plain, factors={(0, 1): 0.0}, seed=4)
    assert not np.array_equal(changed, models.plain.picture(seed=4))
    expect_after(page, wait_until, changed)
    assert page.locator("#inside .grid [aria-pressed=true]").count() == 1
    expect(page.locator("#inside .chosen")).to_have_text("Unit 1")
    assert "inside=" in page.url
