"""The page: a title, one tab for each kind of model, and how it is served."""

import os
from collections.abc import Sequence

# It only counts before Gradio is imported: no telemetry from a class room.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import gradio as gr

from genimg.ui import gan_tab
from genimg.ui.model_shelf import fill_shelves
from genimg.ui.theme import CSS, Paper

_ONE_HOUR = 3600


def build(checkpoints: Sequence[str | os.PathLike] = ()) -> gr.Blocks:
    """Return the page.

    Args:
        checkpoints: paths of checkpoints or runs to offer, besides those that ship; the first is
            shown first.

    Raises:
        genimg.checkpoints.CheckpointError: one of them cannot be used, or there is none at all.
    """
    shelves = fill_shelves(checkpoints)
    with gr.Blocks(
        title="genimg", analytics_enabled=False, delete_cache=(_ONE_HOUR, 2 * _ONE_HOUR)
    ) as demo:
        gr.Markdown("# genimg\nSee inside models that make images", elem_id="title")
        with gr.Tabs():
            if "gan" in shelves:
                with gr.Tab("GAN", id="gan"):
                    gan_tab.build(shelves["gan"], demo)
    return demo.queue(max_size=64, default_concurrency_limit=1)


def launch(
    *,
    checkpoints: Sequence[str | os.PathLike] = (),
    host: str | None = None,
    port: int | None = None,
    open_browser: bool = False,
) -> None:
    """Build the page and serve it until it is stopped.

    Args:
        checkpoints: as for `build`.
        host: default 127.0.0.1, which only this machine reaches, or GRADIO_SERVER_NAME.
        port: default the first free one from 7860, or GRADIO_SERVER_PORT.
        open_browser: show the page.

    Raises:
        genimg.checkpoints.CheckpointError: as for `build`.
        OSError: the port is taken.
    """
    build(checkpoints).launch(
        server_name=host,
        server_port=port,
        inbrowser=open_browser,
        theme=Paper(),
        css_paths=CSS,
        footer_links=["settings"],
        run_history=False,  # it records every call in the browser: slow, and computers are shared
        enable_monitoring=False,
        share=False,
        show_error=False,
        strict_cors=True,
        max_file_size="1mb",
        allowed_paths=[],
        pwa=False,
    )
