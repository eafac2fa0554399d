import pytest

from genimg.jobs.races import RESULTS, newest, race_named, races


@pytest.fixture
def jobs(make_job):
    """Two races of which the second is newer, and a run that is in none."""
    return [
        make_job("b-1-1", race="objective-b1", created=2.0, name="second"),
        make_job("x-1", created=9.0),
        make_job("a-1-0", race="beta1-a1", created=1.0),
        make_job("b-1-0", race="objective-b1", created=2.0, name="first"),
    ]


def test_races_are_found_in_their_jobs(jobs):
    newer, older = races(jobs)
    assert (newer.id, newer.setting) == ("objective-b1", "objective")
    assert [job.name for job in newer.jobs] == ["first", "second"]
    assert (older.setting, len(older.jobs)) == ("beta1", 1)


def test_a_race_is_named_by_the_beginning_of_its_id(jobs):
    assert race_named(jobs, "objective").id == "objective-b1"
    for text in ("", "x", "objective-b12"):
        with pytest.raises(ValueError, match="no race; the races are objective-b1, beta1-a1"):
            race_named(jobs, text)
    with pytest.raises(ValueError, match="there are none yet"):
        race_named([], "x")


def test_several_races_are_not_one(jobs, make_job):
    more = [*jobs, make_job("c-1", race="objective-b2")]
    with pytest.raises(ValueError, match="means several races; the races are objective-b1, "):
        race_named(more, "objective")


def test_the_newest_results_count():
    rows = [{"images_seen": 1, "seconds": 1, "accuracy": 0.5}, {"seconds": 2.5, "loss": 1.0}]
    assert newest(rows) == {"seconds": 2.5, "accuracy": 0.5}
    assert set(newest([dict.fromkeys(RESULTS, 1.0)])) == set(RESULTS)
    assert newest([]) == {}
