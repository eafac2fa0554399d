"""Short real runs, from the form to the tab of their model, as a student in a browser sees them.

No test needs another one: each makes the run that it changes, and those that only look share one
that waits, paused.
"""

import contextlib
import io
import re
import time
import zipfile

import numpy as np
import pytest
from PIL import Image

from genimg.jobs.commands import Cancel, Pause
from genimg.jobs.limits import Visitor
from genimg.jobs.manager import JobManager
from genimg.jobs.states import State
from genimg.render import encode

ADA = Visitor("ada")
TEACHER = Visitor("ada", is_teacher=True)  # whom a slow machine cannot ask too much of

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# Without an end that a test could see: each is paused or cancelled.
ENDLESS = 1_500_000
TINY = {
    "generator_widths": "16",
    "discriminator_widths": "16",
    "threads": "1",
    "precision": "fp32",
    "sheets": "600",
}
SAME_TINY = {
    "images": ENDLESS,
    "generator_widths": (16,),
    "discriminator_widths": (16,),
    "threads": 1,
    "precision": "fp32",
    "sheets": 600,
}
PATIENCE_SECONDS = 240  # a busy machine is not a failure


@pytest.fixture(scope="session")
def manager(server, server_folder):
    """What sends commands to the server, as a terminal does."""
    with contextlib.closing(JobManager(server_folder / "runs", by_request=True)) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _nothing_goes_on(manager):
    """Cancel what a test leaves, failed or not: there is one CPU, and the next test needs it."""
    yield
    for seen in manager.snapshot():
        if seen.job.active or seen.job.state is State.QUEUED:
            manager.do(Cancel(seen.job.id), TEACHER)


def wait_until(condition):
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.2)


@pytest.fixture
def running(manager):
    """A run that has drawn a sample sheet and goes on."""
    job = manager.start("fashion-mlp", name="a running one", visitor=TEACHER, **SAME_TINY)
    wait_until(lambda: manager.view(job.id).images_per_second)
    return job


@pytest.fixture(scope="session")
def paused(manager):
    """A run with curves and sample sheets that waits; tests only look at it."""
    job = manager.start("fashion-mlp", name="a paused one", visitor=TEACHER, **SAME_TINY)
    samples = manager.directory(job.id).samples
    wait_until(lambda: len(list(samples.glob("*.png"))) > 2)
    manager.do(Pause(job.id), ADA)
    wait_until(lambda: manager.job(job.id).state is State.PAUSED)
    return job


def link_of(job):
    return f"?run={job.id}"


def open_training(open_page, query="", **size):
    page = open_page(query, **size)
    if "run=" not in query:
        page.get_by_role("tab", name="Training").click()
    page.wait_for_selector("#train-start")
    return page


def fill_form(page, amount, length="pictures", name="", model="MLP GAN", settings=TINY):
    page.locator("#who .nickname").fill("ada")
    titles = page.locator("#train-preset option").all_inner_texts()
    page.locator("#train-preset select").select_option(
        next(title for title in titles if model in title)
    )
    page.locator("#train-length").get_by_text(length).click()
    page.locator("#train-amount input").fill(str(amount))
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


def chosen_in(page, name):
    """Return what a list shows."""
    return page.locator(f"#{name} select").evaluate("list => list.selectedOptions[0]?.text")


def expect_state(page, text):
    page.wait_for_function(
        "text => document.querySelector('#runs .head .chip').textContent === text", arg=text
    )


def press(page, action):
    page.locator(f"#runs .actions [data-action={action}]").click()


def images_seen(page):
    found = re.match(r"([\d,]+) of", page.locator("#runs .numbers").inner_text())
    return int(found[1].replace(",", "")) if found else 0


def expect_more_images(page, before):
    page.wait_for_function(
        "before => Number(document.querySelector('#runs .numbers').textContent"
        ".split(' of')[0].replaceAll(',', '')) > before",
        arg=before,
    )


def expect_curves(page):
    page.wait_for_selector("#runs [data-chart=Losses] path.curve-0[d^=M]")


def rows_named(page, name):
    return page.locator("#runs .row").filter(has=page.get_by_text(name, exact=True))


def test_a_page_where_nothing_was_trained_says_what_to_do(browser, empty_server):
    page = browser.new_page()
    page.goto(empty_server)
    page.get_by_role("tab", name="Training").click()
    page.get_by_text("Nothing has been trained here yet").wait_for()
    assert chosen_in(page, "train-preset").startswith("StyleDCGAN")
    assert page.locator("#who .nickname").input_value() == "me"
    said = page.locator("#estimate").inner_text()
    assert re.match(r"About 10 min on the .+, after about 15 s to start", said)
    page.close()


def test_a_run_of_20_seconds(open_page):
    page = open_training(open_page)
    fill_form(page, 0.33, "minutes", "a short one")
    page.wait_for_function(
        "document.querySelector('#estimate p').textContent.startsWith('About 20 s on the')"
    )
    page.evaluate(
        "() => { window.shown = new Set(); new MutationObserver(() => shown.add("
        "document.querySelector('#runs .progress').getAttribute('aria-valuenow'))"
        ").observe(document.querySelector('#runs'), {subtree: true, childList: true}); }"
    )
    page.locator("#train-start").click()
    expect_state(page, "running")
    expect_state(page, "done")
    assert page.evaluate("shown.size") > 2  # it moved while one looked
    assert page.locator("#runs .progress").get_attribute("aria-valuenow") == "100"
    seen, total = re.findall(r"[\d,]+", page.locator("#runs .numbers").inner_text())[:2]
    assert seen == total


def test_pause_and_resume_in_two_browsers(open_page):
    page = open_training(open_page)
    fill_form(page, ENDLESS, name="a first one")
    page.wait_for_function(
        "words => document.querySelector('#estimate').textContent.includes(words)",
        arg=f"{ENDLESS:,} pictures",
    )
    page.locator("#train-start").dblclick()
    expect_state(page, "running")
    assert rows_named(page, "a first one").count() == 1  # a double click starts one run
    expect_more_images(page, 0)
    expect_curves(page)
    page.wait_for_function("document.querySelector('#runs .sheets img').naturalWidth > 0")
    before = images_seen(page)

    # A reload in the middle: the same run, in the same tab. Another browser: the same.
    page.reload()
    query = page.evaluate("location.search")
    assert "run=fashion-mlp-" in query
    other = open_training(open_page, query)
    for browser in (page, other):
        expect_curves(browser)
        assert browser.locator("#runs h2.title").inner_text() == "a first one"
        assert images_seen(browser) >= before

    press(page, "pause")
    for browser in (page, other):
        expect_state(browser, "paused")
        assert browser.locator("#runs [data-action=resume]").is_visible()
        assert browser.locator("#runs [data-action=save_now]").is_disabled()
    stopped = images_seen(page)
    assert images_seen(other) == stopped > before

    # Alone with the machine everybody is the teacher, so the other one may resume it.
    press(other, "resume")
    for browser in (page, other):
        expect_state(browser, "running")
        expect_more_images(browser, stopped)


def test_a_link_opens_its_run_and_not_the_newest(open_page, manager, paused):
    newer = manager.start("fashion-mlp", name="a newer one", visitor=TEACHER, **SAME_TINY)
    manager.do(Cancel(newer.id), ADA)
    page = open_training(open_page, link_of(paused))
    rows_named(page, "a newer one").wait_for()
    expect_curves(page)
    assert page.locator("#runs h2.title").inner_text() == "a paused one"
    assert link_of(paused).removeprefix("?") in page.evaluate("location.search")
    open_training(open_page, "?run=nobodys").get_by_text("not here any more").wait_for()


def test_its_model_opens_in_the_gan_tab(open_page, paused):
    page = open_training(open_page, link_of(paused))
    page.locator("#runs [data-open=gan]").click()
    page.wait_for_function("location.search.includes('model=fashion-mlp-')")
    assert "runs" not in page.evaluate("location.search")  # nothing of where the server keeps it
    assert chosen_in(page, "checkpoint") == "a paused one (ada)"
    assert page.locator("#picture img").is_visible()
    code = page.locator("#picture-code code", has_text='genimg.load("runs/fashion-mlp-')
    code.wait_for()  # it follows the picture
    # Nothing is asked for a tab that nobody sees.
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(4000)
    assert [url for url in asked if "component_server" in url] == []


def test_who_goes_elsewhere_while_a_model_opens_stays_there(open_page, paused):
    page = open_training(open_page, link_of(paused))
    page.locator("#runs [data-open=gan]").click()
    page.locator("#picture").wait_for()  # at once, before the model
    page.get_by_role("tab", name="Training").click()
    page.wait_for_function(
        "document.querySelector('#checkpoint select').selectedOptions[0]?.text"
        " === 'a paused one (ada)'"
    )
    page.wait_for_timeout(1000)
    assert page.locator("#train-start").is_visible()
    assert not page.locator("#picture").is_visible()


def test_nothing_is_polled_while_the_page_is_hidden(open_page, paused):
    page = open_training(open_page, link_of(paused))
    with page.expect_request("**/component_server**"):
        pass
    page.evaluate(
        "Object.defineProperty(document, 'visibilityState', {get: () => window.pretended})"
    )
    page.evaluate("window.pretended = 'hidden'")
    page.wait_for_timeout(1500)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(4500)
    assert [url for url in asked if "component_server" in url] == []
    with page.expect_request("**/component_server**"):
        page.evaluate("window.pretended = 'visible'")


def test_rename_duplicate_compare_cancel_delete(open_page, running, paused):
    page = open_training(open_page, link_of(running))
    page.on("dialog", lambda dialog: pytest.fail("a page inside another one cannot ask so"))
    expect_state(page, "running")
    press(page, "cancel")
    page.keyboard.press("Escape")
    page.wait_for_selector("#runs .ask", state="hidden")
    assert page.evaluate("document.activeElement.dataset.action") == "cancel"
    press(page, "rename")
    page.locator("#runs .ask input").fill("<b>one</b>")
    page.locator("#runs .ask .yes").click()
    page.wait_for_function("document.querySelector('#runs h2.title').textContent === '<b>one</b>'")

    press(page, "copy")
    page.wait_for_function(
        "document.querySelector('#settings summary').textContent.includes('changed')"
    )
    assert page.locator("#train-amount input").input_value() == str(ENDLESS)
    page.locator("#train-start").click()
    expect_state(page, "next")
    page.locator("#runs .compare select").select_option(value=paused.id)
    page.wait_for_selector("#runs [data-chart=Losses] path.run-1[d^=M]")
    assert f"compare={paused.id}" in page.evaluate("location.search")

    press(page, "cancel")
    page.locator("#runs .ask .no").click()
    assert page.locator("#runs .head .chip").inner_text() == "next"  # one click ends nothing
    press(page, "cancel")
    page.locator("#runs .ask .yes").click()
    expect_state(page, "cancelled")
    again = rows_named(page, "<b>one</b> again")
    press(page, "delete")
    page.locator("#runs .ask .no").click()
    assert again.count() == 1
    press(page, "delete")
    page.locator("#runs .ask .yes").click()
    again.wait_for(state="detached")
    rows_named(page, "<b>one</b>").click()
    expect_state(page, "running")
    press(page, "cancel")
    page.locator("#runs .ask .yes").click()
    expect_state(page, "cancelled")


def test_a_zoom_stays_while_the_curves_grow(open_page, running):
    page = open_training(open_page, link_of(running))
    chart = page.locator("#runs [data-chart=Losses] svg")
    line = page.locator("#runs [data-chart=Losses] path.curve-0").first
    expect_curves(page)
    expect_more_images(page, 20_000)
    chart.hover()
    box = chart.bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.3, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, middle, steps=4)
    page.mouse.up()
    reset = page.get_by_text("Show everything")
    reset.wait_for()
    page.evaluate("document.querySelector('#runs [data-chart=Losses] svg').mark = 1")
    axes = page.locator("#runs [data-chart=Losses] .axes")
    zoomed, before = axes.text_content(), images_seen(page)
    expect_more_images(page, before + 20_000)
    assert axes.text_content() == zoomed
    assert page.evaluate("document.querySelector('#runs [data-chart=Losses] svg').mark") == 1
    drawn = line.get_attribute("d")
    reset.click()
    assert axes.text_content() != zoomed
    assert line.get_attribute("d") != drawn


def test_memory_is_read_with_a_unit(open_page, paused):
    page = open_training(open_page, link_of(paused))
    expect_curves(page)
    [reading] = page.locator("#runs [data-chart=Memory] .entry:visible").all_inner_texts()
    assert re.fullmatch(r"Memory\s+(\d+ MB|[\d.]+ GB)", reading)


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
    page.get_by_text("6 pictures of 32 px are ready: about nine in ten to learn from").wait_for()
    page.get_by_text("Found 2 classes: cats, dogs.").wait_for()
    page.locator("#upload-report summary").click()
    assert hostile in page.locator("#upload-report li").inner_text()
    assert page.locator("#upload-report img").evaluate("node => node.naturalWidth") > 0
    own = "Sent by ada: cats, dogs (6 pictures, 32 px)"  # other tests send pictures, too
    assert chosen_in(page, "train-dataset") == own

    page.locator("#upload-report .delete").click()
    page.locator("#upload-report .no").click()
    assert chosen_in(page, "train-dataset").startswith("Sent by ada")
    page.locator("#upload-report .delete").click()
    page.locator("#upload-report .yes").click()
    page.get_by_text("These pictures are deleted.").wait_for()
    assert chosen_in(page, "train-dataset").startswith("Fashion-MNIST")
    page.locator("#title").hover()  # or the list may not be entered anew
    page.locator("#train-dataset select").hover()
    page.wait_for_function(
        "own => !Array.from(document.querySelectorAll('#train-dataset option'),"
        " (option) => option.textContent.trim()).includes(own)",
        arg=own,
    )


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_screen(open_page, paused, width):
    page = open_training(open_page, link_of(paused), width=width)
    expect_curves(page)
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
    fill_form(page, ENDLESS, name=f"a {use}", model=model, settings=settings)
    page.locator("#train-start").click()
    page.locator(f"#runs [data-open={use}]").wait_for()
    assert page.locator("#runs .actions [data-open]:visible").count() == 1
    page.locator(f"#runs [data-open={use}]").click()
    page.wait_for_function(
        "([choice, name]) => document.querySelector(`${choice} select`)?.selectedOptions[0]?.text"
        " === name",
        arg=[choice, f"a {use} (ada)"],
    )
    assert page.locator(choice).is_visible()
    page.get_by_role("tab", name="Training").click()
    press(page, "cancel")
    page.locator("#runs .ask .yes").click()
    expect_state(page, "cancelled")


def test_a_second_server_only_watches(browser, second_server, paused):
    page = browser.new_page()
    page.goto(second_server + link_of(paused))
    page.locator("#runs .notice").get_by_text("here they can only be watched").wait_for()
    expect_curves(page)
    enabled = page.locator("#runs .actions [data-action]:enabled:visible")
    assert enabled.all_inner_texts() == ["Duplicate"]
    page.locator("#who .nickname").fill("ada")
    runs = page.locator("#runs .row").count()
    page.locator("#train-start").click()
    page.get_by_text("here they can only be watched").nth(1).wait_for()
    assert page.locator("#runs .row").count() == runs
    page.close()


def test_the_film_is_a_gif(open_page, paused):
    page = open_training(open_page, link_of(paused))
    page.wait_for_function("document.querySelector('#runs .sheets img').naturalWidth > 0")
    with page.expect_download() as download:
        page.locator("#runs .save-gif").click()
    with Image.open(download.value.path()) as film:
        assert film.format == "GIF"
        assert film.n_frames > 1
