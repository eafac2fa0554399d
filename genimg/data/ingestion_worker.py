"""The child process that reads uploaded pictures: `python -m genimg.data.ingestion_worker`.

The request comes as JSON on standard input. The pictures, their manifest and the outcome are left
in the folder that it names; see `genimg.data.ingestion`, which publishes them.
Exit codes: 0 done, 2 the upload cannot be used, 71 out of memory, 74 files could not be written;
the reason is one line on standard error.
"""

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
from genimg.data.file_names import UNNAMED, class_name, is_hidden, path_parts, shown_name
from genimg.data.folder import SUFFIXES
from genimg.data.ingestion import OUTCOME, PICTURES, Limits
from genimg.data.manifest import KIND, MANIFEST, pictures_hash
from genimg.data.zip_reader import SIGNATURES, BadZip, ZipReader
from genimg.storage import write_json

MOST_REFUSED = 200
_LARGEST_FILE = 2**24  # no picture of 64 pixels, manifest or outcome comes near


def main() -> int:
    """Do what standard input asks; return the exit code."""
    request = json.load(sys.stdin)
    limits = Limits.from_dict(request["limits"])
    restrict_process(limits)
    try:
        collect(
            [Path(source) for source in request["sources"]],
            Path(request["folder"]),
            size=request["size"],
            fit=request["fit"],
            limits=limits,
        )
    except ValueError as error:
        return _fail(2, str(error))
    except MemoryError:
        return _fail(71, "reading the pictures took too much memory; send fewer or smaller ones")
    except OSError as error:
        return _fail(74, f"the pictures could not be stored: {error.strerror}; free some space")
    return 0


def _fail(code: int, message: str) -> int:
    print("error:", " ".join(message.split()), file=sys.stderr)
    return code


def restrict_process(limits: Limits) -> None:
    """Let the system end this process when it takes more than `limits` allow.

    Windows has no such limits: there the counts and the parent's clock must do. The memory is
    limited on Linux only, because what Python and its libraries took already must be added to it.
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


def collect(sources: list[Path], folder: Path, *, size: int, fit: str, limits: Limits) -> None:
    """Read all sources; leave the pictures with their manifest, and the outcome, in `folder`.

    Raises:
        ValueError: as for `genimg.data.ingestion.ingest`.
        OSError: a file could not be read or written.
    """
    collector = Collector(folder, size=size, fit=fit, limits=limits)
    for source in sources:
        shown = f"the file {shown_name(source.name)}"
        with source.open("rb") as file:
            if file.read(4) in SIGNATURES:
                try:
                    collector.add_zip(ZipReader(file, limits.files))
                except BadZip as error:
                    raise ValueError(f"{shown} cannot be used: {error}") from None
            elif source.suffix.lower() == ".zip":
                raise ValueError(f"{shown} is not a zip file; make a new one")
            else:
                collector.add_file(source)
    collector.finish()


class Collector:
    """The pictures of one upload, counted against its limits.

    Args:
        folder: exists and is empty.
    """

    def __init__(self, folder: Path, *, size: int, fit: str, limits: Limits) -> None:
        self.folder, self.size, self.fit, self.limits = folder, size, fit, limits
        self.files = self.claimed_bytes = self.refused_count = 0
        self.channels = 1  # until a picture has colours
        self.accepted: list[tuple[str, str, Path]] = []  # class, SHA-256, new file
        self.refused: list[tuple[str, str]] = []

    def add_zip(self, archive: ZipReader) -> None:
        """Take every member that is a picture.

        Raises:
            ValueError: there are too many files or bytes.
        """
        files = [(member, path_parts(member.name)) for member in archive.members]
        files = [(m, parts) for m, parts in files if not (m.is_folder or is_hidden(parts))]
        level = _class_level([parts for _, parts in files])
        most_bytes, most_ratio = self.limits.file_bytes, self.limits.ratio

        for member, parts in files:
            label = class_name(parts[level]) if len(parts) > level + 1 else UNNAMED
            read = partial(archive.read, member, most_bytes, most_ratio)
            self._add(member.name, label, member.unpacked, read)

    def add_file(self, path: Path) -> None:
        """Take one file, if it is a picture.

        Raises:
            ValueError: there are too many files or bytes.
        """
        self._add(path.name, UNNAMED, path.stat().st_size, partial(self._read_file, path))

    def _read_file(self, path: Path) -> bytes:
        size, most = path.stat().st_size, self.limits.file_bytes
        if size > most:
            raise ValueError(f"it has {size:,} bytes, and at most {most:,} are allowed")
        return path.read_bytes()

    def _add(self, name: str, label: str, bytes_claimed: int, read: Callable[[], bytes]) -> None:
        self.files += 1
        if self.files > self.limits.files:
            raise ValueError(f"there are too many files; at most {self.limits.files:,} are allowed")
        # No more than the claim, or than one file may have, is ever read.
        self.claimed_bytes += min(bytes_claimed, self.limits.file_bytes)
        if self.claimed_bytes > self.limits.total_bytes:
            raise ValueError(
                f"the files are too large; unpacked, {self.limits.total_bytes:,} bytes are allowed"
                " in all"
            )
        try:
            pixels = read_picture(io.BytesIO(read()), self.size, self.fit)
        except ValueError as error:
            self.refused_count += 1
            if len(self.refused) < MOST_REFUSED:
                self.refused.append((shown_name(name), str(error)))
            return
        self.channels = max(self.channels, pixels.shape[2])
        # New pixels in a new file: nothing of the old one is left, such as where it was taken.
        buffer = io.BytesIO()
        Image.fromarray(pixels if pixels.shape[2] == 3 else pixels[:, :, 0]).save(buffer, "PNG")
        file = self.folder / f"{self.files:06d}.png"
        file.write_bytes(buffer.getvalue())
        self.accepted.append((label, hashlib.sha256(buffer.getvalue()).hexdigest(), file))

    def finish(self) -> None:
        """Sort the pictures into their classes, and write the manifest and the outcome.

        Raises:
            ValueError: there is no picture, or there are too many classes.
        """
        if not self.accepted:
            first = "".join(f" ({name}: {reason})" for name, reason in self.refused[:1])
            raise ValueError(
                f"there is no usable picture{first}; send PNG, JPEG or WebP files, or a zip file"
                " with one folder of them for each class"
            )
        # Many file systems take "Cats" and "cats" for one folder, so they are one class.
        spelling: dict[str, str] = {}
        for label in sorted({label for label, _, _ in self.accepted}):
            spelling.setdefault(label.casefold(), label)
        if len(spelling) > self.limits.classes:
            raise ValueError(
                f"there are {len(spelling):,} classes, and at most {self.limits.classes:,} are"
                " allowed; use fewer folders"
            )
        pictures = sorted(
            (spelling[label.casefold()], digest, file) for label, digest, file in self.accepted
        )
        root, counts, published = self.folder / PICTURES, Counter(), []
        for label, digest, file in pictures:
            counts[label] += 1
            name = f"{label}/{counts[label]:06d}.png"
            (root / label).mkdir(parents=True, exist_ok=True)
            file.rename(root / name)
            published.append((name, digest))
        if hasattr(os, "sync"):
            os.sync()  # all pictures at once; one by one would take minutes
        manifest = {
            "kind": KIND,
            "format": 1,
            "sha256": pictures_hash(published),
            "count": len(pictures),
            "classes": dict(sorted(counts.items())),
            "channels": self.channels,
            "size": self.size,
            "fit": self.fit,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        write_json(root / MANIFEST, manifest)
        outcome = {"refused": self.refused, "refused_count": self.refused_count}
        write_json(self.folder / OUTCOME, outcome)


def _class_level(paths: list[list[str]]) -> int:
    """Return which folder is the class: the first, or the second if one folder holds several."""
    named = [parts for parts in paths if parts and parts[-1].lower().endswith(SUFFIXES)]
    wrapped = len({parts[0] for parts in named}) == 1 and all(len(parts) > 2 for parts in named)
    return 1 if wrapped and len({parts[1] for parts in named}) > 1 else 0


if __name__ == "__main__":
    sys.exit(main())
