import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genimg.jobs.job import Job, checked_name, new_id, read_job, read_jobs, write_job
from genimg.jobs.states import State

jobs = st.builds(
    Job,
    id=st.just("a-1"),
    name=st.text(max_size=20),
    owner=st.text(max_size=20),
    preset=st.text(max_size=20),
    device=st.text(max_size=20),
    state=st.sampled_from(State),
    attempt=st.integers(0, 99),
    position=st.floats(allow_nan=False, allow_infinity=False),
)


@given(job=jobs)
def test_round_trip(job):
    assert Job.from_dict(json.loads(json.dumps(job.to_dict()))) == job


@given(
    job=jobs, field=st.sampled_from(dataclasses.fields(Job)), value=st.sampled_from([None, [], {}])
)
def test_a_value_of_another_type_is_refused(job, field, value):
    with pytest.raises(ValueError, match=field.name):
        Job.from_dict(job.to_dict() | {field.name: value})


def test_a_folder_without_a_job_is_none(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    assert read_jobs(tmp_path) == []
    assert read_job(tmp_path / "missing") is None


def test_a_copied_folder_is_a_job_of_its_own(tmp_path, make_job):
    (tmp_path / "a-1").mkdir()
    write_job(tmp_path, make_job("a-1"))
    (tmp_path / "a-1").rename(tmp_path / "b-2")
    assert [job.id for job in read_jobs(tmp_path)] == ["b-2"]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"state": "flying"}', "\x00"])
def test_a_damaged_description_is_a_paused_job(tmp_path, content):
    (tmp_path / "a-1" / "attempts" / "3").mkdir(parents=True)
    (tmp_path / "a-1" / "job.json").write_text(content)
    [job] = read_jobs(tmp_path)
    assert (job.id, job.state, job.attempt, job.owner) == ("a-1", State.PAUSED, 3, "")
    assert "damaged" in job.message


def test_the_same_click_is_the_same_job_and_others_cannot_be_guessed():
    assert new_id("p", "ada", "click") == new_id("p", "ada", "click")
    assert new_id("p", "ada", "click") != new_id("p", "bob", "click")
    assert len({new_id("p", "ada", None) for _ in range(100)}) == 100


@pytest.mark.parametrize("name", ["", "  ", "x" * 81, "a\x1b[31m", "a\u202eb"])
def test_names_that_cannot_be_shown_are_refused(name):
    with pytest.raises(ValueError, match="nickname must have 1 to 80"):
        checked_name(name, "nickname")


def test_space_around_a_name_is_dropped():
    assert checked_name("  Ada \n Lovelace ", "nickname") == "Ada Lovelace"
