"""The engines that runs can be given to besides this machine, by name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from genimg.configuration import Configuration
from genimg.jobs.engines.cluster import Cluster
from genimg.jobs.engines.hub import HubCluster, HubSettings
from genimg.jobs.engines.ray_jobs import RayCluster, RaySettings
from genimg.jobs.engines.slurm import SlurmCluster, SlurmSettings


@dataclass(frozen=True, slots=True)
class EngineKind:
    """One row.

    Attributes:
        title: for people.
        settings: what it must be told.
        connect: makes a cluster of its settings, without asking it anything yet; ValueError if a
            package that it needs is missing.
        shares_files: whether its machines see the folder of the runs under the same path.
    """

    title: str
    settings: type[Configuration]
    connect: Callable[[Any], Cluster]
    shares_files: bool = True


ENGINES: dict[str, EngineKind] = {
    "ray": EngineKind("a Ray cluster", RaySettings, RayCluster),
    "slurm": EngineKind("a Slurm cluster", SlurmSettings, SlurmCluster),
    "hf": EngineKind("Hugging Face Jobs", HubSettings, HubCluster, shares_files=False),
}


def engine_named(name: str) -> EngineKind:
    """Return one row; ValueError if there is none of that name."""
    if name not in ENGINES:
        raise ValueError(f"there is no engine {name!r}; there are {', '.join(ENGINES)}")
    return ENGINES[name]
