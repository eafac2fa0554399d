"""Find my picture, in a real browser: draw, find, stop, move, reload, go back; and the camera."""

import base64
import io
from urllib.parse import parse_qsl, urlencode, urlparse

import numpy as np
from PIL import Image

FAKE_CAMERA = """() => {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [64, 48];
  const context = canvas.getContext('2d');
  context.fillStyle = 'white';
  const draw = () => { context.fillRect(0, 0, 64, 48); requestAnimationFrame(draw); };
  draw();
  navigator.mediaDevices.getUserMedia = async () => canvas.captureStream();
}"""


def pixels(uri):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.split(",", 1)[1]))))


def shown(page):
    return pixels(page.locator("#picture img").get_attribute("src"))


def query_of(page):
    return dict(parse_qsl(urlparse(page.url).query))


def unfold(page):
    page.get_by_role("button", name="Your picture").click()
    page.wait_for_selector("#own-pad canvas")


def find(page):
    page.locator("#find").focus()
    page.keyboard.press("Enter")
    page.wait_for_function(
        "document.querySelector('#search [role=status]').textContent.startsWith('Found')"
    )
    page.wait_for_function("new URL(location).searchParams.has('code')")


def test_a_drawing_is_found_moved_and_linked_by_keyboard(open_page, models):
    page = open_page()
    assert page.locator("#found").is_hidden()
    unfold(page)
    page.locator("#own-pad canvas").focus()
    for key in (" ", "ArrowDown", "ArrowDown", " "):
        page.keyboard.press(key)
    find(page)
    query = query_of(page)
    here = {"seed": int(query["seed"]), "label": query["label"], "code": query["code"]}
    expected = models.style.picture(**here)[..., 0]
    np.testing.assert_array_equal(shown(page), expected)
    page.wait_for_selector("#search table:not([hidden])")
    assert page.locator("#search tbody tr").count() == 3  # this server has no training pictures

    slider = page.locator("#direction-0 input[type=range]")
    slider.focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("new URL(location).searchParams.get('directions') === '0.5'")
    moved = models.style.picture(**here, directions=[0.5])[..., 0]
    np.testing.assert_array_equal(shown(page), moved)
    address = page.url
    page.reload()
    page.wait_for_function(
        "document.querySelector('#picture figcaption')?.textContent.includes('a code of its own')"
    )
    np.testing.assert_array_equal(shown(page), moved)
    assert page.url == address


def test_undo_brings_everything_back_and_a_new_seed_leaves_what_was_found(open_page, paths, models):
    given = {"seed": "3", "label": "Hat", "truncation": "0.5", "directions": "1.5"}
    page = open_page("?" + urlencode({"model": paths["style"]} | given))
    page.get_by_text("Hat · seed 3").first.wait_for()
    before = models.style.picture(seed=3, label="Hat", truncation=0.5, directions=[1.5])[..., 0]
    unfold(page)
    find(page)
    page.locator("#history [data-do=undo]").click()
    page.wait_for_function(
        "new URL(location).search.includes('directions=1.5') && !location.search.includes('code')"
    )
    assert given.items() <= query_of(page).items()
    assert page.locator("#found").is_hidden()
    np.testing.assert_array_equal(shown(page), before)
    find(page)
    page.locator("#die").click()
    page.wait_for_function("!new URL(location).searchParams.has('code')")
    assert page.locator("#found").is_hidden()


def test_a_search_can_be_stopped(open_page):
    page = open_page()
    before = shown(page)
    unfold(page)
    page.locator("#find").click()
    page.wait_for_selector("#search progress:not([hidden])")
    page.locator("#find-stop").click()
    page.wait_for_function(
        "document.querySelector('#search [role=status]').textContent.startsWith('Stopped')"
    )
    np.testing.assert_array_equal(shown(page), before)
    assert "code" not in query_of(page)


def test_a_damaged_code_in_a_link_says_so_and_shows_the_page(open_page, paths):
    given = {"seed": "3", "label": "Hat", "code": "../../etc/passwd"}
    page = open_page("?" + urlencode({"model": paths["style"]} | given))
    page.get_by_text("finite numbers").wait_for()
    assert page.locator("#found").is_hidden()


def test_the_camera_gives_the_pad_a_square(open_page):
    page = open_page()
    unfold(page)
    page.evaluate(FAKE_CAMERA)
    page.locator("#own-pad [data-do=camera]").click()
    page.wait_for_function("document.querySelector('#own-pad video').videoWidth > 0")
    page.keyboard.press("Enter")  # the focus is on "Take"
    page.get_by_text("Your photograph").wait_for()
    assert page.locator("#own-pad .camera").is_hidden()
    page.locator("#own-pad [data-do=camera]").click()
    page.locator("#own-pad [data-do=leave]").click()
    assert page.locator("#own-pad .camera").is_hidden()


def test_training_pictures_that_are_not_here_are_said_to_be_missing(open_page):
    page = open_page()
    page.get_by_text("not on this machine").first.wait_for()
    assert page.locator("#copies img").count() == 0
