"""Everything from a terminal: `python -m genimg COMMAND`.

One module for each command, with `SUMMARY`, `add_arguments(parser, arguments)` and `run(options)`,
which returns the exit code. Success prints what was written and where and exits 0; bad input exits
2 with one line on standard error that says what to do. Other codes are those of
`genimg.training.worker`.
"""

import sys
from collections.abc import Sequence

from genimg.cli import app, attend, checkpoints, data, draw, evaluate, jobs, sample, train, walk
from genimg.cli.options import Parser
from genimg.training.task import Diverged
from genimg.training.worker import is_out_of_memory

COMMANDS = {
    "app": app,
    "train": train,
    "jobs": jobs,
    "sample": sample,
    "walk": walk,
    "draw": draw,
    "attend": attend,
    "evaluate": evaluate,
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
    try:
        options = _parser(arguments).parse_args(arguments)
        return options.run(options)
    except (ValueError, OSError) as error:
        return _fail(2, _sentence(error))
    except KeyboardInterrupt:
        return _fail(130, "interrupted")
    except Diverged as error:
        return _fail(70, str(error))
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        return _fail(71, "memory ran out; ask for fewer pictures, or a smaller batch or model")


def _fail(code: int, message: str) -> int:
    print("error:", " ".join(message.split()), file=sys.stderr)
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
    commands = parser.add_subparsers(metavar="COMMAND", required=True, title="commands")
    for name, module in COMMANDS.items():
        command = commands.add_parser(name, help=module.SUMMARY, description=module.__doc__)
        module.add_arguments(command, arguments)
        command.set_defaults(run=module.run)
    return parser
