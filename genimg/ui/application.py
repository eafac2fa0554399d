"""The page: a title, one tab for each kind of model, and how it is served."""

import contextlib
import ipaddress
import os
import secrets
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

# It only counts before Gradio is imported: no telemetry from a class room.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import gradio as gr
from starlette.middleware import Middleware

from genimg.jobs.manager import JobManager
from genimg.jobs.recordings import Recordings
from genimg.ui.gan import tab as gan_tab
from genimg.ui.host import RUNS, Host, host_of, is_lost
from genimg.ui.messages import sentence
from genimg.ui.model_shelf import USES, fill_shelves
from genimg.ui.temporary_files import UploadGate, keep_below
from genimg.ui.theme import CSS, Paper
from genimg.ui.training import recorded_tab
from genimg.ui.training import tab as train_tab
from genimg.ui.training.run_models import RunModels
from genimg.ui.transformer import tab as transformer_tab

_ONE_HOUR = 3600
_LONGEST_QUEUE = 64  # ZeroGPU's would be 1 if none were asked for
_RECORDED_RUNS = Path(__file__).parent / "recordings"


def build(
    checkpoints: Sequence[str | os.PathLike] = (),
    manager: JobManager | Recordings | None = None,
    teacher_token: str = "",
    here: Host | None = None,
    line: str = "",
) -> gr.Blocks:
    """Return the page.

    Args:
        checkpoints: paths of checkpoints or runs to offer, besides those that ship; the first is
            shown first.
        manager: of the runs; without one the page has no tab for training, and where nothing may
            be trained it only shows recorded ones.
        teacher_token: who knows it may control every run; '' makes everybody the teacher.
        here: what this machine can do; by default this is somebody's own.
        line: what the page says of it.

    Raises:
        genimg.checkpoints.CheckpointError: one of them cannot be used, or there is none at all.
    """
    here = here or Host()
    runs = {use: RunModels(manager, use).choices for use in USES} if manager else None
    shelves = fill_shelves(checkpoints, runs)
    openings = {}
    with gr.Blocks(
        title="genimg", analytics_enabled=False, delete_cache=(_ONE_HOUR, 2 * _ONE_HOUR)
    ) as demo:
        said = f" · {line}" if line else ""
        gr.Markdown(f"# genimg\nSee inside models that make images{said}", elem_id="title")
        with gr.Tabs() as tabs:
            if "gan" in shelves:
                with gr.Tab("GAN", id="gan"):
                    openings["gan"] = gan_tab.build(shelves["gan"], demo).inside(tabs, "gan")
            if {"drawer", "vision"} & shelves.keys():
                with gr.Tab("Transformer", id="transformer"):
                    parts = transformer_tab.build(shelves, demo, tabs)
                openings |= {use: part.inside(tabs, "transformer") for use, part in parts.items()}
            if manager:
                with gr.Tab("Training", id="train"):
                    if isinstance(manager, Recordings):
                        recorded_tab.build(manager, here, demo, tabs, openings)
                    else:
                        train_tab.build(manager, teacher_token, demo, tabs, openings)
    return demo.queue(max_size=_LONGEST_QUEUE, default_concurrency_limit=1)


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
    here = host_of(os.environ)
    manager, trouble = _open_runs(here, runs)
    try:
        line = f"{here.line(lost=_is_lost(runs))} {trouble}".strip()
        models = [manager.model(os.fspath(name)) for name in checkpoints]
        demo = build(models, manager, teacher_token, here, line)
        if isinstance(manager, JobManager):
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
            max_file_size=here.largest_upload,
            app_kwargs={"middleware": _gate(here)},
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


def _open_runs(here: Host, runs: str | os.PathLike) -> tuple[JobManager | Recordings, str]:
    """Return the runs to show, and what is wrong with their folder, in one sentence, or ''.

    A Space whose folder of runs cannot be used shows recorded ones, instead of none and no page.
    """
    refusal, trouble = here.refusal, ""
    if here.training:
        try:
            manager = JobManager(runs, limits=here.limits)
            if not (here.space and manager.only_watches):
                return manager, ""
            reason = manager.notice
            manager.close()
        except OSError as error:
            if not here.space:
                raise
            reason = error.strerror
        refusal = f"the folder that {RUNS} names cannot be used ({reason})"
        trouble = f"{sentence(refusal)} Nothing can be trained until it can."
    return Recordings(_RECORDED_RUNS, refusal, Path(runs) if here.moments else None), trouble


def _is_lost(runs: str | os.PathLike) -> bool:
    """Return whether this machine's next start finds no runs any more."""
    mounts = ""
    with contextlib.suppress(OSError):
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace")
    return is_lost(os.path.realpath(runs), mounts)


def _gate(here: Host) -> list[Middleware]:
    """Return what keeps strangers' files from filling the disk, where strangers come."""
    if not here.temporary_bytes:
        return []
    keep_below(here.temporary_bytes)
    limits = {"largest": here.largest_upload, "quota": here.temporary_bytes}
    return [Middleware(UploadGate, refusal=sentence(here.refusal), **limits)]


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

    Whoever sits at the only machine that reaches the page needs none; nobody sits at a Space.
    """
    here = host_of(os.environ)
    if here.space:
        return secrets.token_urlsafe(9) if here.training else ""
    host = host or os.environ.get("GRADIO_SERVER_NAME") or "localhost"
    try:
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:  # the name of a machine
        local = False
    return "" if local else secrets.token_urlsafe(9)
