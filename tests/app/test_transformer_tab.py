import base64
import io
import json
import re
import urllib.request
from urllib.parse import urlencode

import numpy as np
import pytest
import torch
from PIL import Image

from genimg.explore.drawing import DEFAULT_GUIDANCE
from genimg.models.sampling import next_token_distribution
from genimg.ui import texts
from genimg.ui.transformer.components import STATIC

pytestmark = pytest.mark.browser

FIRST = {"label": "Coat", "seed": 3}
CANVAS = "canvas => canvas.toDataURL('image/png')"


def open_tab(open_page, query="", reduced_motion="no-preference", **options):
    page = open_page(query, **options)
    page.emulate_media(reduced_motion=reduced_motion)
    page.get_by_role("tab", name="Transformer").click()
    page.wait_for_selector("#drawing .head-grid button")
    return page


def shown(page, selector=".picture"):
    """Return what a canvas shows, uint8 (H, W, 4)."""
    uri = page.locator(f"#drawing {selector}").first.evaluate(CANVAS)
    return np.asarray(
        Image.open(io.BytesIO(base64.b64decode(uri.split(",", 1)[1]))).convert("RGBA")
    )


def expect_finished(page, drawing):
    count = len(drawing.tokens)
    page.wait_for_function(
        "text => document.querySelector('#drawing .step + output').textContent === text",
        arg=f"{count} of {count}",
    )
    np.testing.assert_array_equal(shown(page)[:, :, 0], drawing.image[:, :, 0])
    assert (shown(page)[:, :, 3] == 255).all()


def wait_for_caption(page, words):
    page.wait_for_function(
        "words => document.querySelector('#drawing .caption').textContent.includes(words)",
        arg=words,
    )


def set_sliders(page, **values):
    """Set sliders above the drawing, and wait until what could have come next follows."""
    for name, value in values.items():
        field = page.locator(f"#draw-{name.replace('_', '-')} input[type=number]")
        field.fill(str(value))
        field.press("Tab")
    words = "temperature {temperature:g}, top-k {top_k}, top-p {top_p:g}"
    words = words.format(**values | {"top_k": values["top_k"] or "all"})
    page.wait_for_function(
        "words => document.querySelector('#drawing .reshaped').textContent.split('now.')[0]"
        ".includes(words)",
        arg=words,
    )


def box_in_reach(page, selector):
    """Return where something is, once it is in sight and nothing lies above it."""
    place = page.locator(f"#drawing {selector}")
    place.hover()
    return place.bounding_box()


def click_patch(page, columns, token):
    box = box_in_reach(page, ".map.canvas")
    cell = box["width"] / columns
    row, column = divmod(token, columns)
    page.mouse.click(box["x"] + cell * (column + 0.5), box["y"] + cell * (row + 0.5))


def text(page, selector):
    return page.locator(f"#drawing {selector}").inner_text()


def weights_read(page, panel, columns, count):
    """Return the weights of the first `count` tokens, as read with the pointer."""
    box = box_in_reach(page, f"{panel} .map")
    cell = box["width"] / columns
    found = []
    for token in range(count):
        row, column = divmod(token, columns)
        page.mouse.move(box["x"] + cell * (column + 0.5), box["y"] + cell * (row + 0.5))
        reading = text(page, f"{panel} .reading")
        assert reading.startswith(f"token {token}: ")
        found.append(float(re.search(r"[\d.]+$", reading)[0]))
    return np.array(found)


def test_a_drawing_appears_token_by_token_and_its_link_opens_it(open_page, drawer):
    page = open_tab(open_page)
    expect_finished(page, drawer.generate(**FIRST))  # before anyone touched anything

    page.evaluate("""() => {
        window.steps = [];
        const output = document.querySelector('#drawing .step + output');
        new MutationObserver(() => steps.push(parseInt(output.textContent)))
            .observe(output, { childList: true });
    }""")
    page.locator("#draw-seed input").fill("7")
    page.locator("#draw-make").click()
    wait_for_caption(page, "seed 7")
    drawing = drawer.generate(label="Coat", seed=7)
    expect_finished(page, drawing)
    appearing = page.evaluate("steps")
    count = len(drawing.tokens)
    assert appearing[0] == 1  # never whole first
    assert appearing == sorted(appearing)
    assert len(set(appearing)) > 3  # however slow the machine
    assert appearing[-1] == count
    assert re.search(r"The model took [\d.]+ s; shown more", text(page, ".caption"))
    page.evaluate("steps.length = 0")
    page.locator("#draw-make").click()  # the same once more
    page.wait_for_function("steps.includes(1)")
    expect_finished(page, drawing)

    page.wait_for_function("location.search.includes('drawing=7')")
    page.wait_for_function(
        "document.querySelector('#drawing-code code').textContent.includes('seed=7')"
    )
    again = open_page(page.evaluate("location.search"))
    again.wait_for_selector("#drawing .head-grid button")  # the link opens the tab by itself
    wait_for_caption(again, "seed 7")
    expect_finished(again, drawing)


def test_every_step_and_every_head_is_there_at_once(open_page, drawer):
    page = open_tab(open_page)
    drawing = drawer.generate(**FIRST)
    rows, columns = drawer.grid
    frames = [image for _, _, image in drawer.stream(**FIRST)]
    for step in (1, columns + 2, len(frames)):
        # The page paints within the event: nothing can have been asked of the server.
        uri = page.locator("#drawing .step").evaluate(
            """(range, step) => {
                range.value = step;
                range.dispatchEvent(new Event('input'));
                return document.querySelector('#drawing .picture').toDataURL('image/png');
            }""",
            step,
        )
        found = np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))))
        drawn = found[:, :, -1] == 255
        assert drawn.sum() == step * 16
        expected = frames[step - 1][:, :, 0].astype(int)
        assert abs(found[:, :, 0].astype(int) - expected)[drawn].max() <= 1

    token = 2 * columns + 3
    click_patch(page, columns, token)
    assert text(page, ".query + output") == f"{token}"
    heads = page.locator("#drawing .head-grid button")
    largest = drawing.maps.all_heads(token).max()
    assert text(page, ".attention .color-bar span:last-child") == f"{largest:.3f}"
    for layer, head in [(1, 1), (0, 1), (1, 0)]:
        heads.nth(2 * layer + head).click()
        assert text(page, ".attention .place") == f"Layer {layer}, head {head}"
        weights = drawing.attention(layer, head, token)
        read = weights_read(page, ".attention", columns, token)
        np.testing.assert_allclose(read, weights[1 : token + 1], atol=1e-4)
        assert float(text(page, ".attention .special span")) == pytest.approx(weights[0], abs=6e-4)
        entropy = drawing.entropy(layer, head, token)
        label = heads.nth(2 * layer + head).get_attribute("aria-label")
        assert float(re.search(r"entropy ([\d.]+)", label)[1]) == pytest.approx(entropy, abs=6e-3)
    read = weights_read(page, ".rollout", columns, token)
    np.testing.assert_allclose(read, drawing.rollout(token)[1 : token + 1], atol=1e-4)
    heat = shown(page, ".attention .heat")
    assert heat.shape[:2] == (rows, columns)
    assert ((heat[:, :, 3] > 0).flatten() == (np.arange(rows * columns) < token)).all()

    page.locator("#drawing .map.canvas").press("ArrowUp")
    page.locator("#drawing .map.canvas").press("ArrowRight")
    assert text(page, ".query + output") == f"{token - columns + 1}"
    page.locator("#drawing .query").press("End")
    assert text(page, ".query + output") == f"{rows * columns - 1}"
    heads.nth(2).press("ArrowRight")
    assert text(page, ".attention .place") == "Layer 1, head 1"
    page.wait_for_function(
        "document.querySelector('#drawing-code code').textContent"
        f".includes('layer=1, head=1, query={rows * columns - 1}')"
    )


def test_the_distribution_is_reshaped_without_the_model(open_page, drawer):
    page = open_tab(open_page)
    picture = shown(page)
    drawing = drawer.generate(**FIRST)
    unguided = drawing.unconditional_logits
    logits = unguided + DEFAULT_GUIDANCE * (drawing.logits - unguided)
    click_patch(page, drawer.grid[1], 9)
    for temperature, top_k, top_p in [(1, 0, 1), (0.5, 0, 1), (1.5, 4, 1), (1, 0, 0.5), (0, 0, 1)]:
        set_sliders(page, temperature=temperature, top_k=top_k, top_p=top_p)
        vocabulary = logits.shape[1]
        expected = next_token_distribution(
            torch.from_numpy(logits[9]), temperature, top_k, top_p
        ).numpy()
        rows = page.locator("#drawing .bars > div").all()
        seen = 0
        for row in rows:
            if row.is_visible():
                token, share = row.locator("span").all_inner_texts()
                expected_share = 100 * expected[int(token.split()[0])]
                number = float(share.split()[0].lstrip("<>"))
                assert number == pytest.approx(expected_share, rel=6e-3, abs=1e-2)
                seen += 1
        assert seen == vocabulary  # all 12 of this small model
        possible = text(page, ".next .numbers")
        assert possible.startswith(f"{(expected > 0).sum()} of {vocabulary} tokens possible")
    assert page.locator("#drawing .bars .drawn").count() == 1
    drawn = "It was drawn with temperature 1, top-k all, top-p 1, guidance 1.75."
    assert drawn in text(page, ".reshaped")
    np.testing.assert_array_equal(shown(page), picture)

    page.locator("#draw-make").click()  # with what the sliders say now
    page.wait_for_function(
        "document.querySelector('#drawing .reshaped').textContent"
        " === 'As it was drawn: temperature 0, top-k all, top-p 1, guidance 1.75.'"
    )
    expect_finished(page, drawer.generate(**FIRST, temperature=0))


@pytest.mark.parametrize(("seed", "drawn"), [("7", True), ("99999999999", False)])
def test_the_picture_says_at_once_that_another_is_on_its_way(open_page, seed, drawn):
    page = open_tab(open_page)
    page.evaluate("""() => {
        window.said = [];
        const map = document.querySelector('#drawing .map.canvas');
        const say = () => said.push(getComputedStyle(map, '::after').content);
        new MutationObserver(say).observe(document.querySelector('#drawing > .html-container'),
            { attributes: true, attributeFilter: ['class'] });
    }""")
    page.locator("#draw-seed input").fill(seed)
    page.locator("#draw-make").click()
    if drawn:
        wait_for_caption(page, "seed 7")
    else:
        page.get_by_text("“Seed” must be a whole number").wait_for()
        assert page.locator("#draw-seed input").input_value() == "3"  # the one that is drawn
    page.wait_for_function("said.length > 1 && said.at(-1) === 'none'")
    assert "Drawing" in page.evaluate("said[0]")
    opacity = "getComputedStyle(document.querySelector('#drawing .picture')).opacity"
    page.wait_for_function(f"{opacity} === '1'")


def test_any_class_can_be_chosen(open_page, drawer):
    page = open_tab(open_page)
    page.locator("#draw-label select").select_option("any class")
    wait_for_caption(page, "any class")
    expect_finished(page, drawer.generate(label=None, seed=3))


def test_the_browsers_arithmetic_is_the_librarys(browser):
    page = browser.new_page()
    script = (STATIC / "next_token.js").read_text(encoding="utf-8")
    logits = torch.randn(200, 50, generator=torch.Generator().manual_seed(0)) * 3
    logits[:20] = logits[:20].round()  # with equal ones
    cases = [(1, 0, 1), (0, 0, 1), (0.01, 0, 1), (0.7, 5, 1), (1.3, 0, 0.83), (2, 20, 0.37)]
    for temperature, top_k, top_p in cases:
        found = page.evaluate(
            f"rows => {{ {script}; return rows.map("
            f"row => Array.from(nextTokenDistribution(row, {temperature}, {top_k}, {top_p}))); }}",
            logits.tolist(),
        )
        expected = next_token_distribution(logits, temperature, top_k, top_p)
        np.testing.assert_allclose(np.array(found), expected.numpy(), atol=2e-6)
    page.close()


def test_places_are_said_in_english(browser):
    page = browser.new_page()
    script = (STATIC / "next_token.js").read_text(encoding="utf-8")
    numbers = [1, 2, 3, 4, 10, 11, 12, 13, 21, 22, 58, 100, 101, 111, 112, 123, 1013]
    found = page.evaluate(f"numbers => {{ {script}; return numbers.map(ordinal); }}", numbers)
    said = [texts.say(words["say"], number=words["number"]) for words in found]
    ends = ["st", "nd", "rd", *["th"] * 5, "st", "nd", *["th"] * 2, "st", *["th"] * 2, "rd", "th"]
    assert said == [f"{number}{end}" for number, end in zip(numbers, ends, strict=True)]
    page.close()


def test_a_visitor_who_wants_no_motion_gets_none(open_page, drawer):
    page = open_tab(open_page, reduced_motion="reduce")
    page.locator("#draw-seed input").fill("8")
    page.locator("#draw-make").click()
    wait_for_caption(page, "seed 8")
    assert text(page, ".play") == "Play"
    expect_finished(page, drawer.generate(label="Coat", seed=8))
    assert "shown" not in text(page, ".caption")


def test_bad_seeds_and_links_are_one_sentence(open_page, drawer):
    page = open_page("?" + urlencode({"drawer": "<img src=x onerror=alert(1)>"}))
    page.get_by_text("there is no checkpoint").wait_for()  # and it goes away by itself
    page.get_by_role("tab", name="Transformer").click()
    expect_finished(page, drawer.generate(**FIRST))  # what is there without a link
    page.locator("#draw-seed input").fill("99999999999")
    page.locator("#draw-make").click()
    page.get_by_text("“Seed” must be a whole number from 0 to 4294967295").wait_for()
    expect_finished(page, drawer.generate(**FIRST))


@pytest.mark.parametrize(("width", "theme"), [(390, "dark"), (1280, "light")])
def test_nothing_overflows(open_page, width, theme):
    page = open_tab(open_page, f"?__theme={theme}", width=width, height=844)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    picture, attention = (
        page.locator(f"#drawing {name}").bounding_box() for name in (".now", ".attention")
    )
    below = attention["y"] > picture["y"] + picture["height"] - 1
    assert below == (width == 390)


def test_private_events_refuse_what_no_page_sends(server, paths):
    def post(name, data):
        request = urllib.request.Request(
            f"{server}gradio_api/run/{name}",
            json.dumps({"data": data}).encode(),
            {"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return response.read().decode()
        except urllib.error.HTTPError as error:
            return error.read().decode()

    good = [paths["drawer"], "Coat", 3, 1, 0, 1, 1]
    for changed in (
        ["/etc/passwd", *good[1:]],
        [*good[:2], -1, *good[3:]],
        [*good[:3], 99, *good[4:]],
        good[:3],
    ):
        answer = post("draw_picture", changed)
        assert '"bytes"' not in answer
        assert "Traceback" not in answer
    assert '"bytes"' in post("draw_picture", good)  # so the refusals were not about the address
