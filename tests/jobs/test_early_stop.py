import json

import pytest

from genimg.jobs.early_stop import MedianRule, reason
from genimg.jobs.states import State
from genimg.storage import write_json


def curve(*values: float, name: str = "frechet_distance_500") -> list[dict]:
    """Return a measure at every tenth of a run of 100 pictures."""
    return [{"images_seen": 10 * n, name: value} for n, value in enumerate(values, 1)]


OTHERS = [curve(9, 5, 1), curve(9, 6, 3), curve(9, 7, 5)]  # averages 5, 6, 7 at 30


def test_the_best_so_far_is_compared_with_the_median_of_the_others_averages():
    assert reason(curve(9, 9, 6), OTHERS, 100) == ""  # not worse than it
    why = reason(curve(9, 9, 6.1), OTHERS, 100)
    assert "6.1 at best by 30 pictures, and 6 is the median" in why
    assert reason(curve(5, 9, 99), OTHERS, 100) == ""  # it was better once


def test_where_more_is_better_less_is_hopeless():
    others = [curve(0.1, 0.5, 0.9, name="accuracy")] * 3
    assert reason(curve(0.1, 0.1, 0.4, name="accuracy"), others, 100)
    assert reason(curve(0.1, 0.1, 0.6, name="accuracy"), others, 100) == ""


@pytest.mark.parametrize(
    ("mine", "others"),
    [
        (curve(99), OTHERS),  # it has hardly begun
        (curve(9, 9, 9), OTHERS[:2]),  # of too few
        (curve(9, 9, 9), [*OTHERS[:2], curve(1, 1)]),  # one has not come as far
        ([], OTHERS),
        ([{"images_seen": 50, "frechet_distance_500": None}], OTHERS),
        (curve(9, 9, 9, name="loss"), OTHERS),
    ],
)
def test_what_decides_nothing(mine, others):
    assert reason(mine, others, 100) == ""


def test_only_running_jobs_of_a_sweep_that_asked_for_it_are_judged(root, make_job):
    def job(id: str, rows: list[dict], **fields):
        folder = root / id / "attempts" / "1"
        folder.mkdir(parents=True)
        write_json(folder / "status.json", {"total": 100})
        (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        usual = {"race": "seed-1", "stop_rule": "median", "attempt": 1, "state": State.RUNNING}
        return make_job(id, **usual | fields)

    bad = curve(9, 9, 9)
    jobs = [
        *(job(f"other-{n}", rows, state=State.SUCCEEDED) for n, rows in enumerate(OTHERS)),
        job("bad", bad),
        job("over", bad, state=State.PAUSED),
        job("unasked", bad, stop_rule="", race="seed-2"),
    ]
    rule = MedianRule(root)
    [(found, _)] = rule.hopeless(jobs)
    assert found.id == "bad"
    # It went back to a checkpoint, and is better since; only what is new is read.
    with (root / "bad" / "attempts" / "1" / "metrics.jsonl").open("a") as file:
        file.writelines(json.dumps(row) + "\n" for row in curve(9, 1, 1)[1:])
    assert rule.hopeless(jobs) == []
