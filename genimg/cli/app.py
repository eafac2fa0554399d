"""Serve the page until Ctrl-C; `python app.py` does the same.

    python -m genimg app --checkpoint runs/mine

The page needs no network: everything it shows comes from this machine.
"""

import argparse
import os

from genimg import __version__
from genimg.cli.engines import add_engine, use_engine
from genimg.cli.options import Parser, add_number, path
from genimg.ui.host import host_of, runs_of

SUMMARY = "open the page in the browser"


def add_arguments(parser: Parser, arguments: list[str]) -> None:
    """Add the options of `app`, which are those of app.py."""
    parser.add_argument(
        "--host",
        metavar="ADDRESS",
        help="Address to listen on; 0.0.0.0, or :: with IPv6, lets a classroom in (default"
        " 127.0.0.1, reachable from this machine alone).",
    )
    add_number(
        parser,
        "--port",
        int,
        "TCP port.",
        default=None,
        low=1,
        high=65_535,
        shown_default="the first free one from 7860",
    )
    parser.add_argument(
        "--root-path",
        default="",
        metavar="PATH",
        help="Path below which a proxy serves the page, such as /genimg (default none).",
    )
    parser.add_argument(
        "--checkpoint",
        action="append",
        default=[],
        metavar="NAME",
        help="Path of a checkpoint or a run, or the name of a run in --runs, to show besides those"
        " that ship; may be repeated (default none).",
    )
    parser.add_argument(
        "--runs",
        type=path,
        default=runs_of(os.environ),
        metavar="DIR",
        help="Folder of all training runs and uploaded pictures (default runs, or what GENIMG_RUNS"
        " names).",
    )
    add_engine(parser)
    parser.add_argument(
        "--teacher-token",
        default="",
        metavar="TEXT",
        help="Whoever knows it may control every run (default: a new one, which is printed, if"
        " other machines can reach the page; else everybody may).",
    )
    parser.add_argument(
        "--version",
        action="version",
        version=f"genimg {__version__}",
        help="Print the version and exit (default off).",
    )
    parser.add_argument(
        "--no-browser", action="store_true", help="Do not open a browser (default: open one)."
    )


def run(options: argparse.Namespace) -> int:
    """Serve the page until it is stopped; return the exit code."""
    # Gradio takes seconds to import, and only this command needs it.
    from genimg.ui import application, serving

    use_engine(options)
    token = options.teacher_token
    new = "" if token else serving.new_token(options.host, options.root_path)

    def say(address: str) -> None:
        if new:
            print(f"token of the teacher, who may control every run: {new}")
        print(f"the page is at {address} ; Ctrl-C stops it", flush=True)

    on_a_space = host_of(os.environ).space  # nobody sits in front of it
    application.launch(
        checkpoints=options.checkpoint,
        host=options.host,
        port=options.port,
        root_path=options.root_path,
        open_browser=not (options.no_browser or on_a_space),
        runs=str(options.runs),
        teacher_token=token or new,
        when_up=say,
    )
    return 0
