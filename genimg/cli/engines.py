"""The options that name somewhere else to train."""

import argparse
import dataclasses
import json
import typing
from pathlib import Path
from typing import Any

from genimg.cli.options import Parser, add_number, help_text
from genimg.cli.tables import plain, table
from genimg.configuration import Configuration
from genimg.jobs.devices import LOCAL, Device, engine_of
from genimg.jobs.engine import Handle
from genimg.jobs.engines.cluster import Given
from genimg.jobs.engines.configured import introduce, read_settings, write_settings
from genimg.jobs.engines.hub import HubCluster, HubSettings
from genimg.jobs.engines.registry import ENGINES, engine_named

_HEAD = ("device", "runs at a time", "where")


def add_engine(parser: Parser) -> None:
    """Add `--engine` and `--address` to a command that queues runs, or serves the page."""
    parser.add_argument(
        "--engine",
        metavar="NAME",
        help=f"Where to train: {LOCAL}, {', '.join(ENGINES)} (default {LOCAL}, or where it was).",
    )
    parser.add_argument(
        "--address",
        metavar="URL",
        help="Where the engine is, if it was not named before by: jobs engine NAME (default: where"
        " it was).",
    )
    parser.set_defaults(engine_settings=None)


def add_engine_settings(parser: Parser, arguments: list[str]) -> None:
    """Add what names an engine: its name, and the options of that one.

    Args:
        arguments: what follows the action, perhaps with a name.

    Raises:
        ValueError: `arguments` name an engine that does not exist.
    """
    parser.add_argument(
        "engine",
        nargs="?",
        metavar="NAME",
        help=f"One of {', '.join(ENGINES)}; without it, list the devices that there are.",
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="Of Hugging Face Jobs: print what would be sent, and send nothing (default: name it).",
    )
    parser.add_argument(
        "--forget",
        action="store_true",
        help="Send no more runs there; those that train there are followed no longer (default: name"
        " it).",
    )
    parser.set_defaults(engine_settings=[])
    name = arguments[0] if arguments and not arguments[0].startswith("-") else None
    if name is None:
        return
    settings = engine_named(name).settings
    hints = typing.get_type_hints(settings)
    group = parser.add_argument_group(engine_named(name).title)
    for field in dataclasses.fields(settings):
        option, data = "--" + field.name.replace("_", "-"), field.metadata
        if hints[field.name] in (int, float):
            add_number(
                group,
                option,
                hints[field.name],
                data["help"],
                default=field.default,
                low=data["low"],
                high=data["high"],
            )
        elif hints[field.name] is bool:
            group.add_argument(
                option,
                action="store_true",
                default=field.default,
                help=help_text(data["help"], "", "no"),
            )
        else:
            group.add_argument(
                option,
                default=field.default,
                choices=data["choices"],
                metavar=None if data["choices"] else "TEXT",
                help=help_text(data["help"], "", str(field.default or "none")),
            )
    parser.set_defaults(engine_settings=[field.name for field in dataclasses.fields(settings)])


def use_engine(options: argparse.Namespace) -> None:
    """Name the engine that the options tell of, unless it was named before; say what it has.

    Raises:
        ValueError, OSError: as for `genimg.jobs.engines.configured.introduce`.
    """
    name = options.engine
    if name is None:
        if options.engine_settings is None and options.address:
            raise ValueError("--address says where an engine is; say which with --engine")
        return
    if name == LOCAL:
        return
    kind, root = engine_named(name), Path(options.runs)
    known = read_settings(root).get(name)
    if options.engine_settings is not None:
        if options.forget:
            return write_settings(root, name, None)
        values = {each: getattr(options, each) for each in options.engine_settings}
        settings = kind.settings(**values)
        if options.dry_run:
            return _print_request(settings)
    else:
        given = {"address": options.address} if options.address else {}
        if given and "address" not in {field.name for field in dataclasses.fields(kind.settings)}:
            raise ValueError(f"{name} has no address; see: python -m genimg jobs engine {name} -h")
        settings = kind.settings.from_dict((known.to_dict() if known else {}) | given)
        if settings == known:
            return
    found = introduce(root, name, settings)
    places = ", ".join(f"{each.places} on {each.name}" for each in found.devices)
    print(f"{kind.title} takes as many runs at a time: {places}")
    say_cost(found.devices, name)
    if found.host:
        print(f"its machine {plain(found.host)} sees the files in {root}")


def with_engine(options: argparse.Namespace, settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a run with the device that the engine in the options has."""
    if options.engine in (None, LOCAL):
        return settings
    device = settings.get("device", "auto")
    if engine_of(device):
        raise ValueError(f"--device {device} names an engine already; leave out --engine")
    wanted = options.engine if device == "auto" else f"{options.engine}/{device}"
    return settings | {"device": wanted}


def say_cost(devices: list[Device], engine: str | None) -> None:
    """Print what an hour on an engine costs, if it costs anything."""
    for device in devices:
        if device.engine and device.engine == engine and device.dollars_an_hour is not None:
            print(f"each run on {plain(device.title)} costs ${device.dollars_an_hour:.2f} an hour")


def _print_request(settings: Configuration) -> None:
    """Print what a run would be started with, for somebody to look at."""
    if not isinstance(settings, HubSettings):
        raise ValueError("--dry-run is for Hugging Face Jobs, which cost money; leave it out")
    run = Path("RUN")
    cluster = HubCluster(settings)
    request = cluster.request(Given.of(Handle(run, 1)), run.name, 1)
    print(json.dumps(request | {"secrets": {"HF_TOKEN": "the token of whoever asks"}}, indent=2))
    bucket = cluster.bucket("")
    print(f"before that, the files of the run go to RUN/1 in {bucket}; now, nothing did")


def engines_table(root: Path, devices: list[Device]) -> str:
    """Return the devices of this machine and of all engines."""
    rows = [(device.name, str(device.places), plain(device.title)) for device in devices]
    silent = read_settings(root).keys() - {device.engine for device in devices}
    rows += [(name, "", "it does not answer") for name in sorted(silent)]
    return table([_HEAD, *rows])
