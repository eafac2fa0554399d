"""No control undoes work by being touched: opened, left, passed by, or given its old value again.

On each tab something is changed first, so that there is work to lose. Then every control that can
be reached is touched in every way that leaves its value alone, and afterwards all is as it was.
"""

import pytest

pytestmark = pytest.mark.browser

# All that a tab shows and says: words, the values of controls, pictures, and the address.
SHOWN = """() => {
  document.activeElement.blur();
  const panel = Array.from(document.querySelectorAll('[role=tabpanel]'))
    .filter((each) => each.checkVisibility()).pop();
  const visible = (selector) => Array.from(panel.querySelectorAll(selector))
    .filter((each) => each.checkVisibility());
  return {
    address: location.href,
    // without the seconds that Gradio counts in places that nobody sees
    words: panel.innerText.replace(/^[0-9.]+s$/gm, ''),
    values: visible('input, select, textarea').map((field) => [field.value, field.checked]),
    pressed: visible('[aria-pressed]').map((button) => button.getAttribute('aria-pressed')),
    pictures: visible('img').map((image) => image.src),
    canvases: visible('canvas').map((canvas) => (canvas.width ? canvas.toDataURL() : '')),
  };
}"""
# Marks what can be reached with the keyboard, and returns what each is.
MARK = """() => {
  const panel = Array.from(document.querySelectorAll('[role=tabpanel]'))
    .filter((each) => each.checkVisibility()).pop();
  const found = Array.from(panel.querySelectorAll(
    'a, button, input, select, textarea, summary, [tabindex="0"]'));
  return found.filter((each) => each.checkVisibility() && !each.disabled && each.tabIndex >= 0)
    .map((each, i) => {
      each.dataset.touched = i;
      const { tagName, type } = each;
      const opens = tagName === 'SUMMARY' || each.classList.contains('label-wrap');
      return { i, kind: opens ? 'fold' : { BUTTON: 'button' }[tagName] ?? type ?? tagName,
        name: each.ariaLabel || each.closest('[id]')?.id };
    });
}"""


def go_to(page, *names):
    for name in names:
        page.get_by_role("tab", name=name, exact=True).click()


def set_slider(page, selector, key="ArrowRight", times=3):
    slider = page.locator(selector)
    slider.focus()
    for _ in range(times):
        slider.press(key)


def words(page, selector):
    return page.locator(selector).inner_text()


def wait_for_other_words(page, selector, before):
    page.wait_for_function(
        "([selector, before]) => document.querySelector(selector).innerText !== before",
        arg=[selector, before],
    )


def change_gan(page):
    go_to(page, "GAN")
    set_slider(page, "#direction-0 input[type=range]")
    page.get_by_role("button", name="Raw latent dimensions").click()
    set_slider(page, "#z-1 input[type=range]")
    page.wait_for_function("location.search.includes('latents=')")
    page.wait_for_function(
        "document.querySelector('#picture-code code').textContent.includes('latents=')"
    )


def change_drawing(page):
    go_to(page, "Transformer", "Draw")
    page.wait_for_selector("#drawing .head-grid button")
    page.locator("#draw-seed input").fill("7")
    page.locator("#draw-make").click()
    page.wait_for_function(
        "document.querySelector('#drawing .caption').textContent.includes('seed 7')"
    )
    set_slider(page, "#draw-temperature input[type=range]")  # looked at, not yet drawn
    page.wait_for_selector("#draw-numbers li", state="attached")
    lines, numbers = words(page, "#drawing-code code"), words(page, "#draw-numbers")
    page.locator("#drawing .map.canvas").press("ArrowUp")
    wait_for_other_words(page, "#drawing-code code", lines)
    wait_for_other_words(page, "#draw-numbers", numbers)


def change_completion(page):
    go_to(page, "Transformer", "Complete a picture")
    page.wait_for_selector("#completions .made img")
    page.locator("#completion-pad canvas").press("Space")
    set_slider(page, "#completion-count input[type=range]")
    page.get_by_text("These were made of what was here before").wait_for()


def change_looking(page):
    go_to(page, "Transformer", "Look at a picture")
    page.wait_for_selector("#vision .class-bars button")
    page.wait_for_selector("#look-numbers li", state="attached")
    numbers = words(page, "#look-numbers")
    page.locator("#vision-pad").get_by_role("button", name="Clear").click()
    wait_for_other_words(page, "#look-numbers", numbers)
    lines, numbers = words(page, "#vision-code code"), words(page, "#look-numbers")
    page.locator("#vision .head-grid button").first.click()
    wait_for_other_words(page, "#vision-code code", lines)
    wait_for_other_words(page, "#look-numbers", numbers)
    page.locator("#vision .class-bars button").nth(1).click()


def change_training(page):
    go_to(page, "Training")
    page.locator("#settings summary").click()
    field = page.locator("#settings [data-name=batch_size]")
    field.fill("48")
    field.press("Tab")
    page.locator("#train-name").locator("input, textarea").fill("mine")
    page.get_by_text("Advanced (1 changed)").wait_for()


def expect_same(page, before, touched):
    now = page.evaluate(SHOWN)
    assert now["words"].splitlines() == before["words"].splitlines(), touched
    assert now == before, touched


def touch(page, control):
    """Do with a control all that leaves its value alone."""
    place = page.locator(f'[data-touched="{control["i"]}"]')
    kind = control["kind"]
    place.focus()
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    place.focus()
    page.keyboard.press("Shift+Tab")
    if kind == "fold":
        place.press("Enter")
        place.press("Enter")
    elif kind == "select-one":
        place.press("Space")
        page.keyboard.press("Escape")
        page.keyboard.press("Tab")
        place.select_option(index=place.evaluate("select => select.selectedIndex"))
    elif kind in ("number", "text", "textarea", "password"):
        place.fill(place.input_value())
        if kind == "number":
            place.press("Enter")
        place.press("Tab")
    elif kind == "radio" and place.is_checked():
        place.click()


CHANGES = {
    "gan": change_gan,
    "drawing": change_drawing,
    "completion": change_completion,
    "looking": change_looking,
    "training": change_training,
}


@pytest.mark.parametrize("tab", CHANGES)
def test_nothing_changes_because_it_was_touched(open_page, rest, tab):
    page = open_page(reduced_motion="reduce")
    CHANGES[tab](page)
    page.locator("#title").click()
    rest(page)  # whatever follows a rest has followed
    before = page.evaluate(SHOWN)
    controls = page.evaluate(MARK)
    kinds = {control["kind"] for control in controls}
    assert {"button", "select-one"} <= kinds or tab in ("completion", "looking")
    for start in range(0, len(controls), 10):
        for control in controls[start : start + 10]:
            touch(page, control)
        expect_same(page, before, controls[start : start + 10])
    rest(page)
    expect_same(page, before, "all of them")
