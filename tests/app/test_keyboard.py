"""Everything can be done with the keyboard alone; no field keeps a number that is not allowed."""

import itertools

import pytest

from genimg.render import data_uri

pytestmark = pytest.mark.browser

FIRST = {"seed": 5, "label": "Coat", "truncation": 0.7}
TABS = [
    ("GAN",),
    ("Transformer", "Draw"),
    ("Transformer", "Complete a picture"),
    ("Transformer", "Look at a picture"),
    ("Training",),
]


@pytest.fixture
def open_tab(open_page, rest):
    def open_tab(names, **options):
        page = open_page(reduced_motion="reduce", **options)
        for name in names:
            page.get_by_role("tab", name=name, exact=True).click()
        rest(page)
        return page

    return open_tab


@pytest.mark.parametrize("names", TABS, ids=lambda names: names[-1])
def test_whatever_has_the_focus_shows_it_and_nothing_stays_open(open_tab, names):
    page = open_tab(names)
    page.locator("#title").click()
    seen = set()
    for _ in range(250):
        page.keyboard.press("Tab")
        focused = page.evaluate("""() => {
          const { activeElement: at } = document;
          if (at === document.body) return null;
          const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(at);
          at.dataset.seen = at.dataset.seen ?? String(Math.random());
          const shown = (outlineStyle !== 'none' && outlineWidth !== '0px') || boxShadow !== 'none';
          return { key: at.dataset.seen, shown, what: at.outerHTML.slice(0, 200) };
        }""")
        if focused is None or focused["key"] in seen:
            break
        seen.add(focused["key"])
        assert focused["shown"], focused["what"]
    assert len(seen) > 8
    assert page.locator("[role=listbox]:visible").count() == 0


@pytest.mark.parametrize("names", TABS, ids=lambda names: names[-1])
def test_headings_leave_no_level_out(open_tab, names):
    page = open_tab(names)
    levels = page.evaluate("""() => Array.from(document.querySelectorAll('h1, h2, h3, h4, h5, h6'))
      .filter((each) => each.checkVisibility()).map((each) => Number(each.tagName[1]))""")
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert len(levels) > 1


@pytest.mark.parametrize("names", TABS, ids=lambda names: names[-1])
def test_what_scrolls_can_be_reached(open_tab, names):
    page = open_tab(names, width=390, height=844)
    unreached = page.evaluate("""() => Array.from(document.querySelectorAll('pre, ul, div'))
      .filter((each) => each.checkVisibility()
        && /auto|scroll/.test(getComputedStyle(each).overflowX + getComputedStyle(each).overflowY)
        && (each.scrollWidth > each.clientWidth + 1 || each.scrollHeight > each.clientHeight + 1))
      .filter((each) => each.tabIndex < 0
        && !each.querySelector('button, input, select, [tabindex]'))
      .map((each) => each.outerHTML.slice(0, 200))""")
    assert unreached == []


def test_a_list_is_used_with_arrows_and_enter(open_tab, models):
    page = open_tab(("GAN",))
    page.locator("#label select").focus()
    page.keyboard.press("ArrowUp")
    page.wait_for_function("document.querySelector('#picture figcaption').textContent[0] === 'H'")
    expected = data_uri(models.style.picture(**FIRST | {"label": "Hat"}), "png")
    assert page.locator("#picture img").get_attribute("src") == expected


ILLEGAL = [
    (("GAN",), "#direction-0", "8", "0"),
    (("GAN",), "#direction-0", "", "0"),
    (("GAN",), "#truncation", "", "0.7"),
    (("GAN",), "#truncation", "-1", "0.7"),
    (("GAN",), "#seed", "-3", "5"),
    (("GAN",), "#seed", "1.5", "5"),
    (("GAN",), "#between", "100", "24"),
    (("Transformer", "Draw"), "#draw-seed", "-3", "3"),
    (("Transformer", "Draw"), "#draw-temperature", "9", "1"),
    (("Transformer", "Draw"), "#draw-top-k", "-1", "0"),
    (("Transformer", "Draw"), "#draw-guidance", "", "1.75"),
    (("Transformer", "Complete a picture"), "#completion-seed", "5000000000", "0"),
    (("Transformer", "Complete a picture"), "#completion-count", "0", "8"),
    (("Transformer", "Complete a picture"), "#completion-top-p", "2", "1"),
]


@pytest.mark.parametrize("key", ["Enter", "Tab"])
def test_no_field_keeps_a_number_that_is_not_allowed(open_tab, rest, key):
    page = open_tab(("GAN",))
    for seed in (6, 5):  # the address names the picture once something has been changed
        page.locator("#seed input[type=number]").fill(str(seed))
        page.wait_for_function(f"location.search.includes('seed={seed}')")
    last, address = ("GAN",), page.url
    for names, selector, typed, shown in ILLEGAL:
        if names != last:
            for name in names:
                page.get_by_role("tab", name=name, exact=True).click()
            page.wait_for_selector(f"{selector} input[type=number]")
            rest(page)
            last = names
        field = page.locator(f"{selector} input[type=number]")
        field.press("Control+a")
        field.press("Delete")
        field.press_sequentially(typed)
        field.press(key)
        assert field.input_value() == shown, (selector, typed)
        note = page.locator("#page .refused")
        assert f"it is {shown} again" in note.inner_text(), (selector, typed)
        rest(page)
        assert field.input_value() == shown, (selector, typed)
        if names == ("GAN",):
            page.wait_for_url(address)  # the picture, too, whatever was on the way


@pytest.mark.parametrize("key", ["Enter", "Tab"])
def test_a_late_page_does_not_make_half_a_number_of_one_that_is_not_allowed(open_tab, key):
    """A page that comes late writes what was typed so far over it, and that may be allowed."""
    page = open_tab(("GAN",))
    field = page.locator("#seed input[type=number]")
    field.press("Control+a")
    field.press_sequentially("5000000000")
    field.evaluate("each => { each.value = '500000000'; }")
    field.press(key)
    assert field.input_value() == "5"
    assert "it is 5 again" in page.locator("#page .refused").inner_text()
    page.wait_for_function("location.search.includes('seed=5&')")
    assert "seed 5 " in page.locator("#picture figcaption").inner_text()
