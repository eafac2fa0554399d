"""The runs of a data root as models that the page can show, also while they are being trained."""

from genimg.explore.uses import SHOWN
from genimg.jobs.manager import JobManager
from genimg.jobs.recordings import RECORDED, Recordings
from genimg.models import KINDS
from genimg.training.presets import PRESETS
from genimg.ui.texts import say


def use_of_preset(preset: str) -> str:
    """Return what the page can do with a preset's model: a key of `SHOWN`, or ''."""
    kind = PRESETS[preset].kind if preset in PRESETS else ""
    use = KINDS[kind].use if kind in KINDS else ""
    return use if use in SHOWN else ""


class RunModels:
    """The runs that a shelf may lend; each goes there by the name of its folder, its job's id."""

    def __init__(self, manager: JobManager | Recordings, use: str) -> None:
        self.manager, self.use = manager, use

    def choices(self) -> list[tuple[str, str]]:
        """Return (what to show, path) of each run that has begun, the newest first."""
        return [
            (f"{seen.job.name} ({seen.job.owner})", str(self.manager.root / seen.job.id))
            for seen in self.manager.snapshot()
            if seen.job.attempt
            and seen.job.owner != RECORDED
            and use_of_preset(seen.job.preset) == self.use
        ]

    def name(self, job_id: str) -> str:
        """Return what a run is called on the shelf; ValueError if there is none of that id."""
        job = self.manager.job(job_id)
        if job.owner == RECORDED:
            raise ValueError(say("training.recorded.no_model"))
        return job.id
