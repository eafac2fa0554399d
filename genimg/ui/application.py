"""The page: a title, one tab for each kind of model, and how it is served."""

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
from gradio import http_server
from starlette.middleware import Middleware

from genimg.explore.uses import SHOWN
from genimg.jobs.engines.configured import Engines
from genimg.jobs.manager import JobManager
from genimg.jobs.recordings import Recordings
from genimg.ui import components, signing_in, texts
from genimg.ui.behind_proxy import BehindProxy, clean_root_path
from genimg.ui.compare import tab as compare_tab
from genimg.ui.events import QUIET
from genimg.ui.gan import tab as gan_tab
from genimg.ui.host import RUNS, Host, host_of, is_lost
from genimg.ui.messages import sentence
from genimg.ui.model_shelf import fill_shelves
from genimg.ui.proxies import without_proxies
from genimg.ui.serving import (
    in_address,
    listening_host,
    not_to_be_had,
    reachable_at,
    require_free,
    use_own_upload_folder,
)
from genimg.ui.temporary_files import UploadGate, keep_below
from genimg.ui.theme import CSS, Paper
from genimg.ui.training import recorded_tab
from genimg.ui.training import tab as train_tab
from genimg.ui.training.run_models import RunModels
from genimg.ui.transformer import tab as transformer_tab

PARTS = ("draw", "complete", "parallel", "look", "mistakes")
"""What is inside the Transformer tab, by the ids of its tabs."""
_ONE_HOUR = 3600
_HERE = "127.0.0.1"
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
    runs = {use: RunModels(manager, use).choices for use in SHOWN} if manager else None
    shelves = fill_shelves(checkpoints, runs)
    openings = {}
    with gr.Blocks(
        title="genimg", analytics_enabled=False, delete_cache=(_ONE_HOUR, 2 * _ONE_HOUR)
    ) as demo:
        components.title(line)
        with gr.Tabs(overflow_behavior="wrap") as tabs:
            groups = [tabs]
            if "gan" in shelves:
                with gr.Tab(texts.label("tab.gan"), id="gan"):
                    openings["gan"] = gan_tab.build(shelves["gan"], demo).inside(
                        tabs, SHOWN["gan"].tab_id
                    )
            if {"drawer", "masked-drawer", "vision"} & shelves.keys():
                with gr.Tab(texts.label("tab.transformer"), id="transformer"):
                    parts, inner = transformer_tab.build(shelves, demo)
                groups.append(inner)
                openings |= {
                    use: part.inside(tabs, SHOWN[use].tab_id) for use, part in parts.items()
                }
            if {"gan", "drawer"} <= shelves.keys():
                with gr.Tab(texts.label("tab.compare"), id=compare_tab.ID) as compare:
                    compare_tab.build(shelves["gan"], shelves["drawer"], compare)
            if manager:
                with gr.Tab(texts.label("tab.train"), id="train"):
                    if isinstance(manager, Recordings):
                        recorded_tab.build(manager, here, openings)
                    else:
                        train_tab.build(
                            manager, teacher_token, openings, demo, can_sign_in=here.can_sign_in
                        )
        page = components.page()

        def open_tab(request: gr.Request) -> list[Any]:
            tab = tab_of(request.query_params)
            # Without a tab in the link nothing is chosen: a visitor may have been quicker.
            chosen = {"transformer", tab} if tab in PARTS else {tab}
            ids = [[part.id for part in group.children] for group in groups]
            found = [next((id for id in part if id in chosen), None) for part in ids]
            opened = [gr.update(selected=id) if id else gr.skip() for id in found]
            return [*opened, {"tab": tab}]

        demo.load(
            open_tab, None, [*groups, page], queue=False, **QUIET,
        )  # fmt: skip
    return demo.queue(max_size=_LONGEST_QUEUE, default_concurrency_limit=1)


def tab_of(query: Mapping[str, str]) -> str:
    """Return which tab a link opens, '' for the first one.

    An older link does not name it, but what it shows tells.
    """
    known = query.get("tab", "")
    if known in ("gan", "transformer", compare_tab.ID, "train", *PARTS):
        return known
    return "train" if {"run", "race"} & query.keys() else "draw" if "drawer" in query else ""


def launch(
    *,
    checkpoints: Sequence[str | os.PathLike] = (),
    host: str | None = None,
    port: int | None = None,
    root_path: str | None = None,
    open_browser: bool = False,
    runs: str | os.PathLike = "runs",
    teacher_token: str = "",
    when_up: Callable[[str], None] = lambda address: None,
) -> None:
    """Build the page and serve it until it is stopped; runs in the background go on after it.

    Args:
        checkpoints: as for `build`, or what a run in `runs` is called.
        host: name, IPv4 or IPv6 address; default 127.0.0.1, which only this machine reaches, or
            GRADIO_SERVER_NAME.
        port: default the first free one from 7860, or GRADIO_SERVER_PORT.
        root_path: path below which a proxy serves the page, such as "/genimg", or the whole public
            address of the page; default GRADIO_ROOT_PATH.
        open_browser: show the page.
        runs: folder of all training runs and of the pictures that visitors send.
        teacher_token: as for `build`; see `serving.new_token`.
        when_up: called with the address of the page, once it answers; if other machines reach it,
            with the address that they use.

    Raises:
        genimg.checkpoints.CheckpointError: as for `build`.
        ValueError: `root_path` is neither.
        OSError: the host or the port cannot be had, or `runs` cannot be written.
    """
    public = root_path or os.environ.get("GRADIO_ROOT_PATH") or ""
    root_path = clean_root_path(public)
    host = listening_host(host)
    require_free(host, port)
    here = replace(host_of(os.environ), can_sign_in=signing_in.is_possible(os.environ))
    manager, trouble = _open_runs(here, runs)
    try:
        if not manager.only_watches:
            use_own_upload_folder(runs, 2 * _ONE_HOUR)
        line = here.line(lost=_is_lost(runs))
        if trouble:
            line = texts.say("frame.both", first=line, second=trouble)
        models = [manager.model(os.fspath(name)) for name in checkpoints]
        demo = build(models, manager, teacher_token, here, line)
        with without_proxies():
            _serve(demo, host, port, root_path, open_browser, here)
        # Only now: nothing is started for a page that cannot be served, nor without the proxies.
        if isinstance(manager, JobManager):
            manager.supervise()
        local = f"http://{reachable_at(host)}:{demo.server_port}{root_path}/"
        when_up(public if "://" in public else local)
        demo.block_thread()
    finally:
        manager.close()


def _serve(
    demo: gr.Blocks,
    host: str,
    port: int | None,
    root_path: str,
    open_browser: bool,
    here: Host,
) -> None:
    """Begin to serve the page."""
    http_server.LOCALHOST_NAME = _HERE  # where Gradio looks for a free port; IPv4 is all it can
    middleware = [Middleware(BehindProxy, root_path=root_path), *_gate(here)]
    try:
        demo.launch(
            server_name=in_address(host),
            server_port=port,
            root_path=root_path,
            app_kwargs={"middleware": middleware},
            inbrowser=open_browser,
            theme=Paper(),
            i18n=texts.translations(),
            css_paths=CSS,
            footer_links=["settings"],
            run_history=False,  # records every call in the browser: slow, and computers are shared
            enable_monitoring=False,
            share=False,
            show_error=False,
            strict_cors=True,
            max_file_size=here.largest_upload,
            allowed_paths=[],  # apart from what was uploaded, no file leaves
            pwa=False,
            quiet=True,  # what Gradio would say of public links is not for this page
            prevent_thread_lock=True,
            ssl_verify=False,  # it asks only itself, and needs no list of authorities
        )
    except OSError:
        raise not_to_be_had(host, port, "no port is free") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise not_to_be_had(host, port, str(error)) from None


def _open_runs(here: Host, runs: str | os.PathLike) -> tuple[JobManager | Recordings, str]:
    """Return the runs to show, and what is wrong with their folder, in one sentence, or ''.

    A Space whose folder of runs cannot be used shows recorded ones, instead of none and no page.
    """
    refusal, trouble = here.refusal, ""
    if here.training:
        try:
            engine = Engines(Path(runs), besides=signing_in.engines_of(os.environ))
            manager = JobManager(runs, limits=here.limits, engine=engine)
            if not (here.space and manager.only_watches):
                return manager, ""
            reason = manager.notice
            manager.close()
        except OSError as error:
            if not here.space:
                raise
            reason = error.strerror or "unknown reason"
        refusal = texts.say("frame.bad_folder", variable=RUNS, reason=reason)
        trouble = texts.say("frame.no_training", reason=sentence(refusal))
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
    gate = Middleware(
        UploadGate,
        largest=here.largest_upload,
        quota=here.temporary_bytes,
        refusal=sentence(here.refusal),
    )
    return [gate]
