"""Pictures that runs learn from have moved: say where they are now."""

from pathlib import Path

from genimg import data
from genimg.data import FOLDER_PREFIX
from genimg.storage import read_json
from genimg.training.places import fingerprint, kept_path, remember
from genimg.training.run_directory import RunDirectory
from genimg.training.spec import RunSpec


def locate(runs: Path, name: str, folder: Path) -> list[str]:
    """Let all runs in `runs` that learn from `name` find it in `folder`; return their names.

    Args:
        name: the data set as the runs know it: "folder:PATH", where it was.

    Raises:
        ValueError: no run learns from it, or in `folder` are other pictures than a run began with.
        OSError: `runs` cannot be written.
    """
    if not runs.is_dir():
        raise ValueError(f"there is no folder {runs}; give the folder of the runs as --runs")
    wanted = kept_path(name.removeprefix(FOLDER_PREFIX), runs)
    own = _own_pictures(runs)
    meant = {
        run: recorded
        for run, (recorded, spec) in own.items()
        if wanted in {kept_path(path, runs) for path in (recorded, _folder(spec))}
    }
    if not meant:
        known = ", ".join(sorted({spec.run.dataset for _, spec in own.values()})) or "none"
        raise ValueError(
            f"no run in {runs} learns from {name}; the pictures that they learn from are: {known}"
        )
    facts = data.describe(f"{FOLDER_PREFIX}{folder}")
    for run in meant:
        _check_same(run, own[run][1], facts, folder)
    for recorded in set(meant.values()):
        remember(runs, recorded, folder)
    return sorted(meant)


def _own_pictures(runs: Path) -> dict[str, tuple[str, RunSpec]]:
    """Return, for each run that learns from a folder, its path as recorded, and the request."""
    found = {}
    for file in sorted(runs.glob("*/spec.json")):
        try:
            spec = RunDirectory(file.parent).read_spec()
            recorded = read_json(file)["run"]["dataset"]
        except (OSError, ValueError):
            continue  # it cannot be trained as it is
        if spec.run.dataset.startswith(FOLDER_PREFIX):
            found[file.parent.name] = recorded.removeprefix(FOLDER_PREFIX), spec
    return found


def _folder(spec: RunSpec) -> str:
    return spec.run.dataset.removeprefix(FOLDER_PREFIX)


def _check_same(run: str, spec: RunSpec, facts: dict, folder: Path) -> None:
    """Raise ValueError if a run that has begun would refuse the pictures in `folder`."""
    if not spec.resolved:
        return
    began, now = spec.resolved["dataset_images"], facts["images"]["train"]
    hashes = {fingerprint(spec.resolved["dataset_source"]), fingerprint(facts["source"])}
    if began != now or len(hashes) > 1:
        raise ValueError(
            f"the run {run} began with {began} other pictures than the {now} in {folder}; give the"
            " folder that has those"
        )
