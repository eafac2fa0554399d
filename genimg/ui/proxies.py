"""A way past the proxies of the environment. It imports nothing: even Gradio comes after it."""

import contextlib
import os
from collections.abc import Iterator


@contextlib.contextmanager
def without_proxies() -> Iterator[None]:
    """Let this process reach the network directly, whatever proxy its environment names.

    Gradio asks its own server whether it is up, and a proxy elsewhere cannot reach this machine's
    loopback. Some settings of desktops (`ALL_PROXY=socks://...`) even break the asking.
    """
    names = ("no_proxy", "NO_PROXY")  # which of the two counts differs
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "*"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
