import io
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from genimg.render.colors import color_table
from genimg.ui.pixels import disc, text_of
from genimg.ui.transformer.vision_handlers import first_choice

pytestmark = pytest.mark.browser

NOISE = np.random.default_rng(0).integers(0, 256, (32, 32, 1), np.uint8)
PIXELS = """canvas => Array.from(
  canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data)"""


@pytest.fixture
def vision(models):
    return models.vision


def open_tab(open_page, **options):
    page = open_page(**options)
    page.get_by_role("tab", name="Transformer").click()
    page.get_by_role("tab", name="Look at a picture").click()
    page.wait_for_selector("#vision .class-bars button")
    return page


def colors_in(page, selector):
    """Return what a canvas shows, uint8 (H, W, 3)."""
    values = np.array(page.locator(selector).first.evaluate(PIXELS), np.uint8)
    side = int(np.sqrt(values.size // 4))
    return values.reshape(side, side, 4)[..., :3]


def expect_picture(page, picture):
    """Wait until the viewer looks at this picture."""
    page.wait_for_function(
        """expected => {
          const canvas = document.querySelector('#vision .under');
          const { data } = canvas.getContext('2d').getImageData(0, 0, 32, 32);
          return expected.every((value, i) => data[4 * i] === value);
        }""",
        arg=picture.ravel().tolist(),
    )


def expect_heat(page, selector, weights, high):
    """The colors are those of the weights of the patches on a scale from 0 to `high`."""
    share = np.clip(weights[1:].reshape(8, 8) / high, 0, 1)
    expected = color_table("sequential")[np.rint(share * 256).astype(int)]
    difference = abs(colors_in(page, selector).astype(int) - expected)
    assert difference.max() <= 4  # a neighbour in the table, where a share lies between two


def upload(page, picture):
    file = io.BytesIO()
    Image.fromarray(picture[..., 0]).save(file, "png")
    page.locator("#vision-pad input[type=file]").set_input_files(
        {"name": "a.png", "mimeType": "image/png", "buffer": file.getvalue()}
    )
    expect_picture(page, picture)


def head(page, layer, number):
    return page.locator("#vision .head-grid button").nth(2 * layer + number)


def check_everything(page, vision, picture, layer, number, query):
    maps = vision.look(picture)
    weights = maps.attention(layer, number, query)
    high = maps.all_heads(query)[..., 1:].max()
    expect_heat(page, "#vision .attention .heat", weights, high)
    for other in range(4):
        row = maps.attention(other // 2, other % 2, query)
        selector = f"#vision .head-grid button:nth-of-type({other + 1}) canvas.hatched"
        expect_heat(page, selector, row, high)
        entropy = maps.entropy(other // 2, other % 2, query)
        assert f"entropy {entropy:.2f}" in head(page, other // 2, other % 2).get_attribute("title")
    rollout = maps.rollout(query)
    expect_heat(page, "#vision .rollout .heat", rollout, rollout[1:].max())
    numbers = page.locator("#vision .attention .numbers").inner_text()
    assert f"Entropy {maps.entropy(layer, number, query):.2f} nats" in numbers
    assert f"{weights.max():.3f}" in numbers


def first_place(vision):
    """Return the layer, head and query of the disc that is there first."""
    chosen = first_choice(vision.look(disc(32, 1)))
    return chosen["layer"], chosen["head"], chosen["query"]


def test_first_paint_is_attention(open_page, vision):
    page = open_tab(open_page)
    expect_picture(page, disc(32, 1))
    check_everything(page, vision, disc(32, 1), *first_place(vision))
    probabilities = vision.classify(disc(32, 1)[None])[0]
    shares = [
        float(re.search(r"([\d.]+) %", bar)[1])
        for bar in page.locator("#vision .class-bars button").all_inner_texts()
    ]
    assert shares == pytest.approx(sorted(100 * probabilities, reverse=True), abs=0.051)


def test_maps_can_show_what_is_added(open_page, vision):
    page = open_tab(open_page)
    expect_picture(page, disc(32, 1))
    page.locator("#vision").get_by_role("radio", name="What it adds").check()
    maps, (layer, number, query) = vision.look(disc(32, 1)), first_place(vision)
    high = max(maps.contribution(i, j, query)[1:].max() for i in range(2) for j in range(2))
    for again in (False, True):
        if again:
            page.reload()
            page.wait_for_selector("#vision .class-bars button", state="attached")
            expect_picture(page, disc(32, 1))
        lengths = maps.contribution(layer, number, query)
        expect_heat(page, "#vision .attention .heat", lengths, high)
        page.wait_for_function("location.search.includes('looker_maps=added')")


@pytest.mark.parametrize("width", [390, 1280])
def test_positions_are_compared_with_the_query(open_page, vision, width):
    page = open_tab(open_page, width=width)
    ways = page.locator("#vision .ways figure")
    expect(ways.first).to_be_hidden()
    page.get_by_role("button", name="How it knows where a patch is").press("Enter")
    expect(ways).to_have_count(3)
    box = ways.first.locator(".map").bounding_box()
    center = {"x": 0.56 * box["width"], "y": 0.31 * box["height"]}  # of 8 x 8 patches
    ways.first.locator(".map").click(position=center)
    expect(page.locator("#vision .query output")).to_contain_text("row 2, column 4")
    for way, found in enumerate(vision.position_similarities().values()):
        selector = f"#vision .ways figure:nth-child({way + 1}) canvas"
        share = (1 + found[2 * 8 + 4].reshape(8, 8)) / 2
        expected = color_table("diverging")[np.rint(np.clip(share, 0, 1) * 256).astype(int)]
        assert abs(colors_in(page, selector).astype(int) - expected).max() <= 4
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_heads_and_patches_are_switched_without_asking(open_page, vision):
    page = open_tab(open_page)
    upload(page, NOISE)
    check_everything(page, vision, NOISE, *first_place(vision))  # another picture, the same place
    head(page, 1, 0).click()
    page.route("**/gradio_api/**", lambda route: None)  # from now on the server never answers
    page.locator("#vision .attention .map").hover()
    box = page.locator("#vision .attention .map").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 5.5 / 8, box["y"] + box["height"] * 2.5 / 8)
    assert page.locator("#vision .query output").inner_text() == "22: row 2, column 5"
    check_everything(page, vision, NOISE, 1, 0, 22)
    head(page, 0, 1).click()
    check_everything(page, vision, NOISE, 0, 1, 22)
    page.keyboard.press("ArrowDown")
    check_everything(page, vision, NOISE, 1, 1, 22)
    page.get_by_label("Query: who looks").focus()
    page.keyboard.press("ArrowRight")
    check_everything(page, vision, NOISE, 1, 1, 23)
    page.locator("#vision .query button").click()
    check_everything(page, vision, NOISE, 1, 1, 0)
    own = vision.attention(NOISE, 1, 1)
    page.get_by_label("Its own scale").check()
    expect_heat(page, "#vision .attention .heat", own, own[1:].max())
    page.unroute_all(behavior="ignoreErrors")


def test_a_class_shows_what_speaks_for_it(open_page, vision):
    page = open_tab(open_page)
    upload(page, NOISE)
    relevance = {name: vision.relevance(NOISE, name) for name in vision.classes}
    for name in ("Coat", "Shoe", "Hat"):
        page.locator("#vision .class-bars button", has_text=name).click()
        assert page.locator("#vision .relevance .place").inner_text() == name
        expect_heat(page, "#vision .relevance .heat", relevance[name], relevance[name][1:].max())


def test_a_stroke_is_looked_at(open_page, vision):
    page = open_tab(open_page)
    page.locator("#vision-pad").get_by_role("button", name="Clear").click()
    expect_picture(page, np.zeros((32, 32, 1), np.uint8))
    page.locator("#vision-pad canvas").hover()
    box = page.locator("#vision-pad canvas").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.8, steps=10)
    page.mouse.up()
    page.wait_for_function(
        """() => document.querySelector('#vision .under').getContext('2d')
          .getImageData(16, 16, 1, 1).data[0] > 150"""
    )
    seen = colors_in(page, "#vision .under")[..., :1]
    check_everything(page, vision, seen, *first_place(vision))


def test_the_code_says_what_is_looked_at(open_page):
    page = open_tab(open_page)
    head(page, 0, 1).click()
    page.get_by_label("Query: who looks").focus()
    page.keyboard.press("End")
    page.wait_for_function(
        "document.querySelector('#vision-code code').textContent"
        ".includes('layer=0, head=1, query=64')"
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_overflows_on_a_phone(open_page, theme):
    page = open_tab(open_page, query=f"?__theme={theme}", width=390, height=844)
    page.get_by_role("button", name="The numbers in Python").click()
    order = ("#vision-pad canvas", "#vision .class-bars", "#vision .head-grid", "#vision-code")
    places = [page.locator(name).bounding_box()["y"] for name in order]
    assert places == sorted(places)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_endpoint_answers_clients(server, paths, vision):
    from gradio_client import Client

    client = Client(server, verbose=False)
    answer = client.predict(paths["vision"], text_of(NOISE), 1, 0, 5, api_name="/look")
    assert answer["attention"] == pytest.approx(vision.attention(NOISE, 1, 0, 5).tolist(), rel=1e-5)
    with pytest.raises(Exception, match="the query must be"):
        client.predict(paths["vision"], text_of(NOISE), 1, 0, 65, api_name="/look")
