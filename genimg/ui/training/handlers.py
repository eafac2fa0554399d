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
from genimg.ui.texts import say
from genimg.ui.training import form
from genimg.ui.training.own_data import OWN, DataShelf, owners_words
from genimg.ui.training.tokenizers import Tokenizers
from genimg.wording import Wording, wording_of

LENGTHS = ("minutes", "images")
"""What a run's length is counted in."""
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
        return [(form.preset_words(name), name) for name in form.offered()]

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
        *,
        account: str = "",
    ) -> str:
        """Queue the run of the form; return the id of its job.

        Args:
            who, account: see `Identity.of`.
            advanced: of the generated form: {"changes", "intent"}; the same intent is one run.
        """
        with refusals():
            settings = self.settings(preset, dataset, length, amount, advanced)
            visitor = self.visitor(who, account)
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
            raise ValueError(say("training.upload.nothing"))
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
        said = {
            "title": say("training.data.sent_by", owners=owners_words(owners)),
            "classes": found,
        }
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
            raise ValueError(say("training.began_with_weights", name=job.name))
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
            raise ValueError("nothing kept")
        preset = form.checked_preset(kept.get("preset"))
        changes, amount = kept.get("changes"), kept.get("amount")
        form.given(preset, changes, self._choices())
        self.data.name(kept.get("dataset"))
        if kept.get("length") not in LENGTHS:
            raise ValueError("no length")
        if amount is not None and (isinstance(amount, bool) or not isinstance(amount, int | float)):
            raise ValueError("no number")
        return {
            "preset": preset,
            "dataset": kept["dataset"],
            "length": kept["length"],
            "amount": amount,
            "name": str(kept.get("name") or "")[:80],
            "advanced": self.advanced(preset, changes),
        }

    def visitor(self, who: Any, account: str = "") -> Visitor:
        """Return who asks, see `Identity.of`; ValueError without a nickname."""
        visitor = self.identity.of(who, account)
        if not visitor.nickname:
            raise ValueError(say("training.who.first"))
        return visitor

    def settings(
        self, preset: Any, dataset: Any, length: Any, amount: Any, advanced: Any
    ) -> dict[str, Any]:
        """Return what the manager is asked for: checked names, values not yet in range."""
        form.checked_preset(preset)
        if length not in LENGTHS:
            raise ValueError(say("training.which_length"))
        if not isinstance(amount, (int, float)) or isinstance(amount, bool) or amount <= 0:
            raise ValueError(say(f"training.how_many.{length}"))
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
        raise ValueError(form.in_page_words(wording_of(error))) from None


def in_words(needs: Estimate, by_minutes: bool) -> str:
    """Return an estimate as sentences.

    Args:
        by_minutes: whether the minutes were asked for, so that the pictures are what is guessed.
    """
    told = {
        "device": needs.device,
        "start": duration(needs.start_seconds),
        "time": "" if needs.minutes is None else duration(60 * needs.minutes),
    }
    if needs.images_per_second is None:
        if needs.minutes is not None:
            forecast = say("training.estimate.minutes", **told)
        else:
            forecast = say("training.estimate.pictures", pictures=f"{needs.images:,}", **told)
    else:
        assert needs.images is not None  # where a speed is known
        source = needs.speed_source
        if isinstance(source, Wording):  # what it was trained on is too much here
            source = source.arguments.get("checkpoint", source)
        forecast = say(
            "training.estimate.minutes_at_speed" if by_minutes
            else "training.estimate.pictures_at_speed",
            pictures=round_number(needs.images), source=source,
            speed=round_number(needs.images_per_second), **told,
        )  # fmt: skip
    cost = say(
        "training.estimate.cost", weights=f"{needs.weights:,}",
        memory=_size(needs.memory_bytes), disk=_size(needs.disk_bytes),
    )  # fmt: skip
    if needs.steps is not None and needs.steps < _FEWEST_STEPS:
        more = "minutes" if by_minutes else "pictures"
        caution = say(f"training.estimate.too_few.{more}", steps=needs.steps)
        cost = say("frame.both", first=cost, second=caution)
    if needs.dollars_an_hour is not None:
        dollars = say("training.estimate.dollars", dollars=f"{needs.dollars_an_hour:.2f}")
        cost = say("frame.both", first=cost, second=dollars)
    return say("frame.both", first=forecast, second=cost)


def round_number(value: float) -> str:
    """Return a number with two digits that mean something, such as 1,200,000 or 11 billion."""
    if value >= 1e9:
        billions = float(f"{value / 1e9:.2g}")
        text, rounded = f"{billions:,.10g} billion", billions * 1e9
    else:
        digits = len(str(int(value)))
        rounded = round(value, 2 - digits) if digits > 2 else round(value, 1 if value < 10 else 0)
        text = f"{rounded:,.10g}"
    return say("training.about_number", number={"compact": rounded}).reading(text)


def duration(seconds: float) -> str:
    """Return a time in words, such as "2 h 5 min"."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return say("training.time.seconds", seconds=max(1, round(seconds)))
    if minutes < 90:
        return say("training.time.minutes", minutes=minutes)
    return say("training.time.hours", hours=str(minutes // 60), minutes=minutes % 60)


def sentence(error: object) -> str:
    """Return a message as a sentence in the words of the page."""
    return messages.sentence(form.in_page_words(wording_of(error)))


def _changes(advanced: Any) -> Any:
    return advanced.get("changes") if isinstance(advanced, dict) else None


def _settings(advanced: Any) -> dict[str, Any]:
    """Return the settings that were changed; ValueError if they did not arrive."""
    changes = _changes(advanced)
    if not isinstance(changes, dict):
        raise ValueError(say("training.settings.lost"))
    return changes


def _intent(advanced: Any) -> str | None:
    """Return what one click of Start, or two at once, have in common."""
    intent = advanced.get("intent") if isinstance(advanced, dict) else None
    return intent[:80] if isinstance(intent, str) and intent else None


def _size(count: float) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(say("training.choose_run"))
    return value
