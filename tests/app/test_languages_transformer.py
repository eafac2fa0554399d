"""The Transformer tab in English and in Chinese: each of its parts is used, then read."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

LOCALES = ["zh-CN", "en-US"]
# Of models, methods, formulas and files, and of the models that the tests make.
NAMES = {
    *(
        "GPT",
        "rollout",
        "MaskGIT",
        "Longformer",
        "Transformer-XL",
        "Top-k",
        "Top-p",
        "top-k",
        "top-p",
        "logit",
        "lens",
    ),
    *("Logits", "Softmax", "softmax", "CSV", "npz", "float", "fashion-pixels", "view", "transpose"),
    *("e", "q", "K", "d", "s", "m", "w", "v", "V", "o", "W", "y", "j", "D", "exp"),
    *("drawer", "masked", "vision", "style", "plain", "Shoe", "Hat", "Coat", "none"),
}


def open_part(open_page, part, shown, **options):
    page = open_page(f"?tab={part}", reduced_motion="reduce", **options)
    page.wait_for_function(f"document.querySelector('{shown}')")
    return page


def open_drawing(open_page, **options):
    page = open_part(open_page, "draw", "#drawing .head-grid button", **options)
    page.wait_for_function("document.querySelector('#drawing .decided')?.textContent")
    page.wait_for_function("!document.querySelector('#surgery .controls').inert")
    page.wait_for_selector("#draw-numbers li", state="attached")
    return page


def unfold(page):
    folded = page.locator("button.fold[aria-expanded=false]:visible")
    while folded.count():
        folded.first.click()


def switch(page, name):
    page.locator("#title .languages button", has_text=name).click()


@pytest.mark.parametrize("locale", LOCALES)
def test_draw_speaks_one_language(open_page, foreign, locale):
    page = open_drawing(open_page, locale=locale)
    unfold(page)
    page.locator("#patterns > button").click()
    page.locator("#pattern select").select_option(index=2)
    page.locator("#pattern-shown .remembered").first.wait_for()
    page.locator("#reasons .ask").click()
    page.locator("#reasons .results").wait_for()
    page.locator("#surgery .add-head").click()
    page.locator("#surgery .add-feed-forward").click()
    page.wait_for_function("document.querySelector('#surgery code').textContent")
    page.locator("#drawing .attention .map").hover()
    assert foreign(page, NAMES) == []
    page.locator("#drawing .switch input").nth(1).check()
    page.locator("#drawing .step").press("Home")
    field = page.locator("#draw-temperature input[type=number]")
    field.fill("0.5")
    field.press("Tab")
    assert foreign(page, NAMES) == []
    page.locator("#draw-seed input").fill("-1")
    page.locator("#draw-seed input").press("Enter")
    expect(page.locator(".refused")).to_be_visible()
    assert foreign(page, NAMES) == []


def test_the_switch_rewords_a_drawing_and_all_that_is_told_of_it(open_page, foreign):
    page = open_drawing(open_page, locale="en-US")
    page.locator("#reasons .ask").click()
    page.locator("#reasons .results").wait_for()
    page.locator("#surgery .add-head").click()
    page.wait_for_function("document.querySelector('#surgery code').textContent")
    place = page.locator("#drawing .attention .place").inner_text()
    layer, head = re.findall(r"\d+", place)
    code = page.locator("#drawing-code code").text_content()

    switch(page, "中文")
    expect(page.locator("#drawing .attention h2")).to_have_text(
        f"它看了哪里：第 {layer} 层第 {head} 个头"
    )
    expect(page.locator("#draw-make")).to_have_text("绘制")
    expect(page.locator("#draw-label")).to_contain_text("类别")
    expect(page.locator("#draw-temperature")).to_contain_text("温度")
    expect(page.get_by_role("tab", name="观察图像")).to_be_visible()
    expect(page.locator("#draw-facts")).to_contain_text("2 层，每层 2 个头")
    expect(page.locator("#surgery .changes li")).to_contain_text("关闭，什么也不看")
    thumbnail = page.locator("#drawing .head-grid button").first
    assert thumbnail.get_attribute("aria-label").startswith("第 0 层第 0 个头：熵为 ")
    assert "共 64 个" in page.locator("#drawing .step").get_attribute("aria-valuetext")
    assert foreign(page, NAMES) == []
    assert page.locator("#drawing-code code").text_content() == code

    switch(page, "English")
    expect(page.locator("#drawing .attention .place")).to_have_text(place)
    assert thumbnail.get_attribute("aria-label").startswith("Layer 0, head 0: entropy ")
    assert foreign(page, NAMES) == []


@pytest.mark.parametrize("locale", LOCALES)
def test_complete_and_its_refusal_speak_one_language(open_page, foreign, locale):
    page = open_part(open_page, "complete", "#completions .made img", locale=locale)
    page.locator("#complete").click()
    same = {"zh-CN": "与之前的图像相同", "en-US": "The same pictures as before"}[locale]
    expect(page.locator("#completions .caption")).to_contain_text(same)
    rows = page.locator("#completion-pad .rows input")
    rows.press("End")
    changed = {"zh-CN": "点击“补全”", "en-US": "Complete makes new ones"}[locale]
    expect(page.locator("#completions .caption")).to_contain_text(changed)
    page.locator("#complete").click()
    refused = {"zh-CN": "没有遮住任何部分", "en-US": "Nothing is hidden"}[locale]
    expect(page.locator(".toast-body").first).to_contain_text(refused)
    pad = set(foreign(page, NAMES, "#completion-pad"))  # another area's
    assert [text for text in foreign(page, NAMES) if text not in pad] == []


@pytest.mark.parametrize("locale", LOCALES)
def test_draw_in_parallel_speaks_one_language(open_page, foreign, locale):
    page = open_part(open_page, "parallel", "#parallel .map", locale=locale)
    page.wait_for_function("document.querySelector('#parallel [role=status]')?.textContent")
    assert foreign(page, NAMES) == []
    page.locator("#parallel .step").press("Home")
    page.locator("#parallel .sure .map").click(position={"x": 3, "y": 3})
    page.locator("#parallel-order select").select_option(index=2)
    assert foreign(page, NAMES) == []


@pytest.mark.parametrize("locale", LOCALES)
def test_look_at_a_picture_speaks_one_language(open_page, foreign, locale):
    page = open_part(open_page, "look", "#vision .class-bars button", locale=locale)
    unfold(page)
    page.locator("#vision .class-bars button").nth(1).click()
    page.locator("#vision .query input").press("ArrowRight")
    page.wait_for_selector("#look-numbers li")
    assert "look-numbers" in page.content()
    pad = set(foreign(page, NAMES, "#vision-pad"))
    assert [text for text in foreign(page, NAMES) if text not in pad] == []
    page.locator("#vision .switch input").nth(1).check()
    assert [text for text in foreign(page, NAMES) if text not in pad] == []


@pytest.mark.parametrize("locale", LOCALES)
def test_the_mistakes_speak_one_language(open_page, foreign, locale):
    page = open_part(open_page, "mistakes", "#mistake-depth rect", locale=locale)
    select = page.locator("#mistake select")
    for number in (0, 4, 5):
        select.select_option(index=number)
        page.wait_for_function(f"""() => {{
            const chosen = document.querySelector('#mistake select').selectedIndex;
            const errors = document.querySelectorAll('#mistake-shown .error').length;
            return chosen === {number} && errors === {int(number == 0)};
        }}""")
        assert foreign(page, NAMES) == []


@pytest.mark.parametrize("locale", LOCALES)
def test_a_link_that_cannot_be_is_refused_in_the_language_of_the_page(open_page, locale):
    page = open_page("?tab=draw&pattern=window-9999-1-1-1", locale=locale)
    said = {"zh-CN": "长度必须是 1 到 64 之间的整数", "en-US": "The length must be"}[locale]
    page.get_by_text(said).wait_for()  # and it goes away by itself


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_overflows_in_chinese(open_page, width, scheme):
    page = open_drawing(open_page, width=width, color_scheme=scheme, locale="zh-CN")
    unfold(page)
    page.locator("#surgery .add-feed-forward").click()
    page.wait_for_function("document.querySelector('#surgery code').textContent")
    for name in ("绘制", "补全图像", "并行绘制", "观察图像", "常见错误"):
        page.get_by_role("tab", name=name, exact=True).click()
        unfold(page)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name
