"""The trained tokenizers that the page offers, and how to get one that reads given pictures."""

from collections.abc import Iterator
from typing import Any

from genimg import checkpoints
from genimg.jobs.job import TERMINAL, Job
from genimg.jobs.manager import JobManager
from genimg.jobs.states import State
from genimg.jobs.supervisor import saved_images
from genimg.models import KINDS
from genimg.training.presets import PRESETS
from genimg.training.prior import PriorTrainingConfig
from genimg.training.requirements import TokenizerNeeded
from genimg.ui.model_shelf import use_of
from genimg.ui.texts import say
from genimg.wording import Wording, wording_of

_USE = "tokenizer"


class Tokenizers:
    """Those that ship, and the runs of one data root."""

    def __init__(self, manager: JobManager) -> None:
        self.manager = manager

    def names(self) -> dict[str, str]:
        """Return what to show of each, and the name or folder by which training knows it."""
        found = {name: name for name in _shipped()}
        for job in self._runs():
            if self._is_trained(job):
                found[job.id] = str((self.manager.root / job.id).resolve())
        usual = PriorTrainingConfig().tokenizer
        return found or {usual: usual}

    def way_out(self, needed: TokenizerNeeded, dataset: str) -> dict[str, Any]:
        """Return what the page says of an image GPT whose tokenizer cannot read `dataset`.

        Returns:
            {"level", "text", "remedy": None, or what a button does: {"label", "tokenizer": one of
            `names` to use, or '' to train one}}.
        """
        problem = self._problem(needed)
        runs = [job for job in self._runs() if self._dataset(job) == dataset]
        trained = [job for job in runs if self._is_trained(job) and not job.active]
        coming = [job for job in runs if job.active or job.state is State.QUEUED]
        use = say("training.tokenizer.use")
        remedy: dict[str, str] | None
        if trained:
            job = max(trained, key=lambda job: job.created)
            name = repr(job.name)
            text = say("training.tokenizer.take", problem=problem, name=name)
            remedy = {"label": use, "tokenizer": job.id}
        elif coming:
            name = repr(coming[0].name)
            text = say("training.tokenizer.coming", problem=problem, name=name)
            remedy = None
        elif (shipped := _shipped_for(dataset)) and shipped not in problem:
            text = say("training.tokenizer.take", problem=problem, name=shipped)
            remedy = {"label": use, "tokenizer": shipped}
        else:
            text = say("training.tokenizer.missing", problem=problem)
            remedy = {"label": say("training.tokenizer.train"), "tokenizer": ""}
        return {"level": "problem", "text": text, "remedy": remedy}

    def _problem(self, needed: TokenizerNeeded) -> str:
        """Return why the tokenizer cannot be used, with what the page calls it."""
        shown = {name: label for label, name in self.names().items()}
        words = wording_of(needed)
        if isinstance(words, Wording):
            problem = words.arguments["problem"]
            tokenizer = problem.arguments["tokenizer"]
            called = shown.get(tokenizer, tokenizer)
            arguments = problem.arguments | {"tokenizer": called}
            english = str(problem).replace(tokenizer, called)
            return Wording(problem.key, "", **arguments).reading(english)
        problem = words.partition(";")[0]
        for name, label in shown.items():
            problem = problem.replace(name, label)
        return problem

    def _runs(self) -> Iterator[Job]:
        for job in self.manager.jobs():
            if job.preset in PRESETS and KINDS[PRESETS[job.preset].kind].use == _USE:
                yield job

    def _is_trained(self, job: Job) -> bool:
        """Return whether there is something to use; of a terminal's run only its folder tells."""
        if job.owner == TERMINAL:
            return saved_images(self.manager.root / job.id) > 0
        return job.saved_images > 0

    def _dataset(self, job: Job) -> str:
        try:
            return self.manager.directory(job.id).read_spec().run.dataset
        except (OSError, ValueError):
            return ""


def _shipped() -> list[str]:
    """Return the tokenizers that ship."""
    return [name for name in checkpoints.names() if use_of(checkpoints.find(name)) == _USE]


def _shipped_for(dataset: str) -> str:
    """Return a tokenizer that ships and was trained on `dataset`, or ''."""
    cards = {name: checkpoints.read_card(checkpoints.find(name)) for name in _shipped()}
    return next((name for name, card in cards.items() if card.get("dataset") == dataset), "")
