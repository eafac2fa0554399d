"""The page behind a proxy, which may serve it below a path and tell nothing of its own address.

Gradio computes the addresses that the page asks from the `Host` of a request. Behind a proxy
that is often the server's own, which a visitor cannot reach. But a browser knows where it found
the page: `static/server.js` takes the addresses from there, and says on the page when the server
does not answer. It says so in the reader's language, which `static/words.js` finds out here, too:
before Gradio's own scripts begin.
"""

import re
from urllib.parse import quote, urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from genimg.ui.components import STATIC

_SCRIPTS = [(STATIC / name).read_text(encoding="utf-8") for name in ("words.js", "server.js")]
_STYLE = (STATIC / "server.css").read_text(encoding="utf-8")
_HEAD = f"<link rel=icon href=favicon.ico><style>{_STYLE}</style>" + "".join(
    f"<script>{script}</script>" for script in _SCRIPTS
)


def clean_root_path(text: str) -> str:
    """Return the path below which a proxy serves the page: "" or "/one/or/more" parts.

    Args:
        text: the path, or the whole public address of the page, as people write them.

    Raises:
        ValueError: it is neither.
    """
    address = urlsplit(text)
    bad = address.query or address.fragment or re.search(r"[\s\\\"'<>?#]", text)
    if bad or address.scheme not in ("", "http", "https") or ".." in address.path.split("/"):
        raise ValueError(
            f"--root-path must be a path such as /genimg, or the public address of the page, not"
            f" {text!r}"
        )
    path = address.path if address.scheme else text
    return "".join(f"/{part}" for part in path.split("/") if part)


class BehindProxy:
    """Middleware that answers below `root_path`, too, and lets the page find its server.

    It does not matter whether the proxy takes the path away before it passes a request on.

    Args:
        root_path: of `clean_root_path`.
    """

    def __init__(self, app: ASGIApp, root_path: str = "") -> None:
        self.app, self.root_path = app, root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if not any(name == b"host" for name, _ in scope["headers"]):
            scope["headers"].append((b"host", b"localhost"))  # Gradio's middleware looks for it
        path = re.sub("^/+", "/", scope["path"])  # a location without its slash leaves two
        if self.root_path and f"{path}/".startswith(f"{self.root_path}/"):
            path = path.removeprefix(self.root_path) or "/"
        if path != scope["path"]:
            scope = {**scope, "path": path, "raw_path": quote(path).encode()}
        await self.app(scope, receive, _Page(send, self.root_path))


class _Page:
    """Sends an answer on; in the page's HTML the addresses are mended."""

    def __init__(self, send: Send, root_path: str) -> None:
        self.send, self.root_path = send, root_path
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_html(message):
            self._start = message
        elif self._start is None:
            await self.send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._finish(self._start)

    async def _finish(self, start: Message) -> None:
        body = mended(self._body.decode(), self.root_path).encode()
        headers = [(name, value) for name, value in start["headers"] if name != b"content-length"]
        if self._body:  # of a HEAD request there is none
            headers.append((b"content-length", str(len(body)).encode()))
        await self.send({**start, "headers": headers})
        await self.send({"type": "http.response.body", "body": body if self._body else b""})


def _is_html(start: Message) -> bool:
    headers = dict(start["headers"])
    html = headers.get(b"content-type", b"").startswith(b"text/html")
    return html and b"content-encoding" not in headers


def mended(html: str, root_path: str) -> str:
    """Return the page with its own script, and with addresses relative to where it was found."""
    before, mark, after = html.partition("<script>window.gradio_config")
    if not mark:
        return html  # another page than ours
    config, end, after = after.partition("</script>")
    after = re.sub(r'const root = "[^"]*";', "const root = window.gradio_config.root;", after)
    after = after.replace('<link rel="manifest" href="/manifest.json" />', "")  # there is none
    before = before.replace('<base href="./" />', f'<base href="{root_path or "."}/" />')
    return before + mark + config + end + _HEAD + after
