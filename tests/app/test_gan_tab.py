import base64
import io
import itertools
import json
import urllib.error
import urllib.request
from urllib.parse import urlencode

import numpy as np
import pytest
from PIL import Image, ImageSequence
from playwright.sync_api import expect

from genimg.render import animate, data_uri

pytestmark = pytest.mark.browser

FIRST = {"seed": 5, "label": "Coat", "truncation": 0.7}


def expect_picture(page, pixels):
    """Wait until the big picture is exactly `pixels`, and stays so."""
    expected = data_uri(pixels, "png")
    page.wait_for_function(
        "expected => document.querySelector('#picture img').src === expected", arg=expected
    )
    page.wait_for_timeout(300)
    assert page.locator("#picture img").get_attribute("src") == expected


def slider(page, name):
    return page.locator(f"#{name} input[type=range]")


def amounts(page):
    """Return the amount of each direction; those that hardly act have no slider."""
    sliders = [slider(page, f"direction-{i}") for i in range(10)]
    return [float(one.input_value()) if one.count() else 0.0 for one in sliders]


def choose(page, name, option):
    page.locator(f"#{name} select").select_option(option)


def read(uri):
    return Image.open(io.BytesIO(base64.b64decode(uri.split(",", 1)[1])))


def test_first_paint_is_a_picture(open_page, models):
    page = open_page()
    expected = models.style.picture(**FIRST)
    assert page.locator("#picture img").get_attribute("src") == data_uri(expected, "png")
    assert expected.std() > 1  # not blank
    assert page.locator("#picture img").bounding_box()["width"] > 400  # and not a stamp
    sheet = np.asarray(read(page.locator("#sheet img").get_attribute("src")))
    assert sheet.shape == (4 * 32, 4 * 32)
    assert canvas(page).std() > 1
    assert "Coat · seed 5" in page.locator("#picture figcaption").inner_text()


def test_the_last_value_of_a_drag_is_the_picture_shown(open_page, models):
    page = open_page()
    slider(page, "direction-0").hover()  # waits, as the raw mouse does not, until it is reached
    box = slider(page, "direction-0").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    for i in range(40):
        page.mouse.move(box["x"] + box["width"] * (0.5 + 0.4 * np.sin(i / 6)), middle)
    page.mouse.move(box["x"] + box["width"] * 0.8, middle, steps=5)
    page.mouse.up()
    moved = amounts(page)
    assert moved[0] > 1
    expect_picture(page, models.style.picture(**FIRST, directions=moved))

    # What follows when the drag is over: neighbours, link and code.
    page.wait_for_function("location.search.includes('directions=')")
    page.wait_for_function(
        "document.querySelector('#picture-code code').textContent.includes('directions=')"
    )
    first = np.asarray(read(page.locator("#sheet img").get_attribute("src")))[:32, :32]
    shown = np.asarray(read(page.locator("#picture img").get_attribute("src")))
    assert abs(first.astype(int) - shown).max() <= 1
    again = open_page(page.evaluate("location.search"))
    expect_picture(again, models.style.picture(**FIRST, directions=moved))
    assert amounts(again) == moved


def test_arrow_keys_move_the_picture(open_page, models):
    page = open_page()
    slider(page, "direction-1").focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    assert amounts(page)[1] == 0.25
    expect_picture(page, models.style.picture(**FIRST, directions=[0, 0.25]))
    page.keyboard.press("Home")
    expect_picture(page, models.style.picture(**FIRST, directions=[0, -3]))


def test_class_seed_nudge_and_reset(open_page, models, wait_until):
    page = open_page()
    choose(page, "label", "Hat")
    settings = FIRST | {"label": "Hat"}
    expect_picture(page, models.style.picture(**settings))

    page.locator("#seed input").fill("77")
    settings["seed"] = 77
    expect_picture(page, models.style.picture(**settings))

    folded = page.locator("#more button").first
    if folded.count():  # there are that many, and they move, too
        folded.click()
    page.locator("#nudge").click()
    page.wait_for_function("location.search.includes('directions=')")

    def is_of_the_sliders():  # which do not all move in the same moment
        expected = data_uri(models.style.picture(**settings, directions=amounts(page)), "png")
        return page.locator("#picture img").get_attribute("src") == expected

    wait_until(page, is_of_the_sliders, lambda: (amounts(page), page.url))
    assert any(amounts(page))

    page.locator("#reset").click()
    expect_picture(page, models.style.picture(**settings))

    page.locator("#die").click()
    page.wait_for_function("document.querySelector('#seed input').value !== '77'")
    settings["seed"] = int(page.locator("#seed input").input_value())
    expect_picture(page, models.style.picture(**settings))


def test_raw_latents_are_in_the_closed_accordion(open_page, models):
    page = open_page()
    assert not slider(page, "z-0").is_visible()
    page.get_by_role("button", name="Raw latent dimensions").click()
    slider(page, "z-3").focus()
    page.keyboard.press("End")
    expect_picture(page, models.style.picture(**FIRST, latents={3: 3.0}))
    assert not slider(page, "z-12").is_visible()  # this model has 12


def test_another_model_brings_its_own_controls(open_page, models):
    page = open_page()
    slider(page, "direction-0").focus()
    page.keyboard.press("End")
    choose(page, "checkpoint", "plain")
    expect_picture(page, models.plain.picture(seed=5))
    for name in ("label", "truncation", "space"):
        assert not page.locator(f"#{name}").is_visible()
    assert amounts(page) == [0] * 10
    slider(page, "direction-2").focus()
    page.keyboard.press("End")
    expect_picture(page, models.plain.picture(seed=5, directions=[0, 0, 3]))
    choose(page, "checkpoint", "style")
    page.wait_for_selector("#label", state="visible")
    expect_picture(page, models.style.picture(**FIRST))  # its class and truncation are back
    assert float(page.locator("#truncation input[type=number]").input_value()) == 0.7


def test_a_bad_seed_is_one_sentence(open_page, models, server, server_folder):
    page = open_page()
    page.locator("#seed input").fill("99999999999")
    page.keyboard.press("Tab")
    page.get_by_text("“Seed” must be a whole number from 0 to 4294967295").wait_for()
    expect_picture(page, models.style.picture(**FIRST))
    assert page.locator("#seed input").input_value() == "5"  # the one that the picture shows
    assert page.get_by_text("Traceback").count() == 0
    # The log says where the page is, and nothing that Gradio would like to add.
    log = "".join(file.read_text() for file in server_folder.glob("log-*.txt"))
    assert server in log
    assert "share=True" not in log
    assert "too many output values" not in log


def test_a_bad_link_is_one_sentence(open_page, models):
    page = open_page("?" + urlencode({"model": "<img src=x onerror=alert(1)>"}))
    page.get_by_text("there is no checkpoint").wait_for()
    expect_picture(page, models.style.picture(**FIRST))


def canvas(page):
    """Return what the player shows, uint8 (H, W)."""
    uri = page.locator("#player canvas[role=img]").evaluate("c => c.toDataURL('image/png')")
    return np.asarray(read(uri).convert("L"))


def test_a_walk_is_made_scrubbed_and_saved(open_page, models):
    page = open_page()
    page.locator("#seeds textarea, #seeds input").first.fill("1, 7, 42, 3")
    page.locator("#between input[type=number]").fill("6")
    page.locator("#make").click()
    page.wait_for_function("document.querySelector('#player output').textContent.endsWith('/ 24')")
    frames = models.style.interpolate(
        [1, 7, 42, 3], steps=24, mode="slerp", label="Coat", truncation=0.7, loop=True
    )
    page.get_by_role("button", name="Pause").click()

    sent = []
    page.on("request", lambda request: sent.append(request.url))
    scrubber = page.get_by_label("Moment of the walk")
    scrubber.focus()
    page.keyboard.press("Home")
    for i in range(24):
        np.testing.assert_array_equal(canvas(page), frames[i, :, :, 0])
        page.keyboard.press("ArrowRight")
    page.get_by_role("button", name="Go to seed 42").click()
    np.testing.assert_array_equal(canvas(page), frames[12, :, :, 0])
    asked = [url for url in sent if not url.endswith("/app_id")]  # whether the server is there
    assert asked == []  # the browser had everything already

    saved = {}
    formats = [("GIF", "gif"), ("WebP", "webp"), ("MP4", "mp4"), ("PNG strip", "png")]
    for name, format in formats:
        with page.expect_download() as download:
            page.get_by_role("button", name=name, exact=True).click()
        assert download.value.suggested_filename == f"walk.{format}"
        saved[format] = download.value.path().read_bytes()
    for format in ("gif", "webp", "mp4"):
        assert saved[format] == animate(frames, format, frames_per_second=30)
    film = Image.open(io.BytesIO(saved["gif"]))
    distinct = 1 + sum(not np.array_equal(a, b) for a, b in itertools.pairwise(frames))
    assert sum(1 for _ in ImageSequence.Iterator(film)) == distinct
    strip = np.asarray(Image.open(io.BytesIO(saved["png"])))
    np.testing.assert_array_equal(strip, np.concatenate(list(frames[..., 0]), axis=1))


def test_a_walk_of_other_settings_says_so_until_it_is_made_again(open_page):
    page = open_page()
    note, caption = page.locator("#walk-note"), page.locator("#player .caption")
    assert note.inner_text() == ""
    choose(page, "label", "Hat")
    note.get_by_text("was made with other settings").wait_for()
    assert caption.inner_text().startswith("Coat")
    page.locator("#make").click()
    note.get_by_text("was made with other settings").wait_for(state="detached")
    assert caption.inner_text().startswith("Hat")


def test_a_walk_plays(open_page):
    page = open_page()
    page.emulate_media(reduced_motion="reduce")  # or the first one plays by itself
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function("!document.querySelector('#player output').textContent.startsWith('1 ')")
    page.get_by_role("button", name="Pause").click()
    stopped = page.locator("#player output").inner_text()
    page.wait_for_timeout(300)
    assert page.locator("#player output").inner_text() == stopped


def test_bad_seeds_of_a_walk_are_one_sentence(open_page):
    page = open_page()
    page.emulate_media(reduced_motion="reduce")  # or the walk plays by itself
    before = canvas(page)
    for text, sentence in [("1, x", "write the seeds"), ("1", "2 to 6 seeds")]:
        page.locator("#seeds textarea, #seeds input").first.fill(text)
        page.locator("#make").click()
        page.get_by_text(sentence).first.wait_for()
    np.testing.assert_array_equal(canvas(page), before)


def test_the_code_can_be_copied(open_page, server):
    page = open_page()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server)
    page.locator("#picture-code button").click()
    page.get_by_role("button", name="Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("import genimg\n")
    assert "seed=5" in copied


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_overflows(open_page, width, theme):
    page = open_page(f"?__theme={theme}", width=width, height=844)
    picture, first = (page.locator(name).bounding_box() for name in ("#picture", "#checkpoint"))
    if width == 390:
        assert picture["y"] < first["y"]
    else:
        assert picture["x"] < first["x"]
    page.get_by_role("button", name="Raw latent dimensions").click()
    slider(page, "z-0").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    tabs = page.get_by_role("tablist").first.bounding_box()
    assert tabs["x"] == pytest.approx(width - tabs["x"] - tabs["width"], abs=1)  # both margins
    code = page.locator("#walk-code pre")
    if width == 390:  # a long line is reached within its box
        assert code.evaluate("pre => (pre.scrollLeft = 1000, pre.scrollLeft)") > 0
    box = code.bounding_box()
    assert box["x"] + box["width"] <= width


def test_on_a_phone_the_picture_stays_in_sight_above_the_sliders(open_page):
    page = open_page(width=390, height=844)
    last = page.locator("[id^=direction-] input[type=range]").last
    last.evaluate("range => range.scrollIntoView({ block: 'end' })")
    expect(last).to_be_in_viewport()
    box = page.locator("#picture img").bounding_box()
    assert box["y"] >= 0
    assert box["y"] + box["height"] < 844 / 2


def post(server, path, payload):
    request = urllib.request.Request(
        server + path, json.dumps(payload).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_private_events_refuse_what_no_page_sends(server, paths, models):
    config = json.load(urllib.request.urlopen(server + "config", timeout=60))
    names = {d["api_name"]: d for d in config["dependencies"] if d["api_name"]}
    assert {n for n, d in names.items() if d["api_visibility"] == "public"} == {
        "sample",
        "interpolate",
        "draw",
        "complete",
        "draw_in_parallel",
        "look",
    }
    # The age of the model, the sliders, the noise, no code that was found.
    still = [0, *[0.0] * 26, "own", ""]
    for data in (
        ["/etc/passwd", "Coat", 5, 0.7, *still],
        [paths["style"], "Coat", -5, 0.7, *still],
        [paths["style"], "Coat", 5, 0.7, 0, *[99.0] * 26, "own", ""],
        [paths["style"], "Coat", 5, 0.7, *still[:-2], "<b>", ""],
        [paths["style"], "Coat", 5, 0.7],
    ):
        _, text = post(server, "gradio_api/run/show", {"data": data})
        assert "data:image" not in text
        assert "Traceback" not in text
    status, text = post(
        server, "gradio_api/run/show", {"data": [paths["style"], "Coat", 5, 0.7, *still]}
    )
    assert status == 200  # so the refusals above were not about the address
    assert data_uri(models.style.picture(**FIRST), "png") in text


def test_endpoints_answer_clients(server, paths, models):
    from gradio_client import Client

    client = Client(server, verbose=False)
    uri = client.predict(paths["style"], 4, 1, "Hat", 0.7, api_name="/sample")
    expected = models.style.sample(4, seed=1, label="Hat", truncation=0.7)
    np.testing.assert_array_equal(np.asarray(read(uri))[:32, :32], expected[0, :, :, 0])
    with pytest.raises(Exception, match="choose one of"):
        client.predict("/etc/passwd", 4, 1, "", 1.0, api_name="/sample")


def test_no_file_of_the_server_is_served(server):
    for name in ("app.py", "/etc/passwd", "../app.py"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{server}gradio_api/file={name}", timeout=60)
        assert refused.value.code in (403, 404)


def test_the_gauge_says_what_the_discriminator_gives_the_picture(open_page, models):
    page = open_page()

    def expect_score(**moves):
        picture = models.style.picture(**FIRST, **moves)
        score = models.style.judge(picture[None], FIRST["label"])[0]
        page.locator("#gauge p").get_by_text(f"gets {score:+.1f}:").wait_for()

    expect_score()
    slider(page, "direction-1").focus()
    page.keyboard.press("End")
    expect_score(directions=[0, 3])
    assert page.locator("#gauge svg .here").count() == 1
