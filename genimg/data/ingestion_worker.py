"""The child process that reads uploaded pictures: `python -m genimg.data.ingestion_worker`.

The request comes as JSON on standard input and names a folder. The pictures, their manifest and the
outcome are left there; `genimg.data.ingestion` publishes them.
Exit codes: 0 done, 2 the upload cannot be used, 71 out of memory, 74 files could not be written;
the reason is one line on standard error.
"""

import contextlib
import hashlib
import io
import json
import math
import os
import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from PIL import Image

from genimg.data.decoding import read_picture
from genimg.data.file_names import is_hidden, path_parts, shown_name
from genimg.data.ingestion import OUTCOME, PICTURES, REASON, UploadLimits
from genimg.data.labels import MOST_BYTES, Labels, is_labels, read_labels
from genimg.data.layout import Place, arrange
from genimg.data.manifest import KIND, MANIFEST, pictures_hash
from genimg.data.registry import SPLITS
from genimg.data.zip_reader import SIGNATURES, BadZip, ZipReader
from genimg.kept_wording import kept
from genimg.storage import write_json
from genimg.wording import Wording, wording_of

MOST_REFUSED = 200
_GREY = "-grey"  # ends the temporary name of a grey picture
_LONGEST_START = 8
_PROGRAMS = (b"MZ", b"\x7fELF", b"#!")
_ARCHIVES = {b"Rar!": "RAR", b"7z\xbc\xaf": "7z", b"\x1f\x8b": "gzip", b"\xfd7zXZ": "xz"}
_LARGEST_FILE = 2**24  # no picture of 64 pixels, manifest or outcome comes near


def main() -> int:
    """Do what standard input asks; return the exit code."""
    request = json.load(sys.stdin)
    folder = Path(request["folder"])

    def fail(code: int, message: str) -> int:
        with contextlib.suppress(OSError):  # else the line in English must do
            write_json(folder / REASON, kept(message))
        print("error:", " ".join(message.split()), file=sys.stderr)
        return code

    limits = UploadLimits.from_dict(request["limits"])
    restrict_process(limits)
    try:
        collect(
            [Path(source) for source in request["sources"]],
            folder,
            size=request["size"],
            fit=request["fit"],
            limits=limits,
        )
    except ValueError as error:
        return fail(2, wording_of(error))
    except MemoryError:
        return fail(
            71,
            Wording(
                "upload.memory",
                "reading the pictures took too much memory; send fewer or smaller ones",
            ),
        )
    except OSError as error:
        return fail(
            74,
            Wording(
                "upload.disk",
                "the pictures could not be stored: {reason}; free some space",
                reason=error.strerror or str(error),
            ),
        )
    return 0


def restrict_process(limits: UploadLimits) -> None:
    """Have the system end this process when it takes more than `limits` allow.

    Windows has no such limits: there the counts and the parent's clock must do. Memory is limited
    on Linux only, because what Python and its libraries have taken already must be known.
    """
    try:
        import resource
    except ImportError:
        return
    usage = resource.getrusage(resource.RUSAGE_SELF)
    spent = math.ceil(usage.ru_utime + usage.ru_stime)
    values = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: _LARGEST_FILE,
        resource.RLIMIT_CPU: spent + limits.processor_seconds,
    }
    statistics = Path("/proc/self/statm")
    if statistics.exists():
        taken = int(statistics.read_text().split()[0]) * resource.getpagesize()
        values[resource.RLIMIT_AS] = taken + limits.memory_bytes
    for kind, value in values.items():
        _, hard = resource.getrlimit(kind)
        # The hard limit is one more, so that its SIGKILL comes after the soft one's own signal.
        highest = value + 1 if hard == resource.RLIM_INFINITY else min(value + 1, hard)
        resource.setrlimit(kind, (min(value, highest), highest))


def collect(
    sources: list[Path], folder: Path, *, size: int, fit: str, limits: UploadLimits
) -> None:
    """Read all sources; leave the pictures with their manifest, and the outcome, in `folder`.

    Raises:
        ValueError: as for `genimg.data.ingestion.ingest`.
        OSError: a file could not be read or written.
    """
    collector = Collector(folder, size=size, fit=fit, limits=limits)
    for source in sources:
        shown = Wording("upload.file", "the file {name}", name=shown_name(source.name))
        with source.open("rb") as file:
            start = file.read(_LONGEST_START)
            begins = start.startswith(SIGNATURES)
            # Those that unpack themselves begin with a program.
            if not begins and source.suffix.lower() not in (".zip", ".exe"):
                collector.add_file(source)
                continue
            try:
                collector.add_zip(ZipReader(file, limits.files))
            except BadZip as error:
                if not begins and not start.startswith(_PROGRAMS):
                    kind = next((k for s, k in _ARCHIVES.items() if start.startswith(s)), "")
                    if kind:
                        words = Wording(
                            "upload.archive",
                            "{file} is a {kind} archive; make a new zip file",
                            file=shown, kind=kind,
                        )  # fmt: skip
                    else:
                        words = Wording(
                            "upload.no_zip",
                            "{file} is not a zip file; make a new zip file",
                            file=shown,
                        )
                    raise ValueError(words) from None
                raise ValueError(
                    Wording(
                        "upload.unusable",
                        "{file} cannot be used: {reason}",
                        file=shown,
                        reason=wording_of(error),
                    )
                ) from None
    collector.finish()


class Collector:
    """The pictures of one upload, counted against its limits.

    Args:
        folder: exists and is empty.
    """

    def __init__(self, folder: Path, *, size: int, fit: str, limits: UploadLimits) -> None:
        self.folder, self.size, self.fit, self.limits = folder, size, fit, limits
        self.files = self.claimed_bytes = self.refused_count = 0
        self.channels = 1  # until a picture has colours
        self.accepted: list[tuple[list[str], str, Path]] = []  # path, SHA-256, new file
        self.refused: list[tuple[str, str]] = []
        self.labels: list[Labels] = []
        self.done: Counter[str] = Counter()
        """What was done to how many pictures."""

    def add_zip(self, archive: ZipReader) -> None:
        """Take every member that is a picture, and what label files say.

        Raises:
            ValueError: there are too many files or bytes.
        """
        most_bytes, most_ratio = self.limits.file_bytes, self.limits.ratio
        for member in archive.members:
            path = path_parts(member.name)
            if member.is_folder or is_hidden(path) or not path:
                continue
            if is_labels(path):
                read = partial(archive.read, member, min(most_bytes, MOST_BYTES), most_ratio)
                self._add_labels(path, member.unpacked, read)
            else:
                read = partial(archive.read, member, most_bytes, most_ratio)
                self._add(member.name, path, member.unpacked, read)

    def add_file(self, path: Path) -> None:
        """Take one file, if it is a picture.

        Raises:
            ValueError: there are too many files or bytes.
        """
        if not is_hidden([path.name]):
            self._add(path.name, [], path.stat().st_size, partial(self._read_file, path))

    def _read_file(self, path: Path) -> bytes:
        size, most = path.stat().st_size, self.limits.file_bytes
        if size > most:
            raise ValueError(
                Wording(
                    "file.bytes",
                    "it has {size} bytes, and at most {most} are allowed",
                    size=f"{size:,}",
                    most=f"{most:,}",
                )
            )
        return path.read_bytes()

    def _count(self, bytes_claimed: int) -> None:
        self.files += 1
        if self.files > self.limits.files:
            raise ValueError(
                Wording(
                    "upload.files",
                    "there are too many files; at most {most} are allowed",
                    most=f"{self.limits.files:,}",
                )
            )
        # No more than the claim, or than one file may have, is ever read.
        self.claimed_bytes += min(bytes_claimed, self.limits.file_bytes)
        if self.claimed_bytes > self.limits.total_bytes:
            raise ValueError(
                Wording(
                    "upload.unpacked",
                    "the files are too large; unpacked, {most} bytes are allowed in all",
                    most=f"{self.limits.total_bytes:,}",
                )
            )

    def _refuse(self, name: str, reason: str) -> None:
        self.refused_count += 1
        if len(self.refused) < MOST_REFUSED:
            self.refused.append((shown_name(name), reason))

    def _add_labels(self, path: list[str], bytes_claimed: int, read: Callable[[], bytes]) -> None:
        self._count(bytes_claimed)
        try:
            self.labels.append(read_labels(path, read()))
        except ValueError as error:
            self._refuse("/".join(path), wording_of(error))

    def _add(
        self, name: str, path: list[str], bytes_claimed: int, read: Callable[[], bytes]
    ) -> None:
        """Take one file.

        Args:
            path: its folders and name in an archive; empty if it came by itself.
        """
        self._count(bytes_claimed)
        try:
            pixels = read_picture(io.BytesIO(read()), self.size, self.fit, self.done)
        except ValueError as error:
            self._refuse(name, wording_of(error))
            return
        # New pixels in a new file: nothing else is kept, such as where the picture was taken.
        buffer = io.BytesIO()
        Image.fromarray(pixels if pixels.shape[2] == 3 else pixels[:, :, 0]).save(buffer, "PNG")
        file = self.folder / f"{self.files:06d}{_GREY if pixels.shape[2] == 1 else ''}.png"
        file.write_bytes(buffer.getvalue())
        self.accepted.append((path, hashlib.sha256(buffer.getvalue()).hexdigest(), file))

    def finish(self) -> None:
        """Sort the pictures into their classes, and write the manifest and the outcome.

        Raises:
            ValueError: there is no picture, or there are too many classes.
        """
        layout = arrange([path for path, _, _ in self.accepted], self.labels)
        layout.note_done(self.done)
        placed: list[tuple[Place, str, Path]] = []
        for (path, digest, file), place in zip(self.accepted, layout.places, strict=True):
            if isinstance(place, str):
                self._refuse("/".join(path), place)
                file.unlink()
            else:
                placed.append((place, digest, file))
        if not placed:
            raise ValueError(
                Wording(
                    "upload.none_usable_as",
                    "there is no usable picture ({file}: {reason}); send PNG, JPEG or WebP files,"
                    " or a zip file with one folder of them for each class",
                    file=self.refused[0][0],
                    reason=self.refused[0][1],
                )
                if self.refused
                else Wording(
                    "upload.none_usable",
                    "there is no usable picture; send PNG, JPEG or WebP files, or a zip file with"
                    " one folder of them for each class",
                )
            )
        classes = Counter(place.label for place, _, _ in sorted(placed))
        if len(classes) > self.limits.classes:
            raise ValueError(
                Wording(
                    "upload.classes",
                    "there are {count} classes, and at most {most} are allowed; use fewer folders",
                    count=f"{len(classes):,}",
                    most=f"{self.limits.classes:,}",
                )
            )
        root, published = self.folder / PICTURES, self._move(placed)
        splits = {
            split: dict(Counter(place.label for place, _, _ in sorted(placed) if place[0] == split))
            for split in SPLITS
        }
        found = layout.found(classes)
        manifest = {
            "kind": KIND,
            "format": 2,
            "sha256": pictures_hash(published),
            "count": len(placed),
            "classes": dict(sorted(classes.items())),
            **({"splits": splits} if any(splits.values()) else {}),
            "channels": self.channels,
            "size": self.size,
            "fit": self.fit,
            "found": found,
            "found_words": kept(found),
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        write_json(root / MANIFEST, manifest)
        refused = [(name, kept(reason)) for name, reason in self.refused]
        outcome = {"refused": refused, "refused_count": self.refused_count}
        write_json(self.folder / OUTCOME, outcome)

    def _move(self, placed: list[tuple[Place, str, Path]]) -> list[tuple[str, str]]:
        """Move the pictures to their places; return (path, SHA-256) of each."""
        root = self.folder / PICTURES
        counts: Counter[str] = Counter()
        published = []
        for place, digest, file in sorted(placed):
            below = "/".join(part for part in place if part)
            counts[below] += 1
            name = f"{below}/{counts[below]:06d}.png"
            (root / below).mkdir(parents=True, exist_ok=True)
            self.channels = max(self.channels, 1 if file.stem.endswith(_GREY) else 3)
            file.rename(root / name)
            published.append((name, digest))
        if hasattr(os, "sync"):
            os.sync()  # all pictures at once; one by one would take minutes
        return published


if __name__ == "__main__":
    sys.exit(main())
