"""What happens in the form of the Training tab: plain functions, no Gradio."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from genimg import data
from genimg.data.fit import SIZES
from genimg.jobs.commands import CheckUpload, DeletePictures
from genimg.jobs.devices import Device
from genimg.jobs.estimate import Estimate
from genimg.jobs.limits import Visitor
from genimg.jobs.manager import JobManager
from genimg.training.presets import PRESETS, settings_of, tokenizer_preset
from genimg.training.requirements import TokenizerNeeded
from genimg.training.spec import RunConfig
from genimg.ui import messages
from genimg.ui.identity import Identity
from genimg.ui.training import form
from genimg.ui.training.own_data import OWN, DataShelf
from genimg.ui.training.tokenizers import Tokenizers

LENGTHS = (("minutes", "minutes"), ("pictures", "images"))
FIRST_PRESET, FIRST_DATASET, FIRST_MINUTES = "fashion-style", "fashion-mnist", 10
_FEWEST_STEPS = 100  # a judgement, not a measurement


class TrainHandlers:
    """The functions behind the form. Each raises ValueError with one sentence.

    Args:
        manager: of the data root.
        identity: tells who asks.
    """

    def __init__(self, manager: JobManager, identity: Identity) -> None:
        self.manager, self.identity = manager, identity
        self.data = DataShelf(manager.root)
        self.tokenizers = Tokenizers(manager)

    def presets(self) -> list[tuple[str, str]]:
        """Return (what to show, name) of each model that can be trained."""
        return [(PRESETS[name].title, name) for name in form.offered()]

    def advanced(self, preset: str, changes: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the value of the generated form.

        Args:
            changes: settings that differ from the preset's, as `form.given` takes them.
        """
        return {
            "preset": preset,
            "sections": form.sections(preset, self._choices()),
            "changes": changes or {},
        }

    def dataset_for(self, preset: Any, dataset: Any) -> str:
        """Return the pictures to offer with `preset`: its own, unless the visitor chose others.

        Args:
            dataset: what is chosen now; what no preset is made for is the visitor's own choice.
        """
        own = RunConfig().dataset
        made_for = {name: recipe.run.get("dataset", own) for name, recipe in PRESETS.items()}
        return made_for[form.checked_preset(preset)] if dataset in made_for.values() else dataset

    def estimate(
        self, preset: Any, dataset: Any, length: Any, amount: Any, advanced: Any
    ) -> dict[str, Any]:
        """Return what a run would need, in words: {"level", "text", and perhaps "remedy"}.

        What is wrong with the settings is the text, too, so that it can be mended on the way; a
        "remedy" is what a button can do about it, see `Tokenizers.way_out`.
        """
        try:
            settings = self.settings(preset, dataset, length, amount, advanced)
            needs = self.manager.estimate(preset, **settings)
        except TokenizerNeeded as needed:
            said = self.tokenizers.way_out(needed, settings["dataset"])
            return said | {"text": sentence(said["text"])}
        except (ValueError, OSError) as error:
            return {"level": "problem", "text": sentence(error)}
        if needs.problem:
            return {"level": "problem", "text": sentence(needs.problem)}
        return {"level": "good", "text": in_words(needs, by_minutes=length == "minutes")}

    def start(
        self,
        who: Any,
        preset: Any,
        dataset: Any,
        length: Any,
        amount: Any,
        name: Any,
        advanced: Any,
    ) -> str:
        """Queue the run of the form; return the id of its job.

        Args:
            who: see `Identity.of`.
            advanced: of the generated form: {"changes", "intent"}; the same intent is one run.
        """
        with refusals():
            settings = self.settings(preset, dataset, length, amount, advanced)
            visitor = self.visitor(who)
            try:
                job = self.manager.start(
                    preset,
                    name=str(name or "").strip(),
                    token=_intent(advanced),
                    visitor=visitor,
                    **settings,
                )
            except TokenizerNeeded as needed:
                said = self.tokenizers.way_out(needed, settings["dataset"])
                raise ValueError(said["text"]) from None
        return job.id

    def train_tokenizer(self, who: Any, dataset: Any, advanced: Any) -> str:
        """Queue the run of a tokenizer for pictures that none reads; return the id of its job.

        Args:
            who, dataset, advanced: as for `start`, of the image GPT that needs it.
        """
        with refusals():
            name, size = self.data.name(dataset), _settings(advanced).get("size")
            intent = _intent(advanced)
            job = self.manager.start(
                tokenizer_preset(data.describe(name)["channels"]),
                name="tokenizer",
                token=intent and f"{intent} tokenizer",
                dataset=name,
                minutes=FIRST_MINUTES,
                **({"size": size} if size in SIZES else {}),
                visitor=self.visitor(who),
            )
        return job.id

    def with_tokenizer(self, preset: Any, advanced: Any, tokenizer: Any) -> dict[str, Any]:
        """Return the value of the generated form, with another tokenizer chosen in it."""
        changes = _settings(advanced) | {"tokenizer": tokenizer}
        form.given(form.checked_preset(preset), changes, self._choices())
        return advanced | self.advanced(preset, changes)

    def upload(self, path: Any, who: Any, preset: Any, advanced: Any) -> tuple[str, dict[str, Any]]:
        """Take in a zip file; return its value among the data sets, and a report.

        Args:
            path: where Gradio put the file; it is deleted.
            who: see `Identity.of`.
            preset, advanced: their pictures' size is the one that is published.
        """
        if not isinstance(path, (str, Path)):
            raise ValueError("no file arrived; choose a zip file of pictures")
        try:
            with refusals():
                form.checked_preset(preset)
                settings = form.given(preset, _changes(advanced), self._choices())
                model = settings_of(PRESETS[preset])["model"].to_dict() | settings
                size = model.get("size", 32)
                owner = self.manager.do(CheckUpload(), self.visitor(who))
            value, report = self.data.publish(Path(path), size if size in SIZES else 32, owner)
            return value, report | {"own": value}
        finally:
            with contextlib.suppress(OSError):
                Path(path).unlink()

    def sent(self, who: Any, dataset: Any) -> dict[str, Any] | None:
        """Return what the page says of a chosen data set: nothing unless somebody sent it.

        Returns:
            {"title", "classes": what was found in it}, and {"own": the choice's value} for a
            visitor who may delete it; or None.
        """
        if not isinstance(dataset, str) or not (found := self.data.found(dataset)):
            return None
        visitor, owners = self.identity.of(who), self.data.owners(dataset)
        said = {"title": f"Sent by {' and '.join(owners) or 'somebody'}.", "classes": found}
        if visitor.is_teacher or visitor.nickname in owners:
            said["own"] = dataset
        return said

    def forget(self, who: Any, dataset: Any) -> None:
        """Delete pictures that the visitor sent, or any for the teacher."""
        with refusals():
            command = DeletePictures(_text(dataset).removeprefix(OWN))
            self.manager.do(command, self.visitor(who))

    def copied(self, job_id: Any) -> dict[str, Any]:
        """Return the values of the form that would make a run like another one."""
        job = self.manager.job(_text(job_id))
        with refusals():
            spec = self.manager.directory(job.id).read_spec()
        if spec.run.init or spec.run.extend:
            raise ValueError(
                f"{job.name} began with the weights of another model, which this page cannot ask"
                " for; repeat it with its command"
            )
        form.checked_preset(spec.preset)
        length = "images" if spec.run.images else "minutes"
        changes = form.changes_of(spec) | {"device": job.device}
        allowed = self._choices()
        kept = {
            name: value
            for name, value in changes.items()
            if name not in allowed or value in allowed[name]
        }
        return {
            "preset": spec.preset,
            "dataset": self.data.value(spec.run.dataset),
            "length": length,
            "amount": getattr(spec.run, length),
            "name": f"{job.name[:70].removesuffix(' again')} again",
            "advanced": self.advanced(spec.preset, kept),
        }

    def recalled(self, kept: Any) -> dict[str, Any]:
        """Return the values of the form, as `copied` does, that a browser kept over a reload.

        Args:
            kept: {"preset", "dataset", "length", "amount", "name", "changes"}, as it came.

        Raises:
            ValueError: nothing was kept, or the form can no longer say it.
        """
        if not isinstance(kept, dict):
            raise ValueError("nothing was kept")
        preset = form.checked_preset(kept.get("preset"))
        changes, amount = kept.get("changes"), kept.get("amount")
        form.given(preset, changes, self._choices())
        self.data.name(kept.get("dataset"))
        if kept.get("length") not in dict(LENGTHS).values():
            raise ValueError("there is no such length")
        if amount is not None and (isinstance(amount, bool) or not isinstance(amount, int | float)):
            raise ValueError("the length is no number")
        return {
            "preset": preset,
            "dataset": kept["dataset"],
            "length": kept["length"],
            "amount": amount,
            "name": str(kept.get("name") or "")[:80],
            "advanced": self.advanced(preset, changes),
        }

    def visitor(self, who: Any) -> Visitor:
        """Return who asks; ValueError without a nickname."""
        visitor = self.identity.of(who)
        if not visitor.nickname:
            raise ValueError("give your nickname first, so that others see whose run it is")
        return visitor

    def settings(
        self, preset: Any, dataset: Any, length: Any, amount: Any, advanced: Any
    ) -> dict[str, Any]:
        """Return what the manager is asked for: checked names, values not yet in range."""
        form.checked_preset(preset)
        if length not in ("minutes", "images"):
            raise ValueError("say whether to train for minutes or for a number of pictures")
        if not isinstance(amount, (int, float)) or isinstance(amount, bool) or amount <= 0:
            raise ValueError(f"say for how many {_unit(length)} to train")
        settings = form.given(preset, _changes(advanced), self._choices())
        known = self.tokenizers.names()
        tokenizer = settings.get("tokenizer")
        if isinstance(tokenizer, str) and tokenizer in known:
            settings["tokenizer"] = known[tokenizer]
        return settings | {length: amount, "dataset": self.data.name(dataset)}

    def engines(self) -> list[Device]:
        """Return the devices that are not this machine's."""
        return [device for device in self.manager.devices() if device.engine]

    def _choices(self) -> dict[str, list]:
        """Return the values of fields that could be anything and may not be on a page."""
        devices = self.manager.devices()
        return {
            "device": list(dict.fromkeys(["auto", *(device.name for device in devices)])),
            "tokenizer": list(self.tokenizers.names()),
            "size": list(SIZES),
        }


@contextlib.contextmanager
def refusals() -> Iterator[None]:
    """Turn what is raised inside into ValueError with the words of the page."""
    try:
        yield
    except (ValueError, OSError) as error:
        raise ValueError(form.in_page_words(str(error))) from None


def in_words(needs: Estimate, by_minutes: bool) -> str:
    """Return an estimate as sentences.

    Args:
        by_minutes: whether the minutes were asked for, so that the pictures are what is guessed.
    """
    caution = ""
    if needs.steps is not None and needs.steps < _FEWEST_STEPS:
        more = "minutes" if by_minutes else "pictures"
        caution = f" So few steps ({needs.steps}) teach it hardly anything: ask for more {more}."
    cost = (
        f"At most {_size(needs.memory_bytes)} of memory and {_size(needs.disk_bytes)} of disk, for"
        f" {needs.weights:,} weights.{caution}"
    )
    if needs.dollars_an_hour is not None:
        cost += f" The machine costs ${needs.dollars_an_hour:.2f} an hour."
    time = "" if needs.minutes is None else f"About {duration(60 * needs.minutes)}"
    where = f"on the {needs.device}, after about {duration(needs.start_seconds)} to start"
    if needs.images_per_second is None:
        asked = time or f"{needs.images:,} pictures"
        return f"{asked} {where}; its speed is measured then. {cost}"
    assert needs.images is not None  # where a speed is known
    pictures = f"{round_number(needs.images)} pictures"
    speed = (
        f"as fast as {needs.speed_source.partition(', trained on')[0]}"
        f" ({round_number(needs.images_per_second)} a second)"
    )
    if by_minutes:
        return f"{time} {where}: {pictures} if it is {speed}, fewer if it is slower. {cost}"
    return f"{time} {where}, if it is {speed}: {pictures}. {cost}"


def round_number(value: float) -> str:
    """Return a number with two digits that mean something, such as 1,200,000 or 11 billion."""
    if value >= 1e9:
        return f"{float(f'{value / 1e9:.2g}'):,.10g} billion"
    digits = len(str(int(value)))
    rounded = round(value, 2 - digits) if digits > 2 else round(value, 1 if value < 10 else 0)
    return f"{rounded:,.10g}"


def duration(seconds: float) -> str:
    """Return a time in words, such as "2 h 5 min"."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def sentence(error: object) -> str:
    """Return a message as a sentence in the words of the page."""
    return messages.sentence(form.in_page_words(str(error)))


def _changes(advanced: Any) -> Any:
    return advanced.get("changes") if isinstance(advanced, dict) else None


def _settings(advanced: Any) -> dict[str, Any]:
    """Return the settings that were changed; ValueError if they did not arrive."""
    changes = _changes(advanced)
    if not isinstance(changes, dict):
        raise ValueError("the settings did not arrive; reload the page")
    return changes


def _intent(advanced: Any) -> str | None:
    """Return what one click of Start, or two at once, have in common."""
    intent = advanced.get("intent") if isinstance(advanced, dict) else None
    return intent[:80] if isinstance(intent, str) and intent else None


def _size(count: float) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("choose a run first")
    return value


def _unit(length: str) -> str:
    return {"images": "pictures"}.get(length, length)
