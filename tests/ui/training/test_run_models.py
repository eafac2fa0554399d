import pytest

from genimg.checkpoints import CheckpointError
from genimg.explore.uses import SHOWN
from genimg.jobs.limits import Visitor
from genimg.models import KINDS
from genimg.training.presets import PRESETS
from genimg.training.running import train
from genimg.ui.model_shelf import MOST_RUNS, ModelShelf, use_of
from genimg.ui.training.run_models import RunModels, use_of_preset


@pytest.fixture
def trained(idle_manager, small_models):
    """A manager with a run that has a checkpoint."""
    settings = small_models["fashion-mlp"] | {"images": 128, "threads": 1, "precision": "fp32"}
    job = idle_manager.start(
        "fashion-mlp", name="mine", device="cpu", visitor=Visitor("ada"), **settings
    )
    train("fashion-mlp", idle_manager.root / job.id, **settings, device="cpu")
    idle_manager.step()
    return idle_manager, job


def test_a_run_is_offered_by_its_id_and_reloaded_when_asked(trained, paths):
    manager, job = trained
    models = RunModels(manager, "gan")
    shelf = ModelShelf([paths["style"]], models.choices)
    name = models.name(job.id)
    assert name == job.id  # nothing of where the server keeps it
    assert shelf.named(str(manager.root / job.id)) == name  # as old links have it
    assert shelf.source(name) == f"{manager.root.name}/{job.id}"
    assert shelf.choices()[-1] == ("mine (ada)", name)
    forgotten = []
    shelf.when_reloaded(lambda: forgotten.append(1))
    with shelf.use(name) as first:
        assert first.sample(1).shape == (1, 32, 32, 1)
    with shelf.use(name) as again:
        assert again is first
    shelf.reload(name)
    assert forgotten == [1]
    with shelf.use(name) as newest:
        assert newest is not first


def test_a_path_is_not_a_run(trained, paths):
    manager, job = trained
    shelf = ModelShelf([paths["style"]], RunModels(manager, "gan").choices)
    for name in (f"./{job.id}", f"{manager.root}/./{job.id}", f"{manager.root}/../root/{job.id}"):
        with pytest.raises(CheckpointError, match="choose one of"), shelf.use(name):
            pass
    other = ModelShelf([paths["vision"]], RunModels(manager, "vision").choices)
    with pytest.raises(CheckpointError), other.use(RunModels(manager, "gan").name(job.id)):
        pass
    with pytest.raises(ValueError, match="no job"):
        RunModels(manager, "gan").name("../..")


def test_runs_do_not_fill_the_memory(paths, trained, monkeypatch):
    manager, job = trained
    name = RunModels(manager, "gan").name(job.id)
    runs = [(str(i), f"run {i}") for i in range(2 * MOST_RUNS)]
    shelf = ModelShelf([paths["style"]], lambda: runs)
    monkeypatch.setattr("genimg.ui.model_shelf.genimg.load", lambda path: name)
    for name_ in [paths["style"], *(path for _, path in runs)]:
        with shelf.use(name_):
            assert len(shelf._models) <= MOST_RUNS + 1
    assert paths["style"] in shelf._models


def test_every_preset_opens_where_its_checkpoint_does():
    for name, preset in PRESETS.items():
        use = use_of_preset(name)
        task = KINDS[preset.kind].task
        drawn = task in ("gan", "prior", "masked-prior", "pixels")
        assert (use in SHOWN) == (drawn or preset.kind == "vision-transformer")
    assert use_of_preset("nonsense") == ""


def test_a_run_has_the_use_that_its_directory_says(trained):
    manager, job = trained
    assert use_of(manager.root / job.id) == use_of_preset(job.preset) == "gan"
