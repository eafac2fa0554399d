"""The tabs of the page."""

import json
import urllib.request


def test_a_tab_that_is_chosen_before_the_page_is_ready_stays_open(browser, server):
    """The answer that opens the tab of a link comes late, as on a busy machine."""
    held = []
    with urllib.request.urlopen(server + "config", timeout=60) as answer:
        events = json.load(answer)["dependencies"]
    (opens,) = (event["id"] for event in events if event["api_name"] == "open_tab")

    def hold(route):
        mine = route.request.post_data_json["fn_index"] == opens
        held.append(route) if mine else route.continue_()

    page = browser.new_page()
    page.route("**/gradio_api/run/**", hold)
    page.goto(server)
    page.get_by_role("tab", name="Transformer").click()
    while not held:
        page.wait_for_timeout(50)
    with page.expect_response("**/gradio_api/run/**"):
        held.pop().continue_()
    page.locator("#drawing .canvas").wait_for()
    page.get_by_role("tab", name="Look at a picture").click()
    page.wait_for_function("new URL(location).searchParams.get('tab') === 'look'")
    assert page.get_by_role("tab", name="Transformer").get_attribute("aria-selected") == "true"
    page.close()
