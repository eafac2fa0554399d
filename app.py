"""The web page, here or on a Hugging Face Space: python app.py --help."""

import argparse
import os
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the page until it is stopped; return the exit status."""
    parser = argparse.ArgumentParser(prog="app.py", description="Serve genimg's web page.")
    parser.add_argument(
        "--host",
        help="address to listen on; the default, 127.0.0.1, is reachable from this machine alone,"
        " and 0.0.0.0 lets a class room in",
    )
    parser.add_argument("--port", type=int, help="port; default: the first free one from 7860")
    parser.add_argument(
        "--checkpoint", action="append", default=[], metavar="PATH",
        help="a checkpoint or run directory to show besides those that ship; may be repeated",
    )  # fmt: skip
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    options = parser.parse_args(arguments)

    from genimg.ui import application  # slow: only after the options were found to be right

    on_a_space = os.environ.get("SYSTEM") == "spaces"
    try:
        application.launch(
            checkpoints=options.checkpoint,
            host=options.host,
            port=options.port,
            open_browser=not (options.no_browser or on_a_space),
        )
    except (ValueError, OSError) as error:  # a bad checkpoint; a port that is taken
        print(f"app.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
