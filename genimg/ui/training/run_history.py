"""The reports of a run as curves: read on from where it was read to, thinned, sent by a cursor.

A browser asks once a second. It sends the cursor of the last answer and gets what is new since; the
first answer holds everything, in at most about a thousand points for each curve.
"""

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from genimg.training.attempts import add_report
from genimg.training.metric_names import METRICS
from genimg.training.run_directory import RunDirectory
from genimg.ui.texts import named, say

BUCKETS = 500
"""Parts that a run is cut into; of each the smallest and the largest value of a curve remain."""
# One chart each; of numbers that say one thing together, several curves in one chart.
CHARTS = (
    ("losses", ("generator_loss", "discriminator_loss")),
    ("loss", ("loss", "validation_loss", "attribute_loss")),
    ("accuracy", ("accuracy",)),
    ("distance", ("frechet_distance_500", "frechet_distance_500_floor")),
    ("random_distance", ("random_distance",)),
    ("diversity", ("diversity", "class_difference")),
    ("copies", ("copied_share",)),
    ("class_accuracy", ("class_accuracy_500",)),
    ("attributes", ("attribute_confidence_500", "attribute_total_variation_500")),
    ("discriminator", ("real_accuracy", "fake_accuracy", "augmentation")),
    ("reconstruction", ("absolute_error", "squared_error")),
    ("vocabulary", ("codes_used", "perplexity")),
    ("gradients", ("generator_gradient", "discriminator_gradient", "gradient")),
    ("speed", ("images_per_second",)),
    ("memory", ("resident_bytes", "cuda_bytes")),
)
CURVES = tuple(name for _, names in CHARTS for name in names)


def charts() -> list[dict[str, Any]]:
    """Return each chart's title and what its curves are called, JSON-ready."""
    return [
        {
            "title": say(f"training.chart.{title}"),
            "curves": [{"name": name, **metric_words(name)} for name in names],
        }
        for title, names in CHARTS
    ]


def metric_words(name: str) -> dict[str, str]:
    """Return the label, the unit (for scripts, and in words) and the meaning of a number."""
    metric = METRICS[name]
    return {
        "label": named("metric", name, metric.label),
        "unit": metric.unit,
        "counted": named("unit", metric.unit) if metric.unit else "",
        "meaning": named("metric", f"{name}.meaning", metric.meaning),
    }


class RunHistory:
    """All reports of one run, as `RunDirectory.read_metrics` tells them, without reading twice.

    Attributes:
        rows: the reports, by ascending `images_seen`.
        rewinds: how often reports were replaced, because training went back to a checkpoint.
    """

    def __init__(self, directory: RunDirectory) -> None:
        self.directory = directory
        self._start()

    def _start(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.rewinds = 0
        self._offsets: dict[int, int] = {}
        self._whole: tuple[Any, dict[str, Any]] | None = None

    def read_on(self) -> None:
        """Take in what was written since the last time; a torn last line waits for its end."""
        for attempt in self.directory.attempts():
            begin = self._offsets.get(attempt.number, 0)
            reports, end = attempt.read_reports(begin)
            if end < begin:  # another run by that name
                self._start()
                reports, end = attempt.read_reports()
            self._offsets[attempt.number] = end
            for report in reports:
                self.rewinds += add_report(self.rows, report)

    def _index(self, images_seen: int) -> int:
        return bisect_left(self.rows, images_seen, key=lambda row: row["images_seen"])

    def curves(self, total: int, cursor: Any = None) -> dict[str, Any]:
        """Return the curves, or what of them is new.

        Args:
            total: pictures of the whole run.
            cursor: of the last answer, as it came back from the browser; None asks for everything.

        Returns:
            "cursor", for the next time; "begin", from where on the browser must forget what it has;
            "values", for each name in `CURVES` that the run reports [pictures seen, values], with
            None for a gap.
        """
        width = max(1, math.ceil(total / BUCKETS))
        begin = 0
        if isinstance(cursor, list) and cursor[:2] == [self.rewinds, width]:
            begin = cursor[-1] if type(cursor[-1]) is int and cursor[-1] > 0 else 0
        last = self.rows[-1]["images_seen"] if self.rows else 0
        version = (self.rewinds, width, len(self.rows), last)
        if begin == 0 and self._whole is not None and self._whole[0] == version:
            return self._whole[1]
        rows = self.rows[self._index(begin) :]
        answer = {
            # The last part may still grow, so it is sent again.
            "cursor": [self.rewinds, width, last // width * width],
            "begin": begin,
            "values": {
                name: [[x for x, _ in points], [y for _, y in points]]
                for name in CURVES
                if (points := list(thin(_points(rows, name), width)))
            },
        }
        if begin == 0:
            self._whole = (version, answer)
        return answer


Point = tuple[int, float | None]


def _points(rows: Sequence[dict[str, Any]], name: str) -> Iterator[Point]:
    """Yield where a number was reported, and it, with six digits; None where it is not finite."""
    for row in rows:
        if name in row:
            value = row[name]
            finite = isinstance(value, (int, float)) and math.isfinite(value)
            yield row["images_seen"], float(f"{value:.6g}") if finite else None


def thin(points: Iterable[Point], width: int) -> Iterator[Point]:
    """Yield of every `width` pictures the least and the largest value, and one gap, if any.

    Args:
        points: by ascending place.
    """
    for _, group in groupby(points, key=lambda point: point[0] // width):
        bucket = list(group)
        finite = [(place, value) for place, value in bucket if value is not None]
        gaps = [point for point in bucket if point[1] is None]
        kept = set(gaps[:1])
        if finite:
            kept |= {min(finite, key=lambda point: point[1]), max(finite, key=lambda p: p[1])}
        yield from sorted(kept, key=lambda point: point[0])
