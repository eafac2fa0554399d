"""The game of the GAN tab: press, see, reload; with the keyboard, too."""

import pytest
from playwright.sync_api import expect

from genimg.training.game import fresh, look, play
from genimg.training.game_starts import STARTS, begin

pytestmark = pytest.mark.browser

expect.set_options(timeout=240_000)  # a busy machine is not a failure

SAMPLES = """() => {
  const canvas = document.querySelector('#game .samples canvas');
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  return Array.from(data).filter((_, i) => i % 4 === 0);
}"""


def open_game(page):
    page.locator("#game-fold").get_by_role("button", name="The game").click()
    page.wait_for_selector("#game .losses dd")
    return page


def press(page, player, times, until):
    page.locator("#game").get_by_role("button", name=f"× {times}", exact=True).click()
    page.locator("#game").get_by_role("button", name=player).click()
    page.wait_for_url(lambda url: f"moves={until}" in url)


def expect_shown(page, state, rules):
    """Wait until the page shows this state: its samples, and its numbers."""
    seen = look(state, rules)
    sheet = seen.samples[..., 0].reshape(4, 4, 28, 28).swapaxes(1, 2).reshape(112, 112)
    page.wait_for_function(
        f"expected => JSON.stringify(({SAMPLES})()) === JSON.stringify(expected)",
        arg=sheet.flatten().tolist(),
    )
    generated = f"{seen.fake.mean():+.2f}".replace("-", "−")
    expect(page.locator("#game [data-part=scores]")).to_contain_text(f"generated {generated}")


def test_nothing_is_computed_before_the_game_is_opened(open_page, rest):
    page = open_page()
    rest(page)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    assert page.locator("#game .losses dd").count() == 0
    open_game(page)
    assert [url for url in asked if "queue/join" in url]
    assert "game=" not in page.url  # what was only opened leaves no trace


def test_presses_teach_and_a_reload_restores(open_page):
    page = open_game(open_page())
    rules = STARTS["fresh"].rules
    expect_shown(page, fresh(), rules)
    press(page, "Discriminator learns", 10, "d10")
    press(page, "Generator learns", 10, "d10g10")
    state = play(play(fresh(), rules, "discriminator", 10), rules, "generator", 10)
    expect_shown(page, state, rules)
    for size in page.locator("#game .scores path").all():
        assert size.get_attribute("d")
    page.reload()
    page.wait_for_selector("#game .losses dd")
    expect_shown(page, state, rules)
    press(page, "Both learn", 1, "d10g10b1")
    expect_shown(page, play(state, rules, "both"), rules)


def test_a_link_opens_a_start(open_page):
    page = open_page("?game=strong-nonsaturating&moves=g1")
    page.wait_for_selector("#game .losses dd")
    rules = STARTS["strong-nonsaturating"].rules
    expect_shown(page, play(begin("strong-nonsaturating"), rules, "generator"), rules)
    expect(page.locator("#game .sentence")).to_have_text(STARTS["strong-nonsaturating"].sentence)
    page.locator("#game").get_by_role("button", name="Start again").click()
    page.wait_for_url(lambda url: "moves=" not in url)
    expect_shown(page, begin("strong-nonsaturating"), rules)


def test_a_damaged_link_says_so_and_can_be_left(open_page):
    page = open_page("?game=fresh&moves=d99999")
    expect(page.locator("#game [role=status]")).to_contain_text("This link is damaged")
    page.locator("#game").get_by_role("button", name="Start again").click()
    expect_shown(page, fresh(), STARTS["fresh"].rules)


def test_the_keyboard_reaches_everything(open_page):
    page = open_page()
    page.locator("#game-fold button.label-wrap").press("Enter")
    page.wait_for_selector("#game .losses dd")
    page.locator("#game [data-part=generator]").focus()
    expect(page.locator("#game p.part")).to_contain_text("Turns noise into pictures")
    page.keyboard.press("Tab")
    expect(page.locator("#game p.part")).to_contain_text("What the generator makes")
    page.locator("#game [data-times='10']").press("Enter")
    page.locator("#game [data-player=both]").press("Enter")
    page.wait_for_url(lambda url: "moves=b10" in url)
    expect_shown(page, play(fresh(), STARTS["fresh"].rules, "both", 10), STARTS["fresh"].rules)
    assert page.evaluate("document.activeElement.dataset.player") == "both"


def test_steps_are_named_in_order_as_they_happen(open_page):
    page = open_game(open_page())
    page.evaluate("""() => {
      window.marked = [];
      const note = () => {
        const step = document.querySelector('#game .steps .active')?.dataset.step;
        const edges = document.querySelectorAll('#game .edge.active').length;
        if (step && marked.at(-1)?.[0] !== step) marked.push([step, edges]);
      };
      const steps = document.querySelector('#game .steps');
      new MutationObserver(note).observe(steps, { subtree: true, attributeFilter: ['class'] });
    }""")
    page.locator("#game").get_by_role("button", name="Discriminator learns").click()
    page.wait_for_function("marked.length >= 4")
    assert [step for step, _ in page.evaluate("marked.slice(0, 4)")] == [
        "noise", "generate", "judge", "update",
    ]  # fmt: skip


def test_where_nothing_should_move_the_steps_are_not_marked_in_turn(open_page):
    page = open_game(open_page(reduced_motion="reduce"))
    page.evaluate("""() => {
      window.most = 0;
      const steps = document.querySelector('#game .steps');
      const note = () => { most = Math.max(most, steps.querySelectorAll('.active').length); };
      new MutationObserver(note).observe(steps, { subtree: true, attributeFilter: ['class'] });
    }""")
    press(page, "Both learn", 1, "b1")
    assert page.evaluate("most") == 4
    expect(page.locator("#game .steps .active")).to_have_count(0)


def test_who_has_to_wait_is_told(open_page):
    first, second = open_game(open_page()), open_game(open_page())
    first.goto(first.url.split("?")[0] + "?game=fresh&moves=" + "d7g7" * 50)
    expect(first.locator("#game [role=status]")).to_contain_text("Playing the moves")
    second.locator("#game [data-player=both]").click()
    expect(second.locator("#game [role=status]")).to_contain_text("Yours comes next")
    second.wait_for_url(lambda url: "moves=b1" in url)
    expect(second.locator("#game [role=status]")).to_have_text("")


def test_a_press_that_the_server_refuses_can_be_made_again(browser, server):
    page = browser.new_page()  # not `open_page`, which allows no refusal in the console
    page.set_default_timeout(240_000)
    page.goto(server)
    open_game(page)
    # As from a queue that is full.
    page.route("**/queue/join*", lambda route: route.fulfill(status=503, json={"detail": "full"}))
    page.locator("#game [data-player=both]").click()
    expect(page.locator("#game [role=status]")).to_contain_text("too busy")
    page.unroute("**/queue/join*")
    press(page, "Both learn", 1, "b1")
    page.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_the_page(open_page, width):
    page = open_game(open_page(width=width))
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    boxes = page.locator("#game .diagram .part").all()
    assert len(boxes) == 8
    for part in boxes:
        box, words = part.locator("rect").bounding_box(), part.locator("text").all()
        for text in words:
            inner = text.bounding_box()
            assert inner["x"] >= box["x"]
            assert inner["x"] + inner["width"] <= box["x"] + box["width"]
