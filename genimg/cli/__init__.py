"""Everything from a terminal: `python -m genimg COMMAND`.

One module for each command, with `SUMMARY`, `add_arguments(parser, arguments)` and `run(options)`,
which returns the exit code. A command that succeeds prints what it wrote and where, and exits with
0; bad input exits with 2 and one line on standard error that says what to do. Other codes are those
of `genimg.training.worker`.
"""

import errno
import os
import sys
from collections.abc import Sequence

from genimg import __version__
from genimg.cli import (
    ablate,
    app,
    attend,
    checkpoints,
    combine,
    data,
    draw,
    evaluate,
    heads,
    invert,
    jobs,
    lens,
    sample,
    train,
    walk,
)
from genimg.cli.options import Parser
from genimg.training.task import Diverged
from genimg.training.worker import is_out_of_memory

COMMANDS = {
    "app": app,
    "train": train,
    "jobs": jobs,
    "sample": sample,
    "walk": walk,
    "combine": combine,
    "invert": invert,
    "draw": draw,
    "attend": attend,
    "lens": lens,
    "ablate": ablate,
    "evaluate": evaluate,
    "heads": heads,
    "data": data,
    "checkpoints": checkpoints,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Args:
        arguments: what follows the program's name; None takes the process's own.

    Raises:
        SystemExit: after `--help`, with code 0.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    _cope_with_any_encoding()
    try:
        return _run(arguments)
    except (ValueError, OSError) as error:
        if _is_closed_pipe(error):
            return _end_quietly()
        code = _fail(2, _sentence(error))
        _end_quietly()  # the output may be what failed
        return code
    except KeyboardInterrupt:
        return _fail(130, "interrupted")
    except Diverged as error:
        return _fail(70, str(error))
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        return _fail(71, "memory ran out; ask for fewer pictures, or a smaller batch or model")


def _run(arguments: list[str]) -> int:
    """Do what was asked, and make sure that all of the output has arrived."""
    try:
        options = _parser(arguments).parse_args(arguments)
        return options.run(options)
    finally:
        if sys.stdout is not None:
            sys.stdout.flush()


def _cope_with_any_encoding() -> None:
    """Have characters that a terminal's encoding lacks written like \\u732b."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _is_closed_pipe(error: Exception) -> bool:
    """Tell whether nobody reads the output any more, as after `| head`."""
    if sys.platform == "win32" and isinstance(error, OSError) and error.errno == errno.EINVAL:
        return not error.filename
    return isinstance(error, BrokenPipeError)


def _end_quietly() -> int:
    """Discard what is still to be written; return the exit code of a closed pipe."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(nowhere, stream.fileno())
    return 128 + 13  # what a shell says of a program that SIGPIPE ended


def _fail(code: int, message: str) -> int:
    try:
        print("error:", " ".join(message.split()), file=sys.stderr, flush=True)
    except OSError as error:
        if not _is_closed_pipe(error):
            raise
        _end_quietly()
    return code


def _sentence(error: ValueError | OSError) -> str:
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}; choose another place, or make this one usable"
    return str(error)


def _parser(arguments: list[str]) -> Parser:
    parser = Parser(
        prog="python -m genimg",
        description="Train small GANs and image Transformers, and look inside them.",
        epilog="`python -m genimg COMMAND --help` explains one command.",
    )
    parser.add_argument("--version", action="version", version=f"genimg {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, title="commands")
    for name, module in COMMANDS.items():
        command = commands.add_parser(name, help=module.SUMMARY, description=module.__doc__)
        module.add_arguments(command, arguments)
        command.set_defaults(run=module.run)
    return parser
