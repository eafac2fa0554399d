"""A reload shows what was there: the tab, the tab in it, and what one looked at."""

import re

import pytest

pytestmark = pytest.mark.browser


def open_tab(open_page, *names, query=""):
    page = open_page(query, reduced_motion="reduce")
    for name in names:
        page.get_by_role("tab", name=name, exact=True).click()
    return page


def expect_tabs(page, *tabs):
    """Wait until these tabs are open, the outer one first; they are named by their ids."""
    page.wait_for_function(
        "tabs => Array.from(document.querySelectorAll('[role=tab][aria-selected=true]'))"
        ".filter((tab) => tab.checkVisibility()).map((tab) => tab.dataset.tabId).join() === tabs",
        arg=",".join(tabs),
    )


@pytest.fixture
def reload(rest):
    def reload(page, *tabs):
        rest(page)
        page.reload()
        expect_tabs(page, *tabs)

    return reload


def test_the_gan_tab_with_its_walk(open_page, reload):
    page = open_tab(open_page)
    page.locator("#direction-0 input[type=range]").press("End")
    page.locator("#seeds textarea, #seeds input").first.fill("1, 7")
    page.locator("#between input[type=number]").fill("6")
    page.locator("#make").click()
    page.wait_for_function("document.querySelector('#player output').textContent.endsWith('/ 12')")
    page.wait_for_function("location.search.includes('directions=3')")
    picture = page.locator("#picture img").get_attribute("src")
    code = page.locator("#walk-code code").inner_text()
    reload(page, "gan")
    page.wait_for_function("src => document.querySelector('#picture img').src === src", arg=picture)
    page.wait_for_function("document.querySelector('#player output').textContent.endsWith('/ 12')")
    assert page.locator("#walk-code code").inner_text() == code
    assert "directions=[3.0]" in code  # the walk moves as the picture does
    assert page.locator("#seeds textarea, #seeds input").first.input_value() == "1, 7"
    # Nobody asked for another walk: there is nothing that it was before.
    assert page.locator("#player [role=status]").inner_text() == ""


def test_a_drawing_and_what_was_looked_at(open_page, reload):
    page = open_tab(open_page, "Transformer", "Draw")
    page.wait_for_selector("#drawing .head-grid button")
    settings = {"seed": "7", "temperature": "1.25", "top-k": "5", "top-p": "0.9"}
    for name, value in settings.items():
        page.locator(f"#draw-{name} input[type=number]").fill(value)
    page.locator("#draw-make").click()
    page.wait_for_function(
        "document.querySelector('#drawing .caption').textContent.includes('seed 7')"
    )
    page.locator("#drawing .head-grid button").nth(2).click()
    page.locator("#drawing .query").press("End")
    page.wait_for_function("location.search.includes('token=63')")
    reload(page, "transformer", "draw")
    page.wait_for_selector("#drawing .head-grid button")
    assert "seed 7" in page.locator("#drawing .caption").inner_text()
    for name, value in settings.items():
        assert page.locator(f"#draw-{name} input[type=number]").input_value() == value
    assert page.locator("#drawing .query + output").inner_text() == "63"
    assert page.locator("#drawing .attention .place").inner_text() == "Layer 1, head 0"


def test_sliders_that_moved_after_the_drawing(open_page, reload):
    page = open_tab(open_page, "Transformer", "Draw")
    page.wait_for_selector("#drawing .head-grid button")
    moved = {"temperature": "0.5", "top-k": "4", "top-p": "0.8", "guidance": "2.5"}
    for name, number in moved.items():
        page.locator(f"#draw-{name} input[type=number]").fill(number)
        page.wait_for_function(f"location.search.includes('next_{name.replace('-', '_')}')")
    reshaped = page.locator("#drawing .reshaped").inner_text()
    assert "With temperature 0.5, top-k 4, top-p 0.8" in reshaped
    page.locator("#draw-guidance input[type=number]").press("Tab")
    reload(page, "transformer", "draw")
    page.wait_for_selector("#drawing .head-grid button")
    page.wait_for_function(
        "said => document.querySelector('#drawing .reshaped').innerText === said", arg=reshaped
    )
    for name, number in moved.items():
        assert page.locator(f"#draw-{name} input[type=number]").input_value() == number
    page.locator("#draw-make").click()  # what they say is now drawn, and need not be said twice
    page.wait_for_function("!location.search.includes('next_')")
    reload(page, "transformer", "draw")
    page.wait_for_selector("#drawing .head-grid button")
    page.wait_for_function(
        "document.querySelector('#drawing .reshaped').innerText.startsWith('As it was drawn')"
    )
    for name, number in moved.items():
        assert page.locator(f"#draw-{name} input[type=number]").input_value() == number


def test_a_completion_with_what_was_drawn(open_page, reload):
    page = open_tab(open_page, "Transformer", "Complete a picture")
    page.wait_for_selector("#completions .made img")
    page.locator("#completion-pad").get_by_role("button", name="Clear").click()
    page.locator("#completion-pad canvas").press("Space")
    page.locator("#completion-label select").select_option("Hat")
    page.locator("#completion-count input[type=number]").fill("3")
    page.locator("#completion-seed input").fill("7")
    page.locator("#complete").click()
    page.wait_for_function("document.querySelectorAll('#completions .made img').length === 3")
    pad = page.locator("#completion-pad canvas").evaluate("canvas => canvas.toDataURL()")
    made = page.locator("#completions .made img").first.get_attribute("src")
    assert not re.search(r"[A-Za-z0-9+/%]{200}", page.url)  # nobody's picture is in the address
    reload(page, "transformer", "complete")
    page.wait_for_function(
        "src => document.querySelector('#completions .made img')?.src === src", arg=made
    )
    assert page.locator("#completions .made img").count() == 3
    assert page.locator("#completion-seed input").input_value() == "7"
    page.wait_for_function(
        "pad => document.querySelector('#completion-pad canvas').toDataURL() === pad", arg=pad
    )


def test_a_look_at_ones_own_drawing(open_page, reload):
    page = open_tab(open_page, "Transformer", "Look at a picture")
    page.wait_for_selector("#vision .class-bars button")
    before = page.locator("#vision .under").first.evaluate("canvas => canvas.toDataURL()")
    page.locator("#vision-pad").get_by_role("button", name="Clear").click()  # of the disc
    page.locator("#vision-pad canvas").press("Space")
    page.wait_for_function(
        "before => document.querySelector('#vision .under').toDataURL() !== before", arg=before
    )
    assert page.locator("#vision .attention .place").inner_text() != "layer 0, head 0"
    page.locator("#vision .head-grid button").first.click()
    page.get_by_label("Query: who looks").press("End")
    page.wait_for_function("location.search.includes('looker_query=64')")
    drawn = page.locator("#vision .under").first.evaluate("canvas => canvas.toDataURL()")
    reload(page, "transformer", "look")
    page.wait_for_function(
        "drawn => document.querySelector('#vision .under')?.toDataURL() === drawn", arg=drawn
    )
    assert page.locator("#vision .attention .place").inner_text() == "layer 0, head 0"
    assert page.locator("#vision .query output").inner_text().startswith("64:")


def test_the_class_and_the_scale_of_a_look(open_page, reload, rest):
    page = open_tab(open_page, "Transformer", "Look at a picture")
    page.wait_for_selector("#vision .class-bars button")
    page.locator("#vision .class-bars button").nth(1).click()
    chosen = page.locator("#vision .relevance .place").inner_text()
    page.locator("#vision .own input").check()
    page.wait_for_function("location.search.includes('looker_layer=')")
    reload(page, "transformer", "look")
    page.locator("#vision .relevance .place").get_by_text(chosen).wait_for()
    assert page.locator("#vision .own input").is_checked()
    page.locator("#vision-pad").get_by_role("button", name="Clear").click()
    rest(page)
    assert page.locator("#vision .relevance .place").inner_text() == chosen  # of another picture


def test_the_training_tab(open_page, reload):
    page = open_tab(open_page, "Training")
    page.wait_for_selector("#train-start")
    page.locator("#train-preset select").select_option(index=1)
    page.wait_for_function(
        "document.querySelector('#settings [data-name=width]')?.value !== undefined"
    )
    page.locator("#train-dataset select").select_option(index=1)
    page.get_by_label("pictures", exact=True).check()
    page.locator("#train-amount input").fill("4000")
    page.locator("#train-name").locator("input, textarea").fill("mine")
    page.locator("#settings summary").click()
    for name, number in (("batch_size", "48"), ("width", "24")):
        page.locator(f"#settings [data-name={name}]").fill(number)
        page.locator(f"#settings [data-name={name}]").press("Tab")
    page.get_by_text("Advanced (2 changed)").wait_for()
    chosen = page.locator("#train-dataset select").input_value()
    kept = "sessionStorage.getItem('genimg-form')?.includes('\"width\":24')"
    page.wait_for_function(kept)
    reload(page, "train")
    page.get_by_text("Advanced (2 changed)").wait_for()
    shown = page.locator("#train-preset select").evaluate("list => list.selectedOptions[0].text")
    assert shown.startswith("DCGAN")
    assert page.locator("#train-dataset select").input_value() == chosen
    assert page.get_by_label("pictures", exact=True).is_checked()
    assert page.locator("#train-amount input").input_value() == "4000"
    assert page.locator("#train-name").locator("input, textarea").input_value() == "mine"
    assert page.locator("#settings [data-name=batch_size]").input_value() == "48"
    assert page.locator("#settings [data-name=width]").input_value() == "24"
    page.wait_for_function(
        "document.querySelector('#estimate [role=status]').textContent.includes('4,000 pictures')"
    )


@pytest.mark.parametrize(
    ("query", "tabs"),
    [
        ("", ["gan"]),
        ("?drawing=3&drawer=none", ["transformer", "draw"]),
        ("?run=nobodys", ["train"]),
        ("?drawing=3&drawer=none&tab=look", ["transformer", "look"]),
        ("?tab=<b>", ["gan"]),
    ],
)
def test_old_and_new_links_open_their_tab(open_page, query, tabs):
    page = open_tab(open_page, query=query)
    expect_tabs(page, *tabs)
