import json
import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genimg.training.metric_names import METRICS
from genimg.training.run_directory import RunDirectory
from genimg.ui.training.run_history import BUCKETS, CURVES, RunHistory, charts, thin

TOTAL = 100_000


def write(run, lines, number=1, end="\n"):
    folder = run.path / "attempts" / str(number)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "metrics.jsonl").open("a") as file:
        for line in lines:
            file.write((line if isinstance(line, str) else json.dumps(line)) + end)


@pytest.fixture
def run(tmp_path):
    return RunDirectory(tmp_path / "run")


def row(seen, **values):
    return {"images_seen": seen, **values}


def test_the_history_is_that_of_the_run_directory(run):
    write(run, [row(10, loss=1.0), row(20, loss=2.0), "torn {", "[]", row(20, accuracy=0.5)])
    write(run, [row(15, loss=3.0), row(25, loss=None)], number=2)
    history = RunHistory(run)
    history.read_on()
    assert history.rows == run.read_metrics()
    write(run, [row(25, accuracy=1.0), row(5, loss=9.0)], number=2)
    write(run, ['{"images_seen": 6'], number=2, end="")
    history.read_on()
    assert history.rows == run.read_metrics() == [row(5, loss=9.0)]
    write(run, [', "loss": 1}'], number=2)  # the end of the torn line
    history.read_on()
    assert history.rows == run.read_metrics()
    assert history.rows[-1] == row(6, loss=1)


batches = st.lists(
    st.lists(st.tuples(st.integers(0, 60), st.sampled_from([None, 0.5, 1.5, -2.0])), max_size=6),
    max_size=6,
)


def parted(values, begin):
    """Return the points of every curve before `begin`, and those from there on."""
    points = {name: [*zip(xs, ys, strict=True)] for name, (xs, ys) in values.items()}
    parts = [
        {name: [p for p in found if (p[0] >= begin) == late] for name, found in points.items()}
        for late in (False, True)
    ]
    return [{name: found for name, found in part.items() if found} for part in parts]


@given(batches)
def test_what_is_new_comes_after_what_the_browser_has(tmp_path_factory, batches):
    run = RunDirectory(tmp_path_factory.mktemp("run") / "run")
    history, cursor, had = RunHistory(run), None, {}
    for batch in batches:
        write(run, [row(seen * 100, loss=loss) for seen, loss in batch])
        history.read_on()
        news = history.curves(6000, json.loads(json.dumps(cursor)))
        whole = RunHistory(run)
        whole.read_on()
        everything = whole.curves(6000)["values"]
        kept, new = parted(everything, news["begin"])
        assert parted(had, news["begin"])[0] == kept
        assert parted(news["values"], news["begin"]) == [{}, new]
        cursor, had = news["cursor"], everything


@pytest.mark.parametrize(
    "cursor", [None, 3, [], [0], ["a", "b", "c"], [0, 200, "x"], [0, 200, -5], [9, 9, 9], {}]
)
def test_a_foreign_cursor_gets_everything(run, cursor):
    write(run, [row(seen, loss=seen / 10) for seen in range(0, 1000, 10)])
    history = RunHistory(run)
    history.read_on()
    assert history.curves(TOTAL, cursor)["values"] == history.curves(TOTAL)["values"]


points = st.lists(
    st.tuples(st.integers(0, 10_000), st.one_of(st.none(), st.floats(-1e6, 1e6))),
    unique_by=lambda point: point[0],
).map(lambda pairs: sorted(pairs, key=lambda point: point[0]))


@given(points, st.integers(1, 3000))
def test_thinning_keeps_order_extremes_and_gaps(points, width):
    kept = list(thin(points, width))
    assert set(kept) <= set(points)
    assert [x for x, _ in kept] == sorted({x for x, _ in kept})
    assert len(kept) <= 3 * (10_000 // width + 1)
    for number in {x // width for x, _ in points}:
        was = [y for x, y in points if x // width == number]
        now = [y for x, y in kept if x // width == number]
        finite = [y for y in was if y is not None]
        if finite:
            assert {min(finite), max(finite)} <= set(now)
        assert (None in now) == (None in was)


def test_a_long_run_is_small_and_quick(run):
    """50,000 steps of 128 images are 5,000 reports of ten numbers each."""
    names = CURVES[:10]
    write(
        run,
        [row(i * 1280, **dict.fromkeys(names, math.sin(i) * i)) for i in range(5000)],
    )
    start = time.process_time()
    history = RunHistory(run)
    history.read_on()
    answer = history.curves(5000 * 1280)
    assert time.process_time() - start < 1.0
    assert all(len(xs) <= 2 * (BUCKETS + 1) for xs, _ in answer["values"].values())
    assert history.curves(5000 * 1280) is answer  # the next viewer costs nothing
    news = history.curves(5000 * 1280, answer["cursor"])
    assert all(len(xs) <= 4 for xs, _ in news["values"].values())


def test_what_is_not_finite_is_a_gap_and_valid_json(run):
    write(run, ['{"images_seen": 1, "loss": NaN}', '{"images_seen": 2, "loss": "2"}'])
    write(run, ['{"images_seen": 3, "loss": Infinity, "unknown": 1}'])
    history = RunHistory(run)
    history.read_on()
    assert history.curves(500)["values"] == {"loss": [[1, 2, 3], [None, None, None]]}
    json.dumps(history.curves(500), allow_nan=False)


def test_every_number_with_a_meaning_has_a_chart_or_a_reason():
    shown_in_words = {"images_seen", "epochs", "seconds", "seconds_left", "rolled_back"}
    assert set(CURVES) | shown_in_words == set(METRICS)
    assert len(CURVES) == len(set(CURVES))
    assert all(curve["label"] for chart in charts() for curve in chart["curves"])
