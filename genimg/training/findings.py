"""What the rules about a run's health share: what they look at, and what they find."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from genimg.wording import Wording

Row = Mapping[str, float]
"""The numbers of one report; a gap has no entry."""

# Reports of steps in a row that must agree: 300 steps.
STRETCH = 30
# Sheets or measurements in a row that must agree.
LASTING = 3
# After so many reports (every tenth step has one), or pictures, a run that looks ill is not just
# young: the MLP GAN takes 350 steps or 45,000 pictures to get going, and others look ill as long.
GROWN = 100
GROWN_IMAGES = 100_000
# Measurements get better when they change by more than they jitter: by a tenth.
BETTER = 0.9
# Even methods made for few pictures are tried on a hundred at least (Zhao et al. 2020, arXiv
# 2006.10738, section 4.4), and these models have no such method.
FEW = 100
SCALE = Wording(
    "health.scale",
    "on the scale where other real pictures are at 0, and one picture for each class, repeated"
    " again and again, is at 1",
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know about a run.

    Attributes:
        level: "good", "unknown" before enough was measured, "notice" for what has been dealt with
            or only needs time, "warning" where somebody has to do something.
        kind: which rule found it, one word or two: "few pictures", "copies", "collapse", ...
        sentence: what is the matter and what to do, for people.
        since: training pictures seen when it began.
    """

    level: str
    kind: str
    sentence: str
    since: int


def without_gaps(row: Mapping[str, float | None]) -> Row:
    """Return the numbers of a report that are there."""
    return {name: value for name, value in row.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Run:
    """What the rules look at."""

    rows: Sequence[Row]
    pictures: int
    ended: bool

    def having(self, *names: str) -> list[Row]:
        """Return the rows that have all these numbers."""
        return [row for row in self.rows if all(name in row for name in names)]

    @property
    def seen(self) -> int:
        """Training pictures seen until now."""
        return int(self.rows[-1]["images_seen"]) if self.rows else 0

    @property
    def grown(self) -> bool:
        """Whether it is past the time in which every GAN looks ill."""
        return len(self.having("generator_loss")) >= GROWN or self.seen >= GROWN_IMAGES

    @property
    def draws(self) -> bool:
        """Whether it is a GAN, which is measured by what it generates."""
        return any("generator_loss" in row for row in self.rows)

    @property
    def began(self) -> bool:
        """Whether it has made enough steps for a rule to say that it stands still."""
        return len(self.having("generator_loss")) >= STRETCH or self.grown

    def gets_better(self) -> bool:
        """Return whether the newest pictures are nearer to real ones than those shortly before."""
        values = [row["random_distance"] for row in self.having("random_distance")]
        recent, before = values[-LASTING:], values[-2 * LASTING : -LASTING]
        return bool(before) and median(recent) < BETTER * median(before)

    def each_seen(self) -> str:
        """Return how often each picture was seen, in words; '' where nobody knows."""
        if not self.pictures:
            return ""
        times = f"{self.seen / self.pictures:,.0f}"
        return Wording("health.each_seen", "each seen {times} times", times=times)


def place(row: Row) -> str:
    """Return where on the yardstick the pictures are."""
    distance = f"{max(0.0, row['random_distance']):.2f}"
    return Wording(
        "health.place", "its pictures are at {distance} {scale}", distance=distance, scale=SCALE
    )


def least(rows: Sequence[Row], name: str) -> float:
    """Return the smallest number of this name; every row has it."""
    return min(row[name] for row in rows)


def since(rows: Sequence[Row], is_so: Callable[[Row], bool]) -> int:
    """Return the pictures seen at the first of those last rows for which `is_so` is true."""
    first = len(rows) - 1
    while first > 0 and is_so(rows[first - 1]):
        first -= 1
    return int(rows[first]["images_seen"])
