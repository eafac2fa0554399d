"""The page below a path of a proxy that keeps its own address to itself, in a real browser."""

import contextlib
import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

BELOW = "/lab/genimg"
HOP_BY_HOP = {"host", "connection", "transfer-encoding", "server", "date"}


class Proxy(BaseHTTPRequestHandler):
    """Passes requests on, with the `Host` of the server behind, as nginx does when told nothing."""

    def forward(self) -> None:
        if not self.path.startswith(f"{BELOW}/"):
            self.send_error(404)
            return
        path = self.path.removeprefix(BELOW) if self.server.strips else self.path
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        upstream = http.client.HTTPConnection(self.server.behind)
        with contextlib.closing(upstream), contextlib.suppress(OSError):  # whoever looked went away
            try:
                upstream.request(self.command, path, body or None, self.kept(self.headers.items()))
                answer = upstream.getresponse()
            except OSError:
                self.send_error(502)
                return
            self.send_response(answer.status)
            for name, value in self.kept(answer.getheaders()).items():
                self.send_header(name, value)
            self.end_headers()
            while chunk := answer.read1(65_536):
                self.wfile.write(chunk)
                self.wfile.flush()

    do_GET = do_POST = do_HEAD = forward

    def kept(self, headers):
        return {name: value for name, value in headers if name.lower() not in HOP_BY_HOP}

    def log_message(self, *words):
        """Say nothing."""


@pytest.fixture
def proxied():
    """Put a proxy in front of a server and return the address of the page there."""
    with contextlib.ExitStack() as stack:

        def run(server: str, strips: bool) -> str:
            proxy = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), Proxy))
            proxy.behind, proxy.strips = urlsplit(server).netloc, strips
            threading.Thread(target=proxy.serve_forever, daemon=True).start()
            stack.callback(proxy.shutdown)
            return f"http://localhost:{proxy.server_port}{BELOW}/"

        yield run


@pytest.fixture
def open_at(browser):
    """Open the page at an address; return it with all addresses that it asked for."""
    pages = []

    def run(address: str):
        page = browser.new_page()
        pages.append(page)
        page.set_default_timeout(240_000)
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address)
        page.wait_for_function("document.querySelector('#picture img')?.naturalWidth > 0")
        return page, asked

    yield run
    for page in pages:
        page.close()


def draw_another(page) -> None:
    before = page.get_attribute("#picture img", "src")
    page.get_by_label("Seed").first.fill("77")
    page.get_by_label("Seed").first.press("Enter")
    page.wait_for_function("old => document.querySelector('#picture img').src !== old", arg=before)


def test_the_page_works_wherever_the_proxy_serves_it(serve, tmp_path, proxied, open_at):
    with serve(tmp_path, "--root-path", BELOW) as server:
        for address in (proxied(server, strips=True), proxied(server, strips=False), server):
            page, asked = open_at(address)
            draw_another(page)
            local = (address, "data:", "blob:")
            if address == server:  # here its resources lie below the path, too
                local = (server, *local)
            assert [url for url in asked if not url.startswith(local)] == []


def test_a_server_that_does_not_answer_is_said_until_it_does(serve, tmp_path, proxied, open_at):
    with serve(tmp_path, "--root-path", BELOW) as server:
        address = proxied(server, strips=False)
        page, _ = open_at(address)
        page.wait_for_selector("#unreached", state="attached")
        assert page.text_content("#unreached") == ""
        page.route("**/app_id", lambda route: route.fulfill(status=200, body="<p>log in</p>"))
        page.wait_for_function("document.querySelector('#unreached').textContent")
        page.unroute("**/app_id")
        page.wait_for_function("!document.querySelector('#unreached').textContent")
    page.wait_for_function("document.querySelector('#unreached').textContent")
    assert "The server does not answer" in page.text_content("#unreached")
