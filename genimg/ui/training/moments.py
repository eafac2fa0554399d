"""A run of half a minute inside one call: what a GPU that is lent for a moment is good for.

On ZeroGPU a function that the package `spaces` decorates is called in a process of its own, which
has a GPU as long as the call lasts and is forked for it. All that comes back is what it returns and
what it wrote to the disk, so the run is trained in its folder like any other, and the page
watches it there. Everywhere else the decorator changes nothing.
"""

import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

from genimg.training.presets import PRESETS
from genimg.training.requesting import request_run
from genimg.training.run_directory import RunDirectory
from genimg.training.running import train_run
from genimg.training.spec import task_of
from genimg.training.task import Diverged
from genimg.ui.texts import say
from genimg.ui.training import form
from genimg.wording import wording_of

try:
    import spaces
except ImportError:  # on every machine but a Space
    spaces = None

MINUTES = 0.5
_LENT_SECONDS = 60  # with the start, which takes as long as a third of the training
_KEPT = 6


def lent_gpu(function: Callable) -> Callable:
    """Decorate what may use a GPU for a moment; the Space of a free account needs one such."""
    # A folder that happens to be called "spaces" is a module, too, but decorates nothing.
    decorate = getattr(spaces, "GPU", None)
    return decorate(duration=_LENT_SECONDS)(function) if decorate else function


def _quick() -> tuple[str, ...]:
    """Return the presets of models that show pictures while they learn: one sees them improve."""
    return tuple(name for name in form.offered() if task_of(PRESETS[name].kind).draws)


@lent_gpu
def train_in_call(run: str) -> str:
    """Train the run at the path `run` to its end; return '' or what went wrong, in one sentence."""
    try:
        train_run(run)
    except (ValueError, OSError, Diverged) as error:
        return wording_of(error)
    return ""


class Moments:
    """Runs that are trained inside one call.

    Args:
        folder: where they are kept; only the newest few stay.
        refusal: why there are none here, in one sentence; '' where there are.
    """

    def __init__(self, folder: Path, refusal: str = "") -> None:
        self.folder, self.refusal = folder, refusal

    def presets(self) -> list[tuple[str, str]]:
        """Return (what to show, name) of each model that can be trained so."""
        return [(form.preset_words(name), name) for name in _quick()]

    def begin(self, preset: object) -> str:
        """Make the folder of a run and return its name, which is its id on the page.

        Raises:
            ValueError: there are no such runs here, the preset is none of `presets`, or the disk
                cannot be written.
        """
        if self.refusal:
            raise ValueError(self.refusal)
        if preset not in _quick():
            raise ValueError(say("training.moment.choose"))
        try:
            self._make_room()
            name = f"{preset}-{secrets.token_hex(6)}"
            request_run(
                str(preset),
                self.folder / name,
                seed=secrets.randbelow(2**31),
                minutes=MINUTES,
                threads=1,
                checkpoint_seconds=10.0,
                sheets=20,
            )
        except OSError as error:
            raise ValueError(
                say("training.moment.not_stored", reason=str(error.strerror))
            ) from None
        return name

    def train(self, name: str) -> str:
        """Train a run that has begun; return '' or what went wrong. It takes the GPU's moment."""
        return train_in_call(str(self.folder / name))

    def _make_room(self) -> None:
        """Delete all but the newest few."""
        runs = sorted(
            (path.parent for path in self.folder.glob("*/spec.json")),
            key=lambda run: run.stat().st_mtime,
        )
        for run in runs[: max(0, len(runs) + 1 - _KEPT)]:
            if not RunDirectory(run).lease.is_held():
                shutil.rmtree(run, ignore_errors=True)
