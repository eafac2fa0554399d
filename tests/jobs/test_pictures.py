import pytest

from genimg.data.manifest import KIND, MANIFEST, folder_hash, verified_hash
from genimg.jobs import pictures
from genimg.jobs.commands import sweep
from genimg.jobs.limits import UsageLimits
from genimg.jobs.states import State
from genimg.storage import write_json

NAME = "0123456789abcdef"


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
def test_a_name_never_becomes_a_path(root, folder, commands, name):
    assert pictures.folder_named(root, name) is None
    commands.delete_pictures(name, actor="ada", is_teacher=True)
    assert folder.is_dir()


def test_pictures_count_for_everybody_who_sent_them(root, folder, commands, spec):
    commands.limits = UsageLimits(stored_megabytes=1)
    for name in ("ada", "bob"):
        assert commands.check_upload(actor=name) == name
        pictures.add_owner(folder, name)
        assert pictures.stored_bytes(root, name) > 1_500_000
        with pytest.raises(PermissionError, match="runs and pictures take 2 MB and 1 MB"):
            commands.check_upload(actor=name)
        with pytest.raises(PermissionError, match="runs and pictures take 2 MB and 1 MB"):
            commands.start(spec, actor=name)
    assert commands.check_upload(actor="ada", is_teacher=True) == "ada"
    assert pictures.stored_bytes(root, "eve") == 0
    with pytest.raises(ValueError, match="nickname"):
        commands.check_upload(actor="\x00")


def test_only_who_sent_them_and_a_teacher_delete(folder, commands):
    with pytest.raises(PermissionError, match="nobody's"):
        commands.delete_pictures(NAME, actor="ada")
    pictures.add_owner(folder, "ada")
    with pytest.raises(PermissionError, match="ada's"):
        commands.delete_pictures(NAME, actor="bob")
    with pytest.raises(PermissionError, match="ada's"):
        commands.delete_pictures(NAME, actor="")
    pictures.add_owner(folder, "bob")
    commands.delete_pictures(NAME, actor="ada")
    assert pictures.owners(folder) == ["bob"]
    commands.delete_pictures(NAME, actor="eve", is_teacher=True)
    assert not folder.exists()
    commands.delete_pictures(NAME, actor="ada")  # gone is gone


@pytest.mark.parametrize("state", [*State])
def test_a_run_that_may_yet_be_trained_keeps_its_pictures(folder, commands, learn, state):
    learn(state)
    pictures.add_owner(folder, "ada")
    if state in (State.SUCCEEDED, State.CANCELLED):
        commands.delete_pictures(NAME, actor="ada")
        assert not folder.exists()
    else:
        with pytest.raises(ValueError, match=f"is {state} and needs these pictures"):
            commands.delete_pictures(NAME, actor="ada", is_teacher=True)
        assert folder.exists()


def test_runs_on_other_pictures_are_not_in_the_way(folder, commands, add_job):
    add_job(State.RUNNING)
    pictures.add_owner(folder, "ada")
    commands.delete_pictures(NAME, actor="ada")
    assert not folder.exists()


def test_a_killed_deletion_is_finished_by_the_next_server(root, folder, commands, monkeypatch):
    monkeypatch.setattr("shutil.rmtree", lambda *args, **options: None)
    commands.delete_pictures(NAME, actor="ada", is_teacher=True)
    monkeypatch.undo()
    assert list(pictures.folders(root)) == []
    assert list(root.glob(".deleted-*"))
    sweep(root)
    assert not list(root.glob(".deleted-*"))
