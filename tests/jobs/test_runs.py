from genimg.jobs.runs import sweep
from genimg.jobs.states import State


def test_leftovers_of_a_killed_process_are_swept(root, add_job):
    job = add_job()
    for name in (".new-x", ".deleted-y"):
        (root / name).mkdir()
        (root / name / "file").write_text("")
    sweep(root)
    assert not list(root.glob(".*"))
    assert (root / job.id / "spec.json").exists()


def test_what_a_job_learns_from_is_found_and_a_damaged_one_learns_from_nothing(
    runs, add_job, spec, root
):
    pictures = root / "datasets" / "0123"
    other = add_job()
    spec["run"]["dataset"] = f"folder:{pictures.resolve()}"
    job = add_job()
    assert runs.learns_from(job, pictures)
    assert not runs.learns_from(other, pictures)
    (root / job.id / "spec.json").write_text("{")
    assert not runs.learns_from(job, pictures)


def test_all_files_are_only_counted_where_they_are_limited(runs, add_job):
    add_job(State.SUCCEEDED)
    assert runs.all_stored_bytes() == 0
    runs.limits = type(runs.limits)(all_stored_megabytes=1)
    assert runs.all_stored_bytes() > 100
