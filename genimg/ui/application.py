"""The page: a title, one tab for each kind of model, and how it is served."""

import contextlib
import ipaddress
import os
import secrets
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any

# It only counts before Gradio is imported: no telemetry from a class room.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import gradio as gr

from genimg.jobs.manager import JobManager
from genimg.ui import components
from genimg.ui.gan import tab as gan_tab
from genimg.ui.model_shelf import USES, fill_shelves
from genimg.ui.theme import CSS, Paper
from genimg.ui.training import tab as train_tab
from genimg.ui.training.own_data import LARGEST_UPLOAD_MB
from genimg.ui.training.run_models import RunModels
from genimg.ui.transformer import tab as transformer_tab

PARTS = ("draw", "complete", "look")
"""What is inside the Transformer tab, by the ids of its tabs."""
_ONE_HOUR = 3600


def build(
    checkpoints: Sequence[str | os.PathLike] = (),
    manager: JobManager | None = None,
    teacher_token: str = "",
) -> gr.Blocks:
    """Return the page.

    Args:
        checkpoints: paths of checkpoints or runs to offer, besides those that ship; the first is
            shown first.
        manager: of the runs; without one the page has no tab for training.
        teacher_token: who knows it may control every run; '' makes everybody the teacher.

    Raises:
        genimg.checkpoints.CheckpointError: one of them cannot be used, or there is none at all.
    """
    runs = {use: RunModels(manager, use).choices for use in USES} if manager else None
    shelves = fill_shelves(checkpoints, runs)
    openings = {}
    with gr.Blocks(
        title="genimg", analytics_enabled=False, delete_cache=(_ONE_HOUR, 2 * _ONE_HOUR)
    ) as demo:
        gr.Markdown("# genimg\nSee inside models that make images", elem_id="title")
        with gr.Tabs() as tabs:
            groups = [tabs]
            if "gan" in shelves:
                with gr.Tab("GAN", id="gan"):
                    openings["gan"] = gan_tab.build(shelves["gan"], demo).inside(tabs, "gan")
            if {"drawer", "vision"} & shelves.keys():
                with gr.Tab("Transformer", id="transformer"):
                    parts, inner = transformer_tab.build(shelves, demo)
                groups.append(inner)
                openings |= {use: part.inside(tabs, "transformer") for use, part in parts.items()}
            if manager:
                with gr.Tab("Training", id="train"):
                    train_tab.build(manager, teacher_token, openings)
        page = components.page()

        def open_link(request: gr.Request) -> list[Any]:
            tab = tab_of(request.query_params)
            chosen = {"transformer", tab} if tab in PARTS else {tab}
            ids = [[part.id for part in group.children] for group in groups]
            found = [next((id for id in part if id in chosen), None) for part in ids]
            opened = [gr.update(selected=id) if id else gr.skip() for id in found]
            return [*opened, {"tab": tab}]

        demo.load(
            open_link, None, [*groups, page], queue=False, show_progress="hidden",
            api_visibility="private",
        )  # fmt: skip
    return demo.queue(max_size=64, default_concurrency_limit=1)


def tab_of(query: Mapping[str, str]) -> str:
    """Return which tab a link opens; one from before links named it is known by what it shows."""
    known = query.get("tab", "")
    if known in ("gan", "transformer", "train", *PARTS):
        return known
    return "train" if "run" in query else "draw" if "drawer" in query else "gan"


def launch(
    *,
    checkpoints: Sequence[str | os.PathLike] = (),
    host: str | None = None,
    port: int | None = None,
    open_browser: bool = False,
    runs: str | os.PathLike = "runs",
    teacher_token: str = "",
    when_up: Callable[[str], None] = lambda address: None,
) -> None:
    """Build the page and serve it until it is stopped; runs in the background go on after it.

    Args:
        checkpoints: as for `build`, or what a run in `runs` is called.
        host: default 127.0.0.1, which only this machine reaches, or GRADIO_SERVER_NAME.
        port: default the first free one from 7860, or GRADIO_SERVER_PORT.
        open_browser: show the page.
        runs: folder of all training runs and of the pictures that visitors send.
        teacher_token: as for `build`; see `new_token`.
        when_up: called with the address of the page, once it answers; if other machines reach it,
            with the address that they use.

    Raises:
        genimg.checkpoints.CheckpointError: as for `build`.
        OSError: the host or the port cannot be had, or `runs` cannot be written.
    """
    _require_free(host, port)
    manager = JobManager(runs)
    try:
        models = [manager.model(os.fspath(name)) for name in checkpoints]
        demo = build(models, manager, teacher_token)
        manager.supervise()  # nothing is started for a page that cannot be built
        demo.launch(
            server_name=host,
            server_port=port,
            inbrowser=open_browser,
            theme=Paper(),
            css_paths=CSS,
            footer_links=["settings"],
            run_history=False,  # records every call in the browser: slow, and computers are shared
            enable_monitoring=False,
            share=False,
            show_error=False,
            strict_cors=True,
            max_file_size=f"{LARGEST_UPLOAD_MB}mb",
            allowed_paths=[],
            blocked_paths=[os.fspath(runs)],
            pwa=False,
            quiet=True,  # what Gradio would say of public links is not for this page
            prevent_thread_lock=True,
        )
        when_up(demo.local_url.replace("localhost", _reachable_at(demo.server_name)))
        demo.block_thread()
    finally:
        manager.close()


def _require_free(host: str | None, port: int | None) -> None:
    """Raise OSError, with the reason, if a host and a port that were asked for cannot be had."""
    host = host or "127.0.0.1"
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        socket.create_server((host, port or 0), family=family).close()
    except OSError as error:
        place = f"{host}, port {port}" if port else host
        raise OSError(
            f"the page cannot be served at {place}: {error.strerror}; choose another host or port"
        ) from None


def _reachable_at(host: str) -> str:
    """Return where other machines reach a server that listens at `host`, or "localhost"."""
    if host in ("0.0.0.0", "::"):
        with contextlib.suppress(OSError), socket.socket(type=socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))  # sends nothing: asks which way a packet would go
            return probe.getsockname()[0]
    return "localhost"


def new_token(host: str | None) -> str:
    """Return a token for the teacher if other machines reach `host`, a setting of `launch`, or ''.

    Whoever sits at the only machine that reaches the page needs none.
    """
    host = host or os.environ.get("GRADIO_SERVER_NAME") or "localhost"
    try:
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:  # the name of a machine
        local = False
    return "" if local else secrets.token_urlsafe(9)
