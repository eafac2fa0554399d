import pytest

from genimg.data.manifest import KIND, MANIFEST, folder_hash, verified_hash
from genimg.jobs import pictures
from genimg.jobs.commands import CheckUpload, DeletePictures, Start
from genimg.jobs.limits import UsageLimits, Visitor
from genimg.jobs.runs import sweep
from genimg.jobs.states import State
from genimg.storage import write_json

NAME = "0123456789abcdef"
TEACHER = Visitor("ada", is_teacher=True)


@pytest.fixture
def folder(root):
    """A published folder that nobody owns yet."""
    made = root / "datasets" / NAME
    (made / "cats").mkdir(parents=True)
    (made / "cats" / "1.png").write_bytes(b"x" * 1_500_000)
    write_json(made / MANIFEST, {"kind": KIND, "sha256": folder_hash(made)})
    return made


@pytest.fixture
def learn(add_job, spec, folder):
    """Queue a run that learns from the folder, and put it in a state."""

    def add(state=State.QUEUED):
        spec["run"]["dataset"] = f"folder:{folder.resolve()}"
        return add_job(state)

    return add


def test_owners_are_no_part_of_the_hash(folder):
    assert pictures.owners(folder) == []
    for name in ("ada", "bob", "ada"):
        pictures.add_owner(folder, name)
    assert pictures.owners(folder) == ["ada", "bob"]
    assert verified_hash(folder)


@pytest.mark.parametrize("content", ["", "[]", "3", '{"owners": 3}', '{"owners": [3, null]}'])
def test_a_damaged_list_of_owners_is_nobody(folder, content):
    (folder / ".owners.json").write_text(content)
    assert pictures.owners(folder) == []


@pytest.mark.parametrize("name", ["", ".", "..", "../datasets", f"../datasets/{NAME}", "/etc", "*"])
def test_a_name_never_becomes_a_path(root, folder, do, name):
    assert pictures.folder_named(root, name) is None
    do(DeletePictures(name), TEACHER)
    assert folder.is_dir()


def test_pictures_count_for_everybody_who_sent_them(root, folder, do, runs, spec):
    runs.limits = UsageLimits(stored_megabytes=1)
    for name in ("ada", "bob"):
        assert do(CheckUpload(), Visitor(name)) == name
        pictures.add_owner(folder, name)
        assert pictures.stored_bytes(root, name) > 1_500_000
        with pytest.raises(PermissionError, match="runs and pictures take 2 MB and 1 MB"):
            do(CheckUpload(), Visitor(name))
        with pytest.raises(PermissionError, match="runs and pictures take 2 MB and 1 MB"):
            do(Start(spec), Visitor(name))
    assert do(CheckUpload(), TEACHER) == "ada"
    assert pictures.stored_bytes(root, "eve") == 0
    with pytest.raises(ValueError, match="nickname"):
        do(CheckUpload(), Visitor("\x00"))


def test_only_who_sent_them_and_a_teacher_delete(folder, do):
    with pytest.raises(PermissionError, match="nobody's"):
        do(DeletePictures(NAME))
    pictures.add_owner(folder, "ada")
    with pytest.raises(PermissionError, match="ada's"):
        do(DeletePictures(NAME), Visitor("bob"))
    with pytest.raises(PermissionError, match="ada's"):
        do(DeletePictures(NAME), Visitor(""))
    pictures.add_owner(folder, "bob")
    do(DeletePictures(NAME))
    assert pictures.owners(folder) == ["bob"]
    do(DeletePictures(NAME), Visitor("eve", is_teacher=True))
    assert not folder.exists()
    do(DeletePictures(NAME))  # gone is gone


@pytest.mark.parametrize("state", [*State])
def test_a_run_that_may_yet_be_trained_keeps_its_pictures(folder, do, learn, state):
    learn(state)
    pictures.add_owner(folder, "ada")
    if state in (State.SUCCEEDED, State.CANCELLED):
        do(DeletePictures(NAME))
        assert not folder.exists()
    else:
        with pytest.raises(ValueError, match=f"is {state} and needs these pictures"):
            do(DeletePictures(NAME), TEACHER)
        assert folder.exists()


def test_runs_on_other_pictures_are_not_in_the_way(folder, do, add_job):
    add_job(State.RUNNING)
    pictures.add_owner(folder, "ada")
    do(DeletePictures(NAME))
    assert not folder.exists()


def test_a_killed_deletion_is_finished_by_the_next_server(root, folder, do, monkeypatch):
    monkeypatch.setattr("shutil.rmtree", lambda *args, **options: None)
    do(DeletePictures(NAME), TEACHER)
    monkeypatch.undo()
    assert list(pictures.folders(root)) == []
    assert list(root.glob(".deleted-*"))
    sweep(root)
    assert not list(root.glob(".deleted-*"))
