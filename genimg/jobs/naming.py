"""How people name runs, and the models in them."""

import os
from collections.abc import Collection

from genimg import checkpoints
from genimg.jobs.job import Job

_MOST_NAMED = 5


def find(jobs: Collection[Job], text: str) -> Job | None:
    """Return the job that somebody means: by its id, the beginning of it, or its name; or None.

    Raises:
        ValueError: several are called so.
    """
    by_id = [job for job in jobs if job.id == text]
    by_beginning = [job for job in jobs if text and job.id.startswith(text)]
    by_name = [job for job in jobs if job.name == text]
    found = by_id or by_beginning or by_name
    if len(found) > 1:
        ids = ", ".join(job.id for job in found[:_MOST_NAMED])
        raise ValueError(f"{text!r} means several jobs ({ids}); give more of the id")
    return found[0] if found else None


def is_model(name: str) -> bool:
    """Return whether `genimg.load` would take `name`: one that ships, a path, or an address."""
    if name.startswith("hf://") or name in checkpoints.names():
        return True
    files = (os.path.join(name, file) for file in ("spec.json", "config.json"))
    return any(map(os.path.isfile, files))
