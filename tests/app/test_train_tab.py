"""A short real run, from the form to the GAN tab; all in one browser, as a student would."""

import io
import re
import zipfile

import numpy as np
import pytest
from PIL import Image

from genimg.render import encode

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TINY = {
    "generator_widths": "16",
    "discriminator_widths": "16",
    "threads": "1",
    "precision": "fp32",
    "sheets": "600",
}


@pytest.fixture(scope="module")
def shared():
    """What one test leaves for the next, which goes on with the same run."""
    return {}


def open_training(open_page, query="", **size):
    page = open_page(query, **size)
    if "run=" not in query:
        page.get_by_role("tab", name="Training").click()
    page.wait_for_selector("#train-start")
    return page


def fill_form(page, images, name="", model="MLP GAN", settings=TINY):
    page.locator("#who .nickname").fill("ada")
    page.locator("#train-preset input").click()
    page.get_by_role("option", name=model).click()
    page.locator("#train-length").get_by_text("pictures").click()
    page.locator("#train-amount input").fill(str(images))
    page.locator("#train-name").locator("input, textarea").fill(name)
    if not page.locator("#settings .sections").is_visible():
        page.locator("#settings summary").click()
    page.wait_for_selector(f"#settings [data-name={next(iter(settings))}]")
    for field, text in settings.items():
        control = page.locator(f"#settings [data-name={field}]")
        if control.evaluate("node => node.tagName") == "SELECT":
            control.select_option(text)
        else:
            control.fill(text)
            control.press("Tab")
    page.get_by_text(f"Advanced ({len(settings)} changed)").wait_for()


def expect_state(page, text):
    page.wait_for_function(
        "text => document.querySelector('#runs .head .chip').textContent === text", arg=text
    )


def press(page, action):
    page.locator(f"#runs .actions [data-action={action}]").click()


def images_seen(page):
    found = re.match(r"([\d,]+) of", page.locator("#runs .numbers").inner_text())
    return int(found[1].replace(",", "")) if found else 0


def test_a_run_from_the_form_to_pause(open_page, shared):
    page = open_training(open_page)
    assert page.get_by_text("Nothing has been trained here yet").is_visible()
    assert page.locator("#train-preset input").input_value().startswith("StyleGAN-mini")
    fill_form(page, 3_000_000, "a first one")
    page.wait_for_function(
        "document.querySelector('#estimate').textContent.includes('3,000,000 pictures')"
    )
    page.locator("#train-start").dblclick()
    expect_state(page, "running")
    assert page.locator("#runs .row").count() == 1  # a double click starts one run

    page.wait_for_function("/^[1-9]/.test(document.querySelector('#runs .numbers').textContent)")
    before = images_seen(page)
    page.wait_for_function(
        "before => Number(document.querySelector('#runs .numbers').textContent"
        ".split(' of')[0].replaceAll(',', '')) > before",
        arg=before,
    )
    page.wait_for_selector("#runs [data-chart=Losses] path.curve-0[d^=M]")
    page.wait_for_function("document.querySelector('#runs .sheets img').naturalWidth > 0")

    # A reload, in the middle, of the link: the same run, in the same tab.
    link = page.evaluate("location.search")
    assert "run=fashion-mlp-" in link
    again = open_training(open_page, link)
    again.wait_for_selector("#runs [data-chart=Losses] path.curve-0[d^=M]")
    assert again.locator("#runs h3.title").inner_text() == "a first one"
    assert images_seen(again) >= before
    again.close()

    # Another nickname may watch; here everybody is the teacher, so the buttons stay.
    press(page, "pause")
    expect_state(page, "paused")
    assert page.locator("#runs [data-action=resume]").is_visible()
    assert page.locator("#runs [data-action=save_now]").is_disabled()
    shared["link"] = link


def test_its_model_opens_in_the_gan_tab(open_page, shared):
    page = open_training(open_page, shared["link"])
    page.locator("#runs [data-open=gan]").click()
    page.wait_for_function("location.search.includes('model=runs')")
    assert page.locator("#checkpoint input").input_value() == "a first one (ada)"
    assert page.locator("#picture img").is_visible()
    code = page.locator("#picture-code code").text_content()
    assert 'genimg.load("runs/fashion-mlp-' in code
    # Nothing is asked for a tab that nobody sees.
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(4000)
    assert [url for url in asked if "component_server" in url] == []


def test_nothing_is_polled_while_the_page_is_hidden(open_page, shared):
    page = open_training(open_page, shared["link"])
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(4500)
    assert any("component_server" in url for url in asked)
    page.evaluate(
        "Object.defineProperty(document, 'visibilityState', {get: () => window.pretended})"
    )
    page.evaluate("window.pretended = 'hidden'")
    page.wait_for_timeout(1500)
    asked.clear()
    page.wait_for_timeout(4500)
    assert asked == []
    page.evaluate("window.pretended = 'visible'")
    page.wait_for_timeout(1500)
    assert asked


def test_resume_rename_compare_cancel_delete(open_page, shared):
    page = open_training(open_page, shared["link"])
    page.on("dialog", lambda dialog: pytest.fail("a page inside another one cannot ask so"))
    press(page, "resume")
    expect_state(page, "running")
    press(page, "rename")
    page.locator("#runs .ask input").fill("<b>one</b>")
    page.locator("#runs .ask .yes").click()
    page.wait_for_function("document.querySelector('#runs h3.title').textContent === '<b>one</b>'")

    press(page, "copy")
    page.wait_for_function(
        "document.querySelector('#settings summary').textContent.includes('changed')"
    )
    assert page.locator("#train-amount input").input_value() == "3000000"
    page.locator("#train-start").click()
    expect_state(page, "next")
    page.locator("#runs .compare select").select_option(index=1)
    page.wait_for_selector("#runs [data-chart=Losses] path.run-1[d^=M]")
    assert "compare=fashion-mlp-" in page.evaluate("location.search")

    press(page, "cancel")
    expect_state(page, "cancelled")
    press(page, "delete")
    page.locator("#runs .ask .no").click()
    assert page.locator("#runs .row").count() == 2
    press(page, "delete")
    page.locator("#runs .ask .yes").click()
    page.wait_for_function("document.querySelectorAll('#runs .row').length === 1")
    press(page, "cancel")
    expect_state(page, "cancelled")


def test_a_zoom_stays_while_the_curves_grow(open_page, shared):
    page = open_training(open_page, shared["link"])
    chart = page.locator("#runs [data-chart=Losses] svg")
    page.wait_for_selector("#runs [data-chart=Losses] path.curve-0[d^=M]")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.3, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, middle, steps=4)
    page.mouse.up()
    reset = page.get_by_text("Show everything")
    reset.wait_for()
    page.evaluate("document.querySelector('#runs [data-chart=Losses] svg').mark = 1")
    zoomed = page.locator("#runs [data-chart=Losses] .axes").text_content()
    page.wait_for_timeout(3500)
    assert page.locator("#runs [data-chart=Losses] .axes").text_content() == zoomed
    assert page.evaluate("document.querySelector('#runs [data-chart=Losses] svg').mark") == 1
    reset.click()
    assert page.locator("#runs [data-chart=Losses] .axes").text_content() != zoomed


def zip_of(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_an_upload_with_a_hostile_member(open_page):
    numbers = np.random.default_rng(0)
    picture = [encode(numbers.integers(0, 256, (20, 20, 1), np.uint8), "png") for _ in range(6)]
    hostile = "<img src=x onerror=alert(1)>.png"
    members = {f"cats/{i}.png": content for i, content in enumerate(picture[:3])}
    members |= {f"dogs/{i}.png": content for i, content in enumerate(picture[3:])}
    page = open_training(open_page)
    page.locator("#who .nickname").fill("ada")
    page.locator(".new-run input[type=file]").set_input_files(
        {
            "name": "pets.zip",
            "mimeType": "application/zip",
            "buffer": zip_of(members | {f"cats/{hostile}": b"no picture"}),
        }
    )
    page.get_by_text("6 pictures of 32 px are ready to train on.").wait_for()
    page.locator("#upload-report summary").click()
    assert hostile in page.locator("#upload-report li").inner_text()
    assert page.locator("#upload-report img").evaluate("node => node.naturalWidth") > 0
    chosen = page.locator("#train-dataset input")
    assert chosen.input_value() == "Sent by ada: cats, dogs (6 pictures, 32 px)"

    page.locator("#upload-report .delete").click()
    page.locator("#upload-report .no").click()
    assert chosen.input_value().startswith("Sent by ada")
    page.locator("#upload-report .delete").click()
    page.locator("#upload-report .yes").click()
    page.get_by_text("They are deleted.").wait_for()
    assert chosen.input_value().startswith("Fashion-MNIST")
    chosen.click()
    assert page.get_by_role("option", name="Sent by").count() == 0


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_screen(open_page, shared, width):
    page = open_training(open_page, shared["link"], width=width)
    page.wait_for_selector("#runs [data-chart=Losses] path.curve-0[d^=M]")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


FAST = {"threads": "1", "checkpoint_seconds": "1"}
TRANSFORMERS = {
    "Vision Transformer": (
        {"width": "16", "layers": "1", "heads": "2", "stem": "linear", "precision": "fp32"} | FAST,
        "vision",
        "#vision-checkpoint",
    ),
    "Image GPT": (
        {"width": "16", "layers": "1", "heads": "2", "validations": "0"} | FAST,
        "drawer",
        "#drawer",
    ),
}


@pytest.mark.parametrize("model", TRANSFORMERS)
def test_a_transformer_opens_in_its_tab(open_page, model):
    settings, use, choice = TRANSFORMERS[model]
    page = open_training(open_page)
    fill_form(page, 3_000_000, f"a {use}", model, settings)
    page.locator("#train-start").click()
    page.locator(f"#runs [data-open={use}]").wait_for()
    assert page.locator("#runs .actions [data-open]:visible").count() == 1
    page.locator(f"#runs [data-open={use}]").click()
    page.wait_for_function(
        "([choice, name]) => document.querySelector(`${choice} input`)?.value === name",
        arg=[choice, f"a {use} (ada)"],
    )
    assert page.locator(choice).is_visible()
    page.get_by_role("tab", name="Training").click()
    press(page, "cancel")
    expect_state(page, "cancelled")


def test_a_second_server_only_watches(browser, second_server, shared):
    page = browser.new_page()
    page.goto(second_server + shared["link"])
    page.locator("#runs .notice").get_by_text("here they can only be watched").wait_for()
    page.wait_for_selector("#runs [data-chart=Losses] path.curve-0[d^=M]")
    enabled = page.locator("#runs .actions [data-action]:enabled:visible")
    assert enabled.all_inner_texts() == ["Duplicate"]
    page.locator("#who .nickname").fill("ada")
    runs = page.locator("#runs .row").count()
    page.locator("#train-start").click()
    page.get_by_text("here they can only be watched").nth(1).wait_for()
    assert page.locator("#runs .row").count() == runs
    page.close()


def test_the_film_is_a_gif(open_page, shared):
    page = open_training(open_page, shared["link"])
    page.wait_for_function("document.querySelector('#runs .sheets img').naturalWidth > 0")
    with page.expect_download() as download:
        page.locator("#runs .save-gif").click()
    with Image.open(download.value.path()) as film:
        assert film.format == "GIF"
        assert film.n_frames > 1
