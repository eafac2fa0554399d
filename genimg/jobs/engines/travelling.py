"""The files of a run that trains where this machine's folders are not seen: they travel.

Up go the request, the newest checkpoint, and what the run learns from; down come the status, the
reports, the log, the sample sheets and the checkpoints, each whole or not at all: a checkpoint
counts once its manifest is there and fits, and the exit comes after everything else. Each attempt
has a folder of its own in the store, so an attempt that was replaced and still writes reaches
nobody.

What comes back is written by whoever owns the store. Where that is a visitor, only files that a
worker makes are taken, by their names and in sizes that fit; what is in them is read with care
everywhere, since a checkpoint may come from anybody.
"""

import dataclasses
import os
import re
import shutil
from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import httpx

from genimg.storage import read_json
from genimg.training import run_checkpoints
from genimg.training.attempts import Attempt
from genimg.training.places import found
from genimg.training.run_directory import RunDirectory
from genimg.training.spec import RunSpec
from genimg.wording import Wording

_TEMPORARY = ".travelling-"
_BESIDE = "beside"
"""Below it, in the store, is what lies beside the run's folder."""
_MOST_SAID = 300
# Of strangers: what a worker writes beside its attempt, but for spec.json, whose request nobody
# else may change.
_OF_A_WORKER = re.compile(
    r"samples/[0-9]{9,12}\.png|trail/[0-9]{9,12}\.safetensors"
    r"|ckpt/step-[0-9]{8,12}/(?:(?:model|ema|optimizer)\.safetensors|state\.json|MANIFEST\.json)"
)
LARGEST_OF_STRANGERS = 2 * 10**9
"""Bytes of one file that a stranger's store may have."""
_LARGEST_SPEC = 1024 * 1024


class Refused(ValueError):
    """The Hub says no.

    Attributes:
        status: the number with which it says so.
    """

    def __init__(self, words: str, status: int) -> None:
        super().__init__(words)
        self.status = status


class Store(Protocol):
    """Files by their paths, somewhere on the network. Every call raises OSError if that fails."""

    def marks(self, prefix: str) -> dict[str, str]:
        """Return what changes with the content, of every file below `prefix`, by its path."""

    def put(self, files: Sequence[tuple[Path, str]]) -> None:
        """Send files to their paths."""

    def get(self, files: Sequence[tuple[str, Path]]) -> None:
        """Fetch files from their paths."""


class BucketStore:
    """A bucket on the Hugging Face Hub.

    Args:
        api: a `huggingface_hub.HfApi`.
        bucket: "owner/name".
        asked: asks it, as `asked_of_the_hub` does, perhaps with somebody's token.
        largest: bytes of one file of it that is listed; larger ones are as if they were not there.
    """

    def __init__(
        self,
        api: Any,
        bucket: str,
        asked: Callable[..., Any] | None = None,
        largest: float = float("inf"),
    ) -> None:
        self._api, self._bucket = api, bucket
        self._asked, self._largest = asked or asked_of_the_hub, largest

    def marks(self, prefix: str) -> dict[str, str]:
        """Return the hash of every file below `prefix`, by its path."""
        listed = self._asked(
            self._api.list_bucket_tree, self._bucket, prefix=prefix, recursive=True
        )
        files = [each for each in listed if each.type == "file" and each.size <= self._largest]
        return {each.path: each.xet_hash for each in files}

    def put(self, files: Sequence[tuple[Path, str]]) -> None:
        """Send files to their paths."""
        self._asked(self._api.batch_bucket_files, self._bucket, add=list(files))

    def get(self, files: Sequence[tuple[str, Path]]) -> None:
        """Fetch files from their paths."""
        self._asked(
            self._api.download_bucket_files,
            self._bucket,
            list(files),
            raise_on_missing_files=True,
        )


def asked_of_the_hub(call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Return what the Hub answers, a list where it is several things.

    Raises:
        OSError: it cannot be reached, or has a fault of its own.
        Refused: it refuses; no sentence repeats a token that was sent.
    """
    from huggingface_hub.errors import HfHubHTTPError

    try:
        answer = call(*arguments, **options)
        # Only here does a generator ask.
        return list(answer) if isinstance(answer, Generator) else answer
    except HfHubHTTPError as error:
        said = without(" ".join(str(error).split()), tokens_in(options))[:_MOST_SAID]
        if error.response.status_code < 500:
            words = f"Hugging Face refuses: {said}"
            raise Refused(words, error.response.status_code) from None
        raise OSError(f"Hugging Face has a fault: {said}") from None
    except httpx.HTTPError as error:
        reason = without(str(error), tokens_in(options)) or type(error).__name__
        raise OSError(
            Wording(
                "engine.hub_unreachable", "Hugging Face cannot be reached ({reason})", reason=reason
            )
        ) from None


def tokens_in(options: Mapping[str, Any]) -> list[str]:
    """Return the tokens among the options of a call of the Hub."""
    sent = [options.get("token"), *(options.get("secrets") or {}).values()]
    return [token for token in sent if isinstance(token, str) and token]


def without(text: str, tokens: Iterable[str]) -> str:
    """Return a text in which no token is left: it may go into a log that everybody reads."""
    for token in tokens:
        text = text.replace(token, "[token]")
    return text


class Travelling:
    """One attempt's files, here and in a store.

    Args:
        run: the folder of the run on this side.
        number: of the attempt.
        prefix: the attempt's folder in the store.
        of_stranger: whether the store is somebody's who is only to be believed so far.
    """

    def __init__(
        self, store: Store, run: Path, number: int, prefix: str, *, of_stranger: bool = False
    ) -> None:
        self.store, self.prefix, self.of_stranger = store, prefix, of_stranger
        self.directory, self.attempt = RunDirectory(run), Attempt.of(run, number)
        self._spec = self.directory.path / "spec.json"
        self._sent: dict[str, tuple[int, int]] = {}
        self._fetched: dict[str, str] = {}

    def send_request(self, beside: Iterable[Path] = ()) -> None:
        """Send what the attempt begins with; a second time changes nothing.

        Args:
            beside: folders among the runs, of pictures or models that it needs.
        """
        newest = run_checkpoints.latest(self.directory.checkpoints)
        files = [self._spec, self.directory.path / "control.json"]
        files += [attempt.status for attempt in self.directory.attempts()]
        files += _below(newest) if newest else []
        files += _below(self.directory.path / "trail")
        files += [path for folder in beside for path in _below(folder)]
        self._send(file for file in files if file.exists())

    def fetch_request(self) -> None:
        """Fetch all that was sent for the attempt."""
        self._fetch(self.store.marks(self.prefix + "/"))

    def send_wish(self) -> None:
        """Send the newest wish to the worker, if it is a new one."""
        self._send([self.directory.path / "control.json"])

    def fetch_wish(self) -> None:
        """Fetch the newest wish, if it is a new one."""
        name = f"{self.prefix}/control.json"
        marks = self.store.marks(name)
        self._fetch({name: marks[name]} if name in marks else {})

    def send_results(self) -> None:
        """Send what has changed, the manifests after their checkpoints and the exit at the end."""
        checkpoints = [
            folder
            for folder in self.directory.checkpoints.glob("step-*")
            if run_checkpoints.is_valid(folder)
        ]
        parts = [path for folder in checkpoints for path in _below(folder)]
        manifests = [path for path in parts if path.name == run_checkpoints.MANIFEST]
        small = [*_below(self.directory.samples), *_below(self.directory.path / "trail")]
        mine = [path for path in _below(self.attempt.path) if path != self.attempt.lease]
        small += [self._spec, *mine]
        self._send([path for path in parts if path not in manifests])
        self._send(manifests)
        self._send([path for path in small if path != self.attempt.exit])
        self._send([path for path in [self.attempt.exit] if path.exists()])

    def fetch_results(self) -> None:
        """Fetch what has changed; the exit, if it is there, when all the rest is."""
        marks = self.store.marks(self.prefix + "/")
        end = self._name(self.attempt.exit)
        checkpoints: dict[str, list[str]] = {}
        small = {}
        for name, mark in marks.items():
            if self.of_stranger and not self._is_of_a_worker(name):
                if name == self._name(self._spec):
                    self._fetch_spec(name, mark)
                continue
            parts = name.removeprefix(self.prefix + "/").split("/")
            if parts[0] == self.directory.checkpoints.name and len(parts) == 3:
                checkpoints.setdefault(parts[1], []).append(name)
            elif name != end and parts[0] not in ("control.json", _BESIDE):
                small[name] = mark
        for step, names in sorted(checkpoints.items()):
            self._fetch_checkpoint(step, names)
        self._fetch(small)
        if end in marks:
            self._fetch({end: marks[end]})

    def _is_of_a_worker(self, name: str) -> bool:
        """Return whether a file of the store is one that this attempt's worker writes."""
        mine = self.attempt
        files = (mine.status, mine.metrics, mine.log, mine.launcher, mine.exit)
        if name in map(self._name, files):
            return True
        rest = name.removeprefix(self.prefix + "/")
        return name != rest and _OF_A_WORKER.fullmatch(rest) is not None

    def _fetch_spec(self, name: str, mark: str) -> None:
        """Fetch what a stranger's worker resolved, if what was asked for is still the same."""
        if self._fetched.get(name) == mark:
            return
        temporary = self._spec.with_name(f"{_TEMPORARY}{self._spec.name}")
        self.store.get([(name, temporary)])
        try:
            values = found(read_json(temporary, _LARGEST_SPEC), self.directory.path.parent)
            theirs, mine = RunSpec.from_dict(values), self.directory.read_spec()
            counts = [theirs.resolved.get(each, 0) for each in ("images", "dataset_images")]
            same = dataclasses.replace(theirs, resolved=mine.resolved) == mine
            if same and all(type(count) is int for count in counts):
                os.replace(temporary, self._spec)
        except ValueError:
            pass  # it is no specification
        finally:
            temporary.unlink(missing_ok=True)
        self._fetched[name] = mark

    def _fetch_checkpoint(self, step: str, names: Collection[str]) -> None:
        """Fetch a checkpoint if it is complete there and not yet here."""
        final = self.directory.checkpoints / step
        if final.exists() or not any(n.endswith(run_checkpoints.MANIFEST) for n in names):
            return
        newest = run_checkpoints.latest(self.directory.checkpoints)
        if newest is not None and newest.name > step:
            return  # it was thinned out here, or is about to be there
        temporary = final.with_name(_TEMPORARY + step)
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        self.store.get([(name, temporary / Path(name).name) for name in names])
        if run_checkpoints.is_valid(temporary, thorough=True):
            os.rename(temporary, final)
            best = read_json(final / "state.json").get("best")
            run_checkpoints.thin(self.directory.checkpoints, keep_also=best)
        shutil.rmtree(temporary, ignore_errors=True)

    def _name(self, path: Path) -> str:
        run = self.directory.path
        if path.is_relative_to(run):
            return f"{self.prefix}/{path.relative_to(run).as_posix()}"
        return f"{self.prefix}/{_BESIDE}/{path.relative_to(run.parent).as_posix()}"

    def _target(self, name: str) -> Path:
        """Return where a file of the store belongs here; OSError if it leads elsewhere."""
        rest, base = name.removeprefix(self.prefix + "/"), self.directory.path
        if rest.startswith(f"{_BESIDE}/"):
            rest, base = rest.removeprefix(f"{_BESIDE}/"), base.parent
        target = base / rest
        if not target.resolve().is_relative_to(base.resolve()):
            raise OSError(f"{name} leads out of the run's folder")
        return target

    def _send(self, paths: Iterable[Path]) -> None:
        """Send the files that are not as they were when they were last sent."""
        changed: dict[str, tuple[Path, tuple[int, int]]] = {}
        for path in paths:
            try:
                facts = path.stat()
            except FileNotFoundError:
                continue  # replaced, or thinned out, just now
            now = (facts.st_mtime_ns, facts.st_size)
            if self._sent.get(self._name(path)) != now:
                changed[self._name(path)] = path, now
        if changed:
            self.store.put([(path, name) for name, (path, _) in changed.items()])
            self._sent |= {name: now for name, (_, now) in changed.items()}

    def _fetch(self, marks: dict[str, str]) -> None:
        """Fetch the files that are not as they were when they were last fetched."""
        for name, mark in marks.items():
            if self._fetched.get(name) == mark:
                continue
            target = self._target(name)
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary = target.with_name(f"{_TEMPORARY}{target.name}")
            self.store.get([(name, temporary)])
            os.replace(temporary, target)
            self._fetched[name] = mark


def _below(folder: Path) -> list[Path]:
    """Return the files below a folder, without those that are just being written."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in found if not path.name.startswith("."))
