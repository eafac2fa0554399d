"""Files that are either the old ones or the new ones, never half of both.

A small file is replaced by writing a temporary one beside it, flushing it to the disk, renaming
it over the old name, and flushing the folder that holds the name.
"""

import json
import os
import secrets
import sys
import time
from pathlib import Path
from typing import Any


def atomic_write(path: str | os.PathLike, content: bytes | str) -> None:
    """Replace `path` by `content` so that a reader, or a crash, sees the old or the new file.

    Raises:
        OSError: the disk is full or the folder is not writable; the old file is untouched and
            no temporary file is left.
    """
    path = Path(path)
    data = content.encode() if isinstance(content, str) else content
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    flush_directory(path.parent)


def write_json(path: str | os.PathLike, value: Any) -> None:
    """Replace `path` atomically by `value` as indented JSON; NaN and infinity are refused."""
    atomic_write(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def read_json(path: str | os.PathLike, limit: int = 16 * 2**20) -> Any:
    """Read a JSON file of at most `limit` bytes.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is larger than `limit` or not JSON; the sentence names the file.
    """
    path = Path(path)
    with path.open("rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise ValueError(f"{path} is larger than {limit} bytes, so it was not read")
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not valid JSON: {error}") from None


def flush_directory(path: str | os.PathLike) -> None:
    """Flush the names in a folder to the disk; Windows has no such call and needs none."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Lease:
    """A lock on a file that is free the moment its owner is gone, however it went.

    POSIX record locks, not `flock`: a forked child does not inherit them, so a surviving child
    cannot keep a dead owner's lease. On Windows the first byte is locked instead (never run there).
    """

    def __init__(self, path: str | os.PathLike) -> None:
        self.path = Path(path)
        self._file: Any = None

    def acquire(self, patience: float = 0.0) -> bool:
        """Take the lease; False if another process still holds it after `patience` seconds.

        Raises:
            OSError: the folder cannot be written, or its file system has no locks.
        """
        end = time.monotonic() + patience
        while not self._try():
            if time.monotonic() >= end:
                return False
            time.sleep(0.05)
        return True

    def _try(self) -> bool:
        file = self.path.open("a+b")
        try:
            _lock(file)
        except (BlockingIOError, PermissionError):
            file.close()
            return False
        self._file = file
        return True

    def release(self) -> None:
        """Give the lease back; harmless when it is not held."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def is_held(self) -> bool:
        """Return whether another process holds it; never call this in the owner's process.

        It writes nothing, so it can be asked in a folder that may only be read.
        """
        try:
            with self.path.open("rb") as file:
                _lock(file, shared=True)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False


def _lock(file: Any, *, shared: bool = False) -> None:
    if sys.platform == "win32":
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.lockf(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
