"""How much room uploads, and what else Gradio keeps for a moment, may take where strangers come.

Gradio takes in a file from anybody who sends one, whether or not a button asks for it, and keeps
it for hours. Here an upload that may not be, or for which there is no room, is refused before its
first byte is read, and the oldest files go when all together take too much.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from gradio.utils import get_upload_folder

_YOUNG_SECONDS = 60.0  # somebody may still be reading it
_SWEEP_SECONDS = 20.0
_FULL = 507
_logger = logging.getLogger(__name__)


class UploadGate:
    """ASGI middleware before Gradio's route for uploads.

    Args:
        app: what is asked next.
        largest: bytes of one upload, 0 is none at all.
        quota: bytes of all temporary files together.
        refusal: why no upload is taken, in one sentence, where `largest` is 0.
        folder: returns the folder of the temporary files.
    """

    def __init__(
        self,
        app: Callable[..., Awaitable[None]],
        *,
        largest: int,
        quota: int,
        refusal: str = "",
        folder: Callable[[], str] = get_upload_folder,
    ) -> None:
        self.app, self.largest, self.quota, self.refusal = app, largest, quota, refusal
        self.folder = folder
        self._arriving = 0  # bytes of uploads that are on their way; one event loop counts them

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request, or hand it on."""
        if not _is_upload(scope):
            return await self.app(scope, receive, send)
        size = _length(scope)
        refused = self._refusal(size)
        if refused is not None:
            if refused[0] == _FULL:  # not too large to be read, and only then a browser listens
                while (await receive()).get("more_body"):
                    pass
            return await _answer(send, *refused)
        self._arriving += size
        try:
            await self.app(scope, receive, send)
        finally:
            self._arriving -= size

    def _refusal(self, size: int) -> tuple[int, str] | None:
        """Return the status and the sentence with which an upload is refused, or None."""
        if not self.largest:
            return 403, self.refusal
        if size < 0:
            return 411, "an upload must say how long it is; send it with a Content-Length"
        if size > self.largest:
            return 413, f"a file may have {self.largest / 1e6:.0f} MB here; send a smaller one"
        room = self.quota - self._arriving - size
        if make_room(Path(self.folder()), room) > room:
            return _FULL, "there is no room for uploads just now; try again in a minute"
        return None


def make_room(folder: Path, quota: int) -> int:
    """Delete the oldest files below `folder` until they take `quota` bytes; return what they take.

    Files of the last minute stay, because somebody may still be reading them.
    """
    files = []
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):  # it is just being deleted
            if path.is_file() and not path.is_symlink():
                facts = path.stat()
                files.append((facts.st_mtime, facts.st_size, path))
    taken = sum(size for _, size, _ in files)
    for written, size, path in sorted(files, key=lambda file: file[0]):
        if taken <= max(0, quota) or time.time() - written < _YOUNG_SECONDS:
            break
        with contextlib.suppress(OSError):
            path.unlink()
            taken -= size
    return taken


def keep_below(quota: int, *, seconds: float = _SWEEP_SECONDS) -> None:
    """Start a thread that makes room in Gradio's folder for as long as this process lives."""

    def sweep() -> None:
        while True:
            try:
                make_room(Path(get_upload_folder()), quota)
            except OSError as error:
                _logger.warning("temporary files could not be looked at: %s", error)
            time.sleep(seconds)

    threading.Thread(target=sweep, name="temporary files", daemon=True).start()


def _is_upload(scope: Any) -> bool:
    path = scope["path"].rstrip("/") if scope["type"] == "http" else ""
    return path.endswith("/upload") and scope["method"] == "POST"


def _length(scope: Any) -> int:
    """Return how many bytes a request says that it brings; -1 if it does not say."""
    given = dict(scope["headers"]).get(b"content-length", b"")
    return int(given) if given.isdigit() else -1


async def _answer(send: Any, status: int, sentence: str) -> None:
    text = sentence.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text})
