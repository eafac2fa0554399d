"""The page in English and in Chinese: by preference, by link, by the switch; with no reload."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

# Of the models that the tests make: they have no Chinese names.
NAMES = ("style", "plain", "drawer", "Shoe", "Hat")


def language(page):
    return page.evaluate("document.documentElement.lang")


def switch(page, name):
    page.locator("#title .languages button", has_text=name).click()


def open_compare(open_page, query="", **options):
    page = open_page(f"?tab=compare{query}", reduced_motion="reduce", **options)
    page.wait_for_selector("#compare-samples .sheet")
    page.wait_for_function("document.querySelectorAll('#compare-copies section').length === 2")
    return page


@pytest.mark.parametrize(
    ("query", "locale", "found"),
    [
        ("", "en-GB", "en"),
        ("", "zh-TW", "zh-CN"),
        ("", "fr-FR", "en"),
        ("&lang=zh", "en-US", "zh-CN"),
        ("&lang=en", "zh-CN", "en"),
        ("&lang=<b>", "en-US", "en"),
    ],
)
def test_a_link_comes_before_the_preference_of_the_browser(open_page, query, locale, found):
    page = open_page(f"?tab=compare{query}", locale=locale)
    assert language(page) == found
    words = {"en": ("Compare", "Seed"), "zh-CN": ("比较", "随机种子")}[found]
    expect(page.get_by_role("tab", name=words[0], exact=True)).to_be_visible()
    expect(page.locator("#compare-seed")).to_contain_text(words[1])
    assert ("lang=" in page.url) == bool(query)


def test_the_switch_rewords_what_is_there_and_is_remembered(open_page):
    page = open_compare(open_page)
    loads = []
    page.on("domcontentloaded", lambda page: loads.append(page))
    page.locator("#quiz .next").wait_for()
    picture = page.locator("#compare-samples .sheet").first
    source = picture.get_attribute("src")
    page.locator("#compare-seed input").fill("7")  # typed, and not sent

    switch(page, "中文")
    expect(page.locator("#compare-samples h2").last).to_have_text("真实图像")
    expect(picture).to_have_attribute("alt", "GAN 生成的 12 张图像")
    expect(page.get_by_role("tab", name="比较")).to_be_visible()
    expect(page.locator("#compare-die")).to_have_text("换个种子")
    expect(page.locator("#compare-bridge-part > button")).to_contain_text("两者的交汇处")
    expect(page.get_by_role("heading", name="哪一张是真的？")).to_be_visible()
    expect(page.locator("#compare-label option").first).to_have_text("任意类别")
    expect(page.locator("#compare-label option", has_text="外套")).to_have_count(1)
    assert language(page) == "zh-CN"
    assert "看清" in page.title()
    assert "lang=zh" in page.url
    assert picture.get_attribute("src") == source
    expect(page.locator("#compare-seed input")).to_have_value("7")

    page.goto(page.url.partition("?")[0] + "?tab=compare")  # no language in this link
    page.wait_for_selector("#compare-samples .sheet")
    assert language(page) == "zh-CN"
    switch(page, "English")
    expect(page.locator("#compare-samples h2").last).to_have_text("Real pictures")
    expect(page.locator("#compare-die")).to_have_text("New seed")
    assert language(page) == "en"
    assert "lang=en" in page.url
    assert len(loads) == 1  # that of `goto`


def test_the_switch_and_the_terms_are_reached_with_the_keyboard(open_page):
    page = open_page()
    chinese = page.get_by_role("button", name="切换到中文")
    chinese.focus()
    assert chinese.get_attribute("lang") == "zh-CN"
    chinese.press("Enter")
    expect(chinese).to_have_attribute("aria-pressed", "true")
    assert language(page) == "zh-CN"
    chinese.press("Tab")
    expect(page.get_by_role("button", name="Switch to English")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    terms = page.get_by_role("dialog", name="术语")
    expect(terms.locator("dt", has_text="判别器")).to_contain_text("discriminator")
    page.keyboard.press("Escape")
    expect(terms).to_be_hidden()


def test_every_list_says_what_it_is_for(open_page, rest):
    """Also one that was not on the screen when it was given another value."""
    page = open_page("?lang=zh", reduced_motion="reduce")
    for tab in ("GAN", "Transformer", "补全图像", "并行绘制", "观察图像", "常见错误", "比较"):
        page.get_by_role("tab", name=tab, exact=True).click()
        page.locator(".choice:visible select").first.wait_for()
        rest(page)
        for label in page.locator(".choice:visible label span").all():
            assert label.inner_text().strip(), tab


def test_the_verdict_of_the_gauge_is_said_in_both(open_page):
    page = open_page("?lang=zh")
    expect(page.locator("#gauge p")).to_contain_text("高于")
    for name in ("中文", "English"):
        switch(page, name)
        words = page.locator("#gauge p").inner_text()
        assert "NaN" not in words
        assert "{" not in words


@pytest.mark.parametrize("locale", ["zh-CN", "en-US"])
def test_compare_speaks_one_language(open_page, foreign, locale):
    link = "&compared=fashion-small&with=fashion-gpt&compared_class=Coat&compared_seed=3"
    page = open_compare(open_page, link, locale=locale)
    page.locator("#compare-bridge-part > button").click()
    names = {*NAMES, "fashion-small", "fashion-gpt"}  # as the quiz calls them
    page.locator("#quiz .next").click()
    page.locator("#quiz .pair button").first.click()
    expect(page.locator("#quiz [role=status]")).to_contain_text("fashion-")
    page.wait_for_function("document.querySelectorAll('#compare-bridge figure').length === 3")
    assert foreign(page, names) == []
    # What is not allowed, and what the server refuses, is said in the same language.
    page.locator("#compare-seed input").fill("-5")
    page.locator("#compare-seed input").press("Enter")
    expect(page.locator(".refused")).to_be_visible()
    assert foreign(page, names) == []


@pytest.mark.parametrize("locale", ["zh-CN", "en-US"])
def test_a_warning_is_said_in_the_language_of_the_page(open_page, foreign, locale):
    page = open_page("?tab=compare&compared=style&with=drawer", locale=locale)
    message = page.locator(".toast-body").first
    said = {"zh-CN": "链接已损坏", "en-US": "This link is damaged"}[locale]
    expect(message).to_contain_text(said)
    assert [text for text in foreign(page, NAMES) if said in text or "arning" in text] == []
    switch(page, {"zh-CN": "English", "en-US": "中文"}[locale])
    expect(message).to_contain_text({"zh-CN": "This link is", "en-US": "链接已"}[locale])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_overflows_in_chinese(open_page, width, scheme):
    page = open_compare(open_page, width=width, color_scheme=scheme, locale="zh-CN")
    page.locator("#compare-bridge-part > button").click()
    page.locator("#compare-bridge p").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.locator("#title .ask-terms").click()
    box = page.locator("dialog.terms").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
