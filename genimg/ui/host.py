"""What the machine that serves the page can do, from its environment variables alone.

Somebody's own can do anything. To a Hugging Face Space strangers come: nothing is trained unless
the owner allows it (GENIMG_ALLOW_TRAINING=1), and then within limits. ZeroGPU, the only kind of
Space that a free account can host, lends a GPU for the length of one call and to no other process,
so nothing can be trained there in the background. Models that ship are so small that every kind of
host answers with them from the CPU.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from genimg.jobs.limits import UsageLimits
from genimg.ui import texts

ALLOW = "GENIMG_ALLOW_TRAINING"
RUNS = "GENIMG_RUNS"
LARGEST_UPLOAD_MB = 256
"""Of a zip file of pictures, wherever one may be sent."""

_AMONG_ACQUAINTANCES = UsageLimits()
# Judgements: a run on a CPU must leave the queue within a lesson, and a Space has 50 GB of disk.
_ON_A_CPU = UsageLimits(
    queued_runs=1,
    minutes_per_run=10,
    stored_megabytes=300,
    all_queued_runs=8,
    all_stored_megabytes=5_000,
    by_minutes_only=True,
)
_ON_A_GPU = UsageLimits(
    queued_runs=2,
    minutes_per_run=30,
    stored_megabytes=1_000,
    all_queued_runs=16,
    all_stored_megabytes=20_000,
    by_minutes_only=True,
)
# File systems that live in memory or in a container's own layer: a restart begins with new ones.
_LOST_WITH_THE_CONTAINER = {"overlay", "tmpfs", "ramfs", "devtmpfs", "aufs"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Host:
    """What one kind of host can do.

    Attributes:
        space: whether it is a Hugging Face Space, where strangers come.
        zero_gpu: whether its GPU is lent for the length of a call.
        gpu: what the GPU that is always there is called, as far as the environment tells; or ''.
        training: whether runs may be started in the background, and pictures sent for them.
        moments: whether a run may be trained inside one call, with a GPU that is lent for it.
        runs: folder of runs and of visitors' pictures.
        limits: what one owner, and all together, may ask for where `training` is.
        largest_upload: bytes of one uploaded file; 0 is none at all.
        temporary_bytes: of uploads and other files of a moment together; 0 is no limit.
        can_sign_in: whether visitors can, see `genimg.ui.signing_in`; this is told from there.
    """

    space: bool = False
    zero_gpu: bool = False
    gpu: str = ""
    training: bool = True
    moments: bool = False
    runs: str = "runs"
    limits: UsageLimits = _AMONG_ACQUAINTANCES
    largest_upload: int = LARGEST_UPLOAD_MB * 2**20
    temporary_bytes: int = 0
    can_sign_in: bool = False

    @property
    def refusal(self) -> str:
        """Why nothing is trained in the background here, in one sentence; '' where it is."""
        if self.training:
            return ""
        if self.zero_gpu:
            return texts.say("host.lends_its_gpu")
        return texts.say("host.open_to_everybody", variable=ALLOW)

    def line(self, *, lost: bool = False) -> str:
        """Return one sentence for the page: what it is, and what can be done.

        Args:
            lost: whether the disk of `runs` is lost when the host restarts.
        """
        if not self.space:
            return texts.say("host.here")
        if self.zero_gpu:
            return texts.say("host.moments" if self.moments else "host.lent_but_off")
        where = texts.say("host.gpu", name=self.gpu) if self.gpu else texts.say("host.cpu")
        if not self.training:
            return texts.say("host.off", where=where)
        minutes = f"{self.limits.minutes_per_run:g}"
        return texts.say("host.lost" if lost else "host.kept", where=where, minutes=minutes)


def host_of(environment: Mapping[str, str]) -> Host:
    """Return what a host with these environment variables can do.

    Args:
        environment: `os.environ`, or some of it. Of Hugging Face's: SYSTEM, SPACE_ID, ACCELERATOR
            and SPACES_ZERO_GPU. Of the owner's: GENIMG_ALLOW_TRAINING, which counts if it is 1, and
            GENIMG_RUNS.
    """
    runs = runs_of(environment)
    zero_gpu = environment.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")
    if environment.get("SYSTEM") != "spaces" and not environment.get("SPACE_ID") and not zero_gpu:
        return Host(runs=runs)
    allowed = environment.get(ALLOW, "").strip() == "1"
    if zero_gpu:
        return Host(
            space=True,
            zero_gpu=True,
            training=False,
            moments=allowed,
            runs=runs,
            largest_upload=0,
            temporary_bytes=10**9,
        )
    gpu = _gpu(environment.get("ACCELERATOR", ""))
    return Host(
        space=True,
        gpu=gpu,
        training=allowed,
        runs=runs,
        limits=_ON_A_GPU if gpu else _ON_A_CPU,
        largest_upload=LARGEST_UPLOAD_MB * 2**20 if allowed else 0,
        temporary_bytes=10**9,
    )


def runs_of(environment: Mapping[str, str]) -> str:
    """Return the folder of runs that the environment names, by default "runs"."""
    given = environment.get(RUNS, "").strip()
    return str(Path(given).expanduser()) if given else "runs"


def _gpu(flavour: str) -> str:
    """Return the name of a Space's hardware if that is a GPU, else ''."""
    name = flavour.strip().lower()
    if not name or name == "none" or name.startswith("cpu"):
        return ""
    return name if re.fullmatch(r"[a-z0-9-]{1,40}", name) else texts.say("host.some_gpu")


def is_lost(folder: str, mounts: str) -> bool:
    """Return whether what is written into `folder` is gone when its container starts again.

    Args:
        folder: an absolute path.
        mounts: text of Linux's /proc/self/mounts; '' if nothing is known, and the disk is taken
            for one that is lost.
    """
    kinds = {}
    for line in mounts.splitlines():
        fields = line.split()
        if len(fields) >= 3:
            # It writes a blank, and some other characters, as their number in base eight.
            point = re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), fields[1])
            kinds[PurePosixPath(point)] = fields[2]  # the last one mounted there is what is seen
    path = PurePosixPath(folder)
    holds = next((place for place in (path, *path.parents) if place in kinds), None)
    return holds in (None, PurePosixPath("/")) or kinds[holds] in _LOST_WITH_THE_CONTAINER
