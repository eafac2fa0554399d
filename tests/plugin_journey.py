"""What `test_plugin.py` runs where the example is installed: from the form to the tab.

    python plugin_journey.py FOLDER

It prints one JSON object of what it saw. The worker is a real one.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np

import genimg
from genimg.explore.evaluating import evaluate_model
from genimg.explore.previews import preview_pictures
from genimg.jobs.commands import Pause, Resume
from genimg.jobs.engine import LocalEngine
from genimg.jobs.limits import Visitor
from genimg.jobs.manager import JobManager
from genimg.jobs.states import State
from genimg.training.publishing import publish
from genimg.ui.identity import Identity
from genimg.ui.model_shelf import fill_shelves
from genimg.ui.training import form
from genimg.ui.training.handlers import TrainHandlers
from genimg.ui.training.run_models import RunModels

ADA = Visitor("ada")
PRESET = "stripes-small"
IMAGES = 128 * 600  # long enough to be paused before its end, however late one looks
PATIENCE_SECONDS = 400


def main(folder: Path) -> dict:
    # Not as a background run, which a busy machine would let wait for minutes.
    manager = JobManager(folder / "runs", engine=LocalEngine(nice=0))
    try:
        return journey(manager, folder)
    finally:
        manager.close()


def journey(manager: JobManager, folder: Path) -> dict:
    handlers = TrainHandlers(manager, Identity())
    settings = {"dataset": "stripes", "images": IMAGES, "threads": 1, "checkpoint_seconds": 1.0}
    seen = {
        "presets": [name for _, name in handlers.presets()],
        "pictures": handlers.dataset_for(PRESET, "fashion-mnist"),
        "data": [name for _, name in handlers.data.choices()],
        "fields": [f["name"] for part in form.sections(PRESET, {}) for f in part["fields"]],
        "weights": manager.estimate(PRESET, **settings).weights,
    }
    job = manager.start(PRESET, visitor=ADA, name="stripes", **settings)
    run = manager.root / job.id
    wait(manager, job.id, lambda job: job.state is State.RUNNING)
    manager.do(Pause(job.id), ADA)
    wait(manager, job.id, lambda job: job.state is State.PAUSED)
    seen["paused at"] = manager.job(job.id).saved_images
    manager.do(Resume(job.id), ADA)
    ended = wait(manager, job.id, lambda job: job.state is State.SUCCEEDED)
    seen |= {"attempts": ended.attempt, "images": ended.saved_images}

    drawn = genimg.load(run).sample(8, seed=3)
    facts = {"title": "Stripes", "license": "CC0-1.0"}
    published = publish(run, folder / "mine", preview=preview_pictures(genimg.load(run)), **facts)
    model = genimg.load(published)
    difference = np.abs(model.sample(8, seed=3).astype(int) - drawn)
    seen |= {
        "shape": list(drawn.shape),
        "largest difference": int(difference.max()),
        "directions": list(model.directions(count=4).shape),
        "measured": evaluate_model(published, count=100)["frechet_distance"],
    }
    shelves = fill_shelves([str(published)], {"gan": RunModels(manager, "gan").choices})
    with shelves["gan"].use(job.id) as shown:
        seen["shown"] = shown.info["kind"]
    return seen | {"tab": [name for _, name in shelves["gan"].choices()], "job": job.id}


def wait(manager: JobManager, job_id: str, done):
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        manager.step()
        job = manager.job(job_id)
        if done(job):
            return job
        if job.state in (State.FAILED, State.CANCELLED) or time.monotonic() > end:
            raise SystemExit(f"{job.state}: {job.message} {manager.log(job_id)[-2000:]}")
        time.sleep(0.1)


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
