"""Train a preset, or go on with a run that was stopped.

    python -m genimg train --preset fashion-style --minutes 10 --out runs/mine

Running the same command again resumes the run; when it is complete it does nothing. Ctrl-C saves.
--init NAME begins with the weights of a trained model (fine-tuning). A finished run can go on as a
new one: --extend runs/mine --images N --out runs/longer.
With --processes N, or --gpus N, each of N processes takes a share of every batch.
"""

import argparse
import dataclasses
import shlex
import sys
import typing
from typing import Any

from genimg import data
from genimg.cli.health import HealthLines, summary
from genimg.cli.options import (
    Parser,
    add_number,
    default_text,
    help_text,
    path,
    several_values,
)
from genimg.configuration import Configuration
from genimg.storage import read_json
from genimg.training import run_checkpoints
from genimg.training.beginning import preset_of
from genimg.training.distributed import LostProcess
from genimg.training.presets import PRESETS, preset_named, settings_of
from genimg.training.progress import Progress, say
from genimg.training.requesting import request_run
from genimg.training.run_directory import RunDirectory
from genimg.training.running import train_run
from genimg.training.spec import RunConfig
from genimg.training.worker import EXIT_CODES, StopSignal

SUMMARY = "train a preset, or resume a run"
_TITLES = {"run": "the run", "model": "the architecture", "task": "the training"}


def add_arguments(parser: Parser, arguments: list[str]) -> None:
    """Add the options of `train`: those of every run, and all settings of the chosen preset.

    Raises:
        ValueError: `arguments` ask for a preset that does not exist.
    """
    parser.add_argument(
        "--out",
        required=True,
        type=path,
        metavar="DIR",
        help="Folder of the run: a new one, or that of a run to resume.",
    )
    several = parser.add_mutually_exclusive_group()
    for option, words in (
        ("--processes", "Processes on the CPU that share every batch and the threads."),
        ("--gpus", "GPUs that share every batch, with one process each."),
    ):
        add_number(several, option, int, words, default=0, low=1, high=64, shown_default="1")
    add_preset(parser, arguments[1:] if arguments[:1] == ["train"] else None)
    parser.set_defaults(command_line=arguments)


def add_preset(parser: Parser, arguments: list[str] | None, *, several: bool = False) -> None:
    """Add `--preset`, and the options of every run or all settings of the chosen preset.

    Args:
        arguments: what follows the command, perhaps with a preset; None for another command.
        several: whether an option takes several values, as for `several_values`.

    Raises:
        ValueError: `arguments` ask for a preset that does not exist.
    """
    preset = None if arguments is None else _asked_preset(arguments)
    width = max(map(len, PRESETS))
    parser.epilog = "\n".join(
        ["presets (each has further settings; see them with --preset NAME --help)"]
        + [f"  {name.ljust(width)}  {recipe.title}" for name, recipe in PRESETS.items()]
    )
    parser.add_argument(
        "--preset",
        required=preset is None,
        default=preset,
        metavar="NAME",
        help="What to train: one of those listed below (with --extend, that of the run).",
    )
    sections = settings_of(PRESETS[preset]) if preset else {"run": RunConfig()}
    with_several: list[str] = []
    for section in ("run", "model", "task"):
        if section in sections:
            group = parser.add_argument_group(_TITLES[section])
            with_several += _add_settings(group, sections[section], several)
    names = [field.name for config in sections.values() for field in dataclasses.fields(config)]
    parser.set_defaults(setting_names=names, several_names=with_several)


def given_settings(options: argparse.Namespace) -> dict[str, Any]:
    """Return the settings that were given on the command line, by the names of their fields."""
    given = vars(options)
    return {name: given[name] for name in options.setting_names if name in given}


def _asked_preset(arguments: list[str]) -> str | None:
    """Return the preset, which decides what the other options are, or None.

    Raises:
        ValueError: it does not exist, or there is no run to extend.
    """
    finder = Parser(prog="python -m genimg train", add_help=False)
    finder.add_argument("--preset")
    finder.add_argument("--extend")
    known = finder.parse_known_args(arguments)[0]
    preset = known.preset
    if preset is None and known.extend:
        preset = preset_of(known.extend)
    if preset is not None:
        preset_named(preset)
    return preset


def _add_settings(
    group: argparse._ArgumentGroup, config: Configuration, several: bool
) -> list[str]:
    """Add one option for each field; return the fields of those that take several values."""
    hints = typing.get_type_hints(type(config))
    length, found = None, []
    for field in dataclasses.fields(config):
        place: argparse._ActionsContainer = group
        if field.name in ("images", "minutes"):  # two ways to say how long
            length = place = length or group.add_mutually_exclusive_group()
        action = _add_setting(place, field, hints[field.name], getattr(config, field.name))
        if several and action.nargs is None:  # neither a switch nor a list
            action.type, action.choices = several_values(action.type, action.choices), None
            found.append(field.name)
    return found


def _add_setting(
    place: argparse._ActionsContainer, field: dataclasses.Field[Any], hint: Any, value: Any
) -> argparse.Action:
    """Add the option of one field, which stays out of the namespace when it is not given."""
    option = "--" + field.name.replace("_", "-")
    help, choices = field.metadata["help"], field.metadata["choices"]
    if field.name == "size":  # a model may have others, but no pictures do
        choices = tuple(size for size in data.SIZES if choices is None or size in choices)
    several = typing.get_origin(hint) is tuple
    kind = typing.get_args(hint)[0] if several else hint
    if kind is bool:
        return place.add_argument(
            option,
            action=argparse.BooleanOptionalAction,
            default=argparse.SUPPRESS,
            help=help_text(help, "", "on" if value else "off"),
        )
    if kind is str or choices:
        return place.add_argument(
            option,
            type=kind,
            choices=choices,
            default=argparse.SUPPRESS,
            metavar=None if choices else "TEXT",
            nargs="+" if several else None,
            help=help_text(help, "", "the data set's" if several else str(value) or "none"),
        )
    return add_number(
        place,
        option,
        kind,
        help,
        default=argparse.SUPPRESS,
        low=field.metadata["low"],
        high=field.metadata["high"],
        shown_default=default_text(value),
        nargs="+" if several else None,
    )


def run(options: argparse.Namespace) -> int:
    """Train until the end or a signal; return the exit code.

    Raises:
        ValueError, OSError, Diverged: as for `genimg.train`.
    """
    settings, processes = given_settings(options), options.processes or options.gpus
    if processes:
        device = "cuda" if options.gpus else "cpu"
        if settings.setdefault("device", device) != device:
            raise ValueError("--processes are on the CPU and --gpus on CUDA; leave out --device")
    directory = request_run(options.preset, options.out, processes=processes or 1, **settings)
    done = _saved_images(directory)
    doing = f"resuming at {done:,} images" if done else "starting"
    say(sys.stderr, f"{doing}: {options.preset} in {options.out} (Ctrl-C saves)\n")
    stop, progress = StopSignal(), Progress(sys.stderr)
    health, lost = HealthLines(progress.say, directory), None
    try:
        outcome = train_run(
            directory.path, callbacks=[progress, health], should_stop=stop, processes=processes or 1
        )
    except KeyboardInterrupt:
        outcome = "paused"
    except LostProcess as error:
        outcome, lost = "failed", error
    finally:
        progress.close()
    done = _saved_images(directory)
    for line in summary(health.findings(ended=outcome == "succeeded")) if health.rows else []:
        print(line, file=sys.stderr)
    if outcome == "succeeded":
        print(f"trained on {done:,} images; the run is in {options.out}")
        return 0
    if lost:
        print(f"error: {lost}", file=sys.stderr)
    print(f"saved at {done:,} images in {options.out}; to resume, run the same command again:")
    print(f"python -m genimg {shlex.join(options.command_line)}")
    if lost:
        return lost.code
    return 130 if stop.received else EXIT_CODES[outcome]


def _saved_images(directory: RunDirectory) -> int:
    """Return how many pictures the run had seen at its newest checkpoint; 0 without one."""
    newest = run_checkpoints.latest(directory.checkpoints)
    return read_json(newest / "state.json")["images_seen"] if newest else 0
