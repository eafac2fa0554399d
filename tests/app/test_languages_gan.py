"""The GAN tab in English and in Chinese: all its parts, what it draws, and what it refuses."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

# Models, classes and symbols that are the same in both languages.
NAMES = {
    *("style", "plain", "Shoe", "Hat", "Ctrl", "Shift", "Z", "slerp", "lerp", "Fashion-MNIST"),
    *("Adam", "SGD", "G", "x", "D", "sigmoid", "A", "B", "C", "none", "e"),
}
FOLDS = ("more", "raw", "decides", "own", "mix", "game-fold", "inside-fold")


def open_gan(open_page, query="", **options):
    page = open_page(query, reduced_motion="reduce", **options)
    page.wait_for_selector("#gauge svg")
    reading = "document.querySelector('#copies').innerHTML.includes('gan.copies.reading')"
    page.wait_for_function(f"!{reading}")
    return page


def switch(page, name):
    page.locator("#title .languages button", has_text=name).click()


def unfold(page, *folds):
    for fold in folds:
        if page.locator(f"#{fold}").is_visible():
            page.locator(f"#{fold} > button").click()


def use_every_part(page):
    unfold(page, *FOLDS)
    page.locator("#names summary").click()
    page.locator("#why").click()
    page.wait_for_selector("#maps figcaption")
    page.wait_for_selector("#game .losses dt")
    page.locator("#game [data-player=both]").click()
    page.locator("#plane .draw").click()
    page.wait_for_selector("#plane .slots figure")
    page.locator("#ways-ask button").click()
    page.wait_for_selector("#ways .buttons button")
    page.locator("#layers .mix").click()
    page.wait_for_selector("#layers .seeds input")
    page.locator("#mix-make").click()
    page.wait_for_function("document.querySelector('#mixed figcaption').textContent")
    page.locator("#inside .grid button").first.click()
    page.wait_for_function("!document.querySelector('#inside .controls').inert")
    page.locator("#spectrum .ask").click()
    page.wait_for_selector("#spectrum tbody tr")
    page.locator("#make").click()
    page.wait_for_function("document.querySelector('#player [role=status]').textContent")


@pytest.mark.parametrize("locale", ["zh-CN", "en-US"])
def test_every_part_speaks_one_language(open_page, foreign, paths, locale):
    query = f"?model={paths['style']}&seed=5&label=Coat&directions=1"
    page = open_gan(open_page, query, locale=locale)
    use_every_part(page)
    assert foreign(page, NAMES) == []
    # What an answer says with the same words as the last one stays in the language of the page.
    caption = page.locator("#picture figcaption").inner_text()
    page.locator("#die").click()
    page.wait_for_function(
        "before => document.querySelector('#picture figcaption').textContent !== before",
        arg=caption,
    )
    page.wait_for_url(re.compile(r"seed=(?!5\b)"))
    page.wait_for_timeout(2000)
    assert foreign(page, NAMES) == []


def test_the_switch_rewords_what_is_drawn_and_what_gradio_wrote(open_page, paths):
    query = f"?model={paths['style']}&seed=5&label=Coat&directions=1"
    page = open_gan(open_page, query, locale="en-GB")
    unfold(page, "game-fold")
    page.wait_for_selector("#game .losses dt")
    scores = page.locator("#game .scores figcaption")
    expect(scores).to_have_text("Scores of 256 real and 256 generated pictures")
    expect(page.locator("#picture figcaption")).to_have_text("Coat · seed 5 · 1 slider moved")
    slider = page.locator("#direction-0")
    expect(slider).to_contain_text("Direction 1")
    number = slider.locator("input[type=number]")
    expect(number).to_have_attribute("aria-label", "number input for Direction 1")

    switch(page, "中文")
    expect(page.locator("#picture figcaption")).to_have_text("外套 · 种子 5 · 移动了 1 个滑块")
    expect(slider).to_contain_text("方向 1")
    expect(number).to_have_attribute("aria-label", "“方向 1”数值")
    expect(number).to_have_value("1")
    expect(scores).to_have_text("256 张真实图像与 256 张生成图像的得分")
    expect(page.locator("#game [data-part=generator] .title")).to_have_text("生成器")
    expect(page.locator("#gauge svg")).to_have_attribute("aria-label", re.compile("判别器学的是"))
    expect(page.locator("#label option", has_text="外套")).to_have_count(1)
    expect(page.locator("#loop")).to_contain_text("回到第一个种子")
    expect(page.locator("#mode")).to_contain_text("弧线（slerp）")
    expect(page.locator("#game .start option").nth(1)).to_have_text("学了一分钟")

    switch(page, "English")
    expect(slider).to_contain_text("Direction 1")
    expect(number).to_have_attribute("aria-label", "number input for Direction 1")
    expect(scores).to_have_text("Scores of 256 real and 256 generated pictures")


def test_a_name_of_ones_own_is_the_same_in_both_languages(open_page):
    page = open_gan(open_page, "?model=fashion-small&seed=5", locale="zh-CN")
    expect(page.locator("#direction-0")).to_contain_text("亮度")
    page.locator("#names summary").click()
    page.locator("#names .fields input").first.fill("袖子")
    page.locator("#names .fields input").first.press("Enter")
    expect(page.locator("#direction-0")).to_contain_text("袖子")
    switch(page, "English")
    expect(page.locator("#direction-0")).to_contain_text("袖子")
    page.locator("#names [data-do=forget]").click()
    expect(page.locator("#direction-0")).to_contain_text("Brightness")


@pytest.mark.parametrize(
    ("locale", "link", "seeds"),
    [
        ("zh-CN", "链接已损坏：其中有一个数读不出来。", "请把种子写成整数"),
        (
            "en-US",
            "This link is damaged: a number in it cannot be read.",
            "Write the seeds as whole",
        ),
    ],
)
def test_what_is_refused_is_said_in_the_language_of_the_page(open_page, paths, locale, link, seeds):
    page = open_page(f"?model={paths['style']}&seed=x", locale=locale)
    expect(page.locator(".toast-body").first).to_contain_text(link)
    page.locator("#seeds textarea, #seeds input").first.fill("1, two")
    page.locator("#seeds textarea, #seeds input").first.press("Enter")
    expect(page.locator(".toast-body", has_text=seeds)).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_overflows_in_chinese(open_page, width, scheme):
    page = open_gan(
        open_page, "?model=portraits-small", width=width, color_scheme=scheme, locale="zh-CN"
    )
    unfold(page, *FOLDS)
    page.wait_for_selector("#game .losses dt")
    page.wait_for_selector("#inside .grid button")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    outside = """
    (svg) => [...svg.querySelectorAll('.part')].flatMap((part) => {
      const box = part.querySelector('rect').getBoundingClientRect();
      return [...part.querySelectorAll('text')].filter((text) => {
        const line = text.getBoundingClientRect();
        return line.left < box.left - 1 || line.right > box.right + 1;
      }).map((text) => text.textContent);
    })"""
    assert page.locator("#game .diagram svg").evaluate(outside) == []
