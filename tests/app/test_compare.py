"""The Compare tab: both families side by side, and the blind question."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

SHEET = "#compare-samples .sheet"


def open_tab(open_page, query="", **options):
    page = open_page(f"?tab=compare{query}", reduced_motion="reduce", **options)
    page.wait_for_selector(SHEET)
    page.wait_for_function("document.querySelectorAll('#compare-copies section').length === 2")
    return page


def source(page, index):
    return page.locator(SHEET).nth(index).get_attribute("src")


def test_both_make_pictures_of_the_class_and_a_reload_keeps_them(open_page):
    page = open_tab(open_page)
    expect(page.locator(SHEET)).to_have_count(2)  # no real ones: their data set is not here
    expect(page.locator("#compare-table")).to_contain_text("One picture takes")
    first = source(page, 0), source(page, 1)
    page.locator("#compare-label select").select_option("Coat")
    page.wait_for_url(re.compile("compared_class=Coat"))
    page.locator("#compare-seed input").fill("9")
    page.locator("#compare-seed input").press("Enter")
    page.wait_for_url(re.compile("compared_seed=9"))
    second = source(page, 0), source(page, 1)
    assert all(one != other for one, other in zip(first, second, strict=True))

    page.reload()
    page.wait_for_selector(SHEET)
    expect(page.locator("#compare-seed input")).to_have_value("9")
    expect(page.locator(SHEET).first).to_have_attribute("src", second[0])
    expect(page.locator(SHEET).last).to_have_attribute("src", second[1])


def test_another_model_takes_its_class_along(open_page):
    page = open_tab(open_page)
    page.locator("#compare-gan select").select_option("plain")
    page.wait_for_url(re.compile("compared=.*plain"))
    options = page.locator("#compare-label option").all_inner_texts()
    assert options == ["Any class"]


@pytest.mark.parametrize("link", ["&compared=x&with=y&compared_seed=1", "&compared=style"])
def test_a_damaged_link_says_so(open_page, link):
    page = open_page(f"?tab=compare{link}", reduced_motion="reduce")
    expect(page.locator(".toast-body").first).to_be_visible()


def test_a_question_is_answered_with_the_keyboard(open_page):
    page = open_tab(open_page)
    page.locator("#compare-gan select").select_option("Fashion, fully connected")
    page.wait_for_url(re.compile("compared=fashion-mlp"))
    assert "with=fashion-gpt" in page.url
    for number in (1, 2):
        page.locator("#quiz .next").press("Enter")
        first = page.locator("#quiz .pair button").first
        expect(first).to_be_focused()
        first.press("Enter")
        expect(page.locator("#quiz [role=status]")).to_contain_text("made the other one")
        expect(page.locator("#quiz .score")).to_contain_text(f"of {number} right")
        expect(page.locator("#quiz .pair .real")).to_have_count(1)
        expect(page.locator("#quiz .next")).to_be_focused()
    page.reload()
    page.wait_for_selector("#quiz .score")
    expect(page.locator("#quiz .score")).to_contain_text("of 2 right")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_overflows(open_page, width, scheme):
    page = open_tab(open_page, width=width, color_scheme=scheme)
    page.locator("#compare-bridge-part > button").click()
    expect(page.locator("#compare-bridge")).to_contain_text("second decoder")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
