"""Whether the machines of a cluster see the same files: one writes, the other reads and answers.

    python -m genimg.jobs.engines.meeting FOLDER WORD

is what the cluster runs: it must find the word in FOLDER that was written here, and writes an
answer that must be found here. It also shows that genimg can be imported there.
"""

import secrets
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from genimg.jobs import platforms
from genimg.jobs.engines.cluster import Given, SharingCluster, Standing
from genimg.storage import read_json, write_json

_ASKED, _ANSWER, _PRINTED = "asked.json", "answer.json", "printed.txt"
_LOOK_SECONDS = 0.5
_MOST_SAID = 300


def meet(cluster: SharingCluster, root: Path, python: str, seconds: float = 90.0) -> str:
    """Return the name of a machine of the cluster that sees the folder of the runs as this one.

    Args:
        root: that folder.
        python: of the cluster; '' is the path of this one.
        seconds: to wait at most.

    Raises:
        ValueError: it sees other files, has no such Python or no genimg, or refuses.
        OSError: it cannot be reached, or does not come to it.
    """
    word = secrets.token_hex(8)
    folder = root.resolve() / f".meeting-{word}"
    folder.mkdir(parents=True)
    try:
        write_json(folder / _ASKED, {"word": word})
        words = [python or sys.executable, "-m", __name__, str(folder), word]
        device, given = cluster.devices()[-1], Given(f"genimg-meeting-{word}", folder)
        cluster.start(given, words, folder / _PRINTED, device)
        return _wait(cluster, given, seconds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait(cluster: SharingCluster, given: Given, seconds: float) -> str:
    folder, end = given.folder, time.monotonic() + seconds
    ended = False
    while True:
        if (folder / _ANSWER).exists():
            return str(read_json(folder / _ANSWER)["host"])
        if ended:
            raise ValueError(_complaint(cluster, given))
        if time.monotonic() > end:
            cluster.stop(given)
            raise OSError(
                f"{cluster.name} took {seconds:.0f} s without starting a first command; are its"
                " machines busy, or up?"
            )
        ended = cluster.standings([given]).get(given) is Standing.ENDED
        time.sleep(_LOOK_SECONDS)


def _complaint(cluster: SharingCluster, given: Given) -> str:
    printed = given.folder / _PRINTED
    said = printed.read_text(errors="replace") if printed.exists() else cluster.output(given)
    said = " ".join(said.split())[-_MOST_SAID:]
    return (
        f"the machines of {cluster.name} do not see {given.folder.parent} as this one does, or"
        " cannot run genimg; let the runs and genimg lie in a folder that all of them share, and"
        f" give it as --runs{f' (it said: {said})' if said else ''}"
    )


def main(arguments: Sequence[str]) -> int:
    """Answer for a machine of the cluster; return the exit code."""
    folder, word = Path(arguments[0]), arguments[1]
    try:
        found = read_json(folder / _ASKED)["word"]
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if found != word:
        print(f"error: {folder} holds another word", file=sys.stderr)
        return 2
    write_json(folder / _ANSWER, {"host": platforms.host()})
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
