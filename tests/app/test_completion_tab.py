import base64
import io

import numpy as np
import pytest
from PIL import Image

from genimg.data.decoding import read_picture
from genimg.render import data_uri
from genimg.ui.pixels import disc, picture_of

pytestmark = pytest.mark.browser

# The middle of each pixel of the picture: the lines between cells lie elsewhere.
PIXELS = """canvas => {
  const scale = canvas.width / 32;
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  return Array.from({ length: 32 * 32 }, (_, i) => {
    const [row, column] = [Math.floor(i / 32), i % 32];
    return data[4 * (Math.floor((row + 0.5) * scale) * canvas.width
      + Math.floor((column + 0.5) * scale))];
  });
}"""
NOISE = np.random.default_rng(0).integers(0, 256, (32, 32, 1), np.uint8)


def open_tab(open_page, **options):
    page = open_page(**options)
    page.get_by_role("tab", name="Transformer").click()
    page.get_by_role("tab", name="Complete a picture").click()
    page.wait_for_selector("#completions .made img")
    return page


def on_the_pad(page):
    return np.array(page.locator("#completion-pad canvas").evaluate(PIXELS)).reshape(32, 32)


def expect_pictures(page, pictures):
    """Wait until the results are exactly these."""
    page.wait_for_function(
        "expected => JSON.stringify(Array.from(document.querySelectorAll('#completions .made img'),"
        " (image) => image.src)) === JSON.stringify(expected)",
        arg=[data_uri(picture, "png") for picture in pictures],
    )


def status(page):
    return page.locator("#completion-pad [role=status]")


def choose_file(page, content, name="picture.png", kind="image/png"):
    page.locator("#completion-pad input[type=file]").set_input_files(
        {"name": name, "mimeType": kind, "buffer": content}
    )


def encoded(picture, format="png"):
    file = io.BytesIO()
    Image.fromarray(picture).save(file, format)
    return file.getvalue()


def press(page, name):
    page.locator("#completion-pad").get_by_role("button", name=name, exact=True).click()


def drag(page, start, end):
    """Press at one place of the picture and let go at another; both are shares of its sides."""
    page.locator("#completion-pad canvas").hover()
    box = page.locator("#completion-pad canvas").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end)]
    page.mouse.move(*places[0])
    page.mouse.down()
    page.mouse.move(*places[1], steps=12)
    page.mouse.up()


def test_first_paint_is_a_completion(open_page, drawer):
    page = open_tab(open_page)
    expect_pictures(page, drawer.complete(disc(32, 1), rows=4, count=8, seed=0))
    assert "32 of 64 cells kept" in page.locator("#completions .caption").inner_text()
    np.testing.assert_array_equal(on_the_pad(page)[:16], disc(32, 1)[:16, :, 0])


def test_a_transparent_picture_lies_on_white_as_in_training(open_page):
    """Whatever its name ends in; the bars beside it stay black."""
    page = open_tab(open_page)
    logo = np.zeros((32, 64, 4), np.uint8)
    logo[8:24, 16:48, 3] = 255  # a black box on nothing
    choose_file(page, encoded(logo), "logo.JFIF", "")
    page.get_by_text("Your upload").wait_for()
    expected = read_picture(io.BytesIO(encoded(logo)), 32)[:16, :, 0]  # the rest is hidden
    assert expected[0].min() == 255
    np.testing.assert_array_equal(on_the_pad(page)[:16], expected)
    page.locator("#completion-pad .crop input").uncheck()
    assert (on_the_pad(page)[:8] == 0).all()
    assert (on_the_pad(page)[8:11] == 255).all()


def test_a_photo_of_a_24_megapixel_camera_is_opened(open_page):
    page = open_tab(open_page)
    photo = np.zeros((4000, 6000), np.uint8)
    photo[:, 3000:] = 255
    choose_file(page, encoded(photo, "jpeg"), "photo.jpg", "image/jpeg")
    page.get_by_text("Your upload").wait_for()
    shown = on_the_pad(page)[:16]  # the rest is hidden
    assert (shown[:, :15] == 0).all()
    assert (shown[:, 17:] == 255).all()


def test_an_upload_with_hidden_cells_is_completed(open_page, drawer):
    page = open_tab(open_page)
    press(page, "Clear")
    rows = page.get_by_label("Rows to keep")
    rows.focus()
    page.keyboard.press("End")  # nothing is hidden
    choose_file(page, encoded(NOISE[..., 0]))
    page.get_by_text("Your upload").wait_for()
    np.testing.assert_array_equal(on_the_pad(page), NOISE[..., 0])
    page.get_by_text("These were made of what was here before").wait_for()

    page.locator("#complete").click()
    page.get_by_text("nothing is hidden").wait_for()

    press(page, "Hide")  # Clear has chosen the pencil
    drag(page, (0.1, 0.19), (0.9, 0.19))  # the second row of eight
    keep = np.ones((8, 8), bool)
    keep[1] = False
    page.locator("#complete").click()
    expect_pictures(page, drawer.complete(NOISE, keep, count=8, seed=0))
    assert "56 of 64 cells kept" in page.locator("#completions .caption").inner_text()
    assert '"00000000",' in page.locator("#completion-code code").inner_text()

    drag(page, (0.95, 0.19), (0.55, 0.19))  # from a hidden cell on it uncovers
    keep[1, 4:] = True
    page.locator("#complete").click()
    expect_pictures(page, drawer.complete(NOISE, keep, count=8, seed=0))

    rows.focus()
    page.keyboard.press("Home")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.locator("#complete").click()
    expect_pictures(page, drawer.complete(NOISE, rows=3, count=8, seed=0))


def test_only_the_pixels_leave_the_browser(open_page):
    page = open_tab(open_page)
    sent = []
    page.on("request", lambda request: sent.append(request))
    large = np.kron(NOISE[..., 0], np.ones((20, 20), np.uint8))  # 640 pixels wide
    choose_file(page, encoded(large))
    page.get_by_text("Your upload").wait_for()
    np.testing.assert_array_equal(on_the_pad(page)[:16], NOISE[:16, :, 0])
    page.locator("#complete").click()
    page.wait_for_function(
        "document.querySelector('#completion-code code').textContent.includes('picture.png')"
    )
    bodies = [request.post_data or "" for request in sent]
    assert any("pixels" in body for body in bodies)
    assert max(map(len, bodies)) < 3000
    assert not [request for request in sent if "upload" in request.url]


@pytest.mark.parametrize(
    ("content", "name", "kind", "sentence"),
    [
        (encoded(NOISE[..., 0], "gif"), "a.gif", "image/gif", "not a PNG, JPEG or WebP"),
        (b"<svg/>", "a.svg", "image/svg+xml", "not a PNG, JPEG or WebP"),
        (b"no picture at all", "a.png", "image/png", "not a PNG, JPEG or WebP"),
        (encoded(NOISE[..., 0])[:40], "a.png", "image/png", "cannot open this file"),
        (b"\0" * 20_000_001, "a.png", "image/png", "over 20 MB"),
    ],
)
def test_other_files_are_refused_with_one_sentence(open_page, content, name, kind, sentence):
    page = open_tab(open_page)
    before = on_the_pad(page)
    choose_file(page, content, name, kind)
    page.locator("#completion-pad [role=status]", has_text=sentence).wait_for()
    assert status(page).inner_text().count(".") == 1
    np.testing.assert_array_equal(on_the_pad(page), before)


def test_a_picture_that_is_not_square_is_cropped_or_padded(open_page):
    page = open_tab(open_page)
    press(page, "Clear")
    wide = np.full((32, 64), 200, np.uint8)
    wide[:, 16:48] = 90  # its middle
    choose_file(page, encoded(wide))
    page.get_by_text("Your upload").wait_for()
    assert (on_the_pad(page)[:16] == 90).all()
    page.get_by_label("Crop to a square").uncheck()
    shown = on_the_pad(page)[:16]
    assert (shown[:7] == 0).all()
    assert shown[12, 0] == 200
    assert shown[12, 16] == 90


def test_the_pad_is_drawn_on_with_pointer_and_keys(open_page):
    page = open_tab(open_page)
    press(page, "Clear")
    assert (on_the_pad(page)[:16] == 0).all()
    press(page, "Draw")
    drag(page, (0.2, 0.25), (0.8, 0.25))
    drawn = on_the_pad(page)[:16]
    assert drawn[8, 8:24].min() > 150
    assert drawn[:4].max() == 0
    assert 0 < drawn[6, 16] < 230  # a soft edge
    press(page, "Erase")
    drag(page, (0.2, 0.25), (0.8, 0.25))
    assert on_the_pad(page)[8, 8:24].max() < 60

    press(page, "Draw")
    canvas = page.locator("#completion-pad canvas")
    canvas.focus()
    for _ in range(12):
        page.keyboard.press("ArrowUp")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    assert on_the_pad(page)[4, 16] == 230

    press(page, "Invert")
    assert on_the_pad(page)[4, 16] == 25
    assert on_the_pad(page)[0, 0] == 255


def test_clear_leaves_nothing_that_the_visitor_made(open_page):
    page = open_tab(open_page)
    press(page, "Draw")
    drag(page, (0.2, 0.25), (0.8, 0.25))
    press(page, "Hide")
    drag(page, (0.1, 0.19), (0.9, 0.19))
    press(page, "Clear")
    assert (on_the_pad(page)[:16] == 0).all()  # hidden cells would be grey
    assert page.locator("#completion-pad .rows output").inner_text() == "4 of 8"
    drag(page, (0.2, 0.25), (0.8, 0.25))  # it is there to be drawn upon
    assert on_the_pad(page)[8, 8:24].min() > 150
    page.locator("#complete").click()  # and there is something to complete
    page.get_by_text("32 of 64 cells kept").wait_for()


def test_the_same_once_more_says_so(open_page):
    page = open_tab(open_page)
    caption = page.locator("#completions .caption")
    page.locator("#complete").click()
    caption.get_by_text("The same pictures as before").wait_for()
    page.locator("#completion-pad canvas").press("Space")
    caption.get_by_text("These were made of what was here before").wait_for()
    page.locator("#completion-pad canvas").press("Space")  # back as it was
    caption.get_by_text("cells kept").wait_for()
    page.locator("#completion-die").click()
    caption.get_by_text("These were").wait_for(state="detached")
    assert "The same" not in caption.inner_text()


def test_what_is_saved_is_what_is_sent(open_page):
    page = open_tab(open_page)
    choose_file(page, encoded(NOISE[..., 0]))
    page.get_by_text("Your upload").wait_for()
    with page.expect_download() as download:
        press(page, "Save")
    assert download.value.suggested_filename == "picture.png"
    saved = np.asarray(Image.open(download.value.path()).convert("L"))
    np.testing.assert_array_equal(saved, NOISE[..., 0])


def test_class_temperature_and_seed_reach_the_model(open_page, drawer):
    page = open_tab(open_page)
    page.locator("#completion-label select").select_option("Hat")
    for name, value in [("temperature", "0.5"), ("count", "3")]:
        page.locator(f"#completion-{name} input[type=number]").fill(value)
        page.keyboard.press("Tab")
    page.locator("#completion-seed input").fill("7")
    page.keyboard.press("Enter")
    expect_pictures(
        page, drawer.complete(disc(32, 1), rows=4, count=3, seed=7, label="Hat", temperature=0.5)
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_overflows_on_a_phone(open_page, theme):
    page = open_tab(open_page, query=f"?__theme={theme}", width=390, height=844)
    pad, results = (
        page.locator(name).bounding_box() for name in ("#completion-pad canvas", "#completions")
    )
    assert pad["y"] < results["y"]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_endpoint_answers_clients(server, paths, drawer):
    from gradio_client import Client

    pixels = base64.b64encode(NOISE.tobytes()).decode()
    client = Client(server, verbose=False)
    arguments = paths["drawer"], pixels, "0" * 24 + "1" * 40, "Hat", 1, 5, 1.0, 1.0
    uri = client.predict(*arguments, api_name="/complete")
    made = np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.split(",", 1)[1]))))
    expected = drawer.complete(picture_of(pixels, 32, 1), rows=3, count=1, seed=5, label="Hat")
    np.testing.assert_array_equal(made, expected[0, :, :, 0])
    with pytest.raises(Exception, match="the picture must be"):
        client.predict(arguments[0], pixels[:-4], *arguments[2:], api_name="/complete")


def test_what_was_done_to_a_picture_is_undone_with_the_button_and_with_the_key(open_page):
    page = open_tab(open_page)
    undo = page.locator("#completion-pad").get_by_role("button", name="Undo", exact=True)
    canvas = page.locator("#completion-pad canvas")
    assert undo.is_disabled()
    states = [canvas.evaluate("canvas => canvas.toDataURL()")]
    for name in ("Invert", "Clear"):
        press(page, name)
        states.append(canvas.evaluate("canvas => canvas.toDataURL()"))
    press(page, "Draw")
    drag(page, (0.2, 0.25), (0.8, 0.25))
    press(page, "Hide")
    drag(page, (0.1, 0.19), (0.9, 0.19))
    assert len({*states, canvas.evaluate("canvas => canvas.toDataURL()")}) == 4
    canvas.focus()
    page.keyboard.press("Control+z")  # the hidden row
    page.keyboard.press("Control+z")  # the line
    page.locator("#title").click()  # the canvas shows no cursor then
    assert canvas.evaluate("canvas => canvas.toDataURL()") == states.pop()
    while states:
        undo.click()
        assert canvas.evaluate("canvas => canvas.toDataURL()") == states.pop()
    assert undo.is_disabled()
