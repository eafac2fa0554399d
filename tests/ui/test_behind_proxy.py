import asyncio
import json
import re
from pathlib import Path

import gradio
import pytest

from genimg.ui.behind_proxy import BehindProxy, clean_root_path, mended

TEMPLATE = Path(gradio.__file__).parent / "templates" / "frontend" / "index.html"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", ""),
        ("/", ""),
        ("/genimg", "/genimg"),
        ("genimg/", "/genimg"),
        ("/user/ada//proxy/7860/", "/user/ada/proxy/7860"),
        ("https://lab.example.org/genimg/", "/genimg"),
        ("https://lab.example.org", ""),
        ("/user/ada@x.org/", "/user/ada@x.org"),
    ],
)
def test_a_path_may_be_written_in_several_ways(text, path):
    assert clean_root_path(text) == path


@pytest.mark.parametrize("text", ["a b", "/x?y", "/x#y", "ftp://x/y", "/a/../b", '/"', "/<b>"])
def test_what_is_no_path_is_refused(text):
    with pytest.raises(ValueError, match="--root-path must be a path such as /genimg"):
        clean_root_path(text)


def ask(path: str, root_path: str = "", body: str = "", kind: str = "text/plain", headers=()):
    """Return what the app behind was asked, and what came back, header by header and the body."""
    asked, sent = {}, []

    async def app(scope, receive, send):
        asked.update(scope)
        head = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        half = len(body) // 2
        for part, more in ((body[:half], True), (body[half:], False)):
            await send({"type": "http.response.body", "body": part.encode(), "more_body": more})

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "path": path, "raw_path": path.encode(), "headers": list(headers)}
    asyncio.run(BehindProxy(app, root_path)(scope, None, send))
    content = b"".join(message.get("body", b"") for message in sent)
    return asked, dict(sent[0]["headers"]), content.decode()


@pytest.mark.parametrize(
    ("path", "root_path", "behind"),
    [
        ("/config", "", "/config"),
        ("/config", "/lab", "/config"),  # the proxy took the path away
        ("/lab/config", "/lab", "/config"),  # it did not
        ("/lab", "/lab", "/"),
        ("/lab/", "/lab", "/"),
        ("/labrador", "/lab", "/labrador"),
        ("//config", "/lab", "/config"),
        ("/", "/lab", "/"),
        ("/lab/a b/é", "/lab", "/a b/é"),
    ],
)
def test_the_app_is_asked_for_the_path_below_its_own(path, root_path, behind):
    asked, _, _ = ask(path, root_path)
    assert asked["path"] == behind


def test_a_request_without_host_gets_one():
    assert (b"host", b"localhost") in ask("/")[0]["headers"]
    assert ask("/", headers=[(b"host", b"lab")])[0]["headers"] == [(b"host", b"lab")]


def test_what_is_no_page_of_ours_passes_as_it_is():
    for kind in ("text/plain", "text/html; charset=utf-8", "application/json"):
        _, headers, content = ask("/", "/lab", "<html>é</html>", kind)
        assert content == "<html>é</html>"
    assert headers[b"content-type"] == b"application/json"


def test_the_page_takes_every_address_from_where_it_was_found():
    """On the template of the Gradio that is installed: another one may need another mending."""
    html = re.sub(
        r"\{\{.*?\}\}",
        lambda place: json.dumps("http://10.0.0.9:7860") if "root" in place[0] else "{}",
        TEMPLATE.read_text(encoding="utf-8").replace("{{ base_url | default('./') }}", "./"),
    )
    page = mended(html, "/lab")
    assert "10.0.0.9" not in page
    assert 'href="/manifest.json"' not in page
    assert '<base href="/lab/" />' in page
    assert '<base href="./" />' in mended(html, "")
    config, script = page.index("window.gradio_config ="), page.index("config.root = new URL(")
    assert config < script < page.index("iframeResizer.contentWindow") < page.index('"module"')
    _, headers, content = ask("/", "/lab", html, "text/html; charset=utf-8")
    assert content == page
    assert int(headers[b"content-length"]) == len(page.encode())
