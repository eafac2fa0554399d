"""What the rules about a run's health share: what they look at, and what they find."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

Row = Mapping[str, float | None]

# Reports of steps in a row that must agree: 300 steps.
STRETCH = 30
# Sheets or measurements in a row that must agree.
LASTING = 3
# Reports of steps, of which each tenth has one, or pictures, after which what is bad is not just
# young: the MLP GAN needs 350 steps or 45,000 pictures to begin, and others look ill meanwhile.
GROWN = 100
GROWN_IMAGES = 100_000
# What counts as getting better from some measurements to the next: more than they jitter by.
BETTER = 0.9
# The smallest data sets that methods made for few pictures are tried on have a hundred (Zhao et al.
# 2020, arXiv 2006.10738, section 4.4); these models have no such method.
FEW = 100
SCALE = (
    "on the scale where other real pictures are at 0, and one picture a class, drawn again and"
    " again, at 1"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know about a run.

    Attributes:
        level: "good", "unknown" before enough was measured, "notice" for what has been dealt with
            or only needs time, "warning" for what needs somebody.
        kind: which rule found it, one word or two: "few pictures", "copies", "collapse", ...
        sentence: what is the matter and what to do, for people.
        since: training pictures seen when it began.
    """

    level: str
    kind: str
    sentence: str
    since: int


@dataclass(frozen=True, slots=True)
class Run:
    """What the rules look at."""

    rows: Sequence[Row]
    pictures: int
    ended: bool

    def having(self, *names: str) -> list[Row]:
        """Return the rows that have all these numbers."""
        return [row for row in self.rows if all(row.get(name) is not None for name in names)]

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
        """Whether it is a GAN, which is measured by what it draws."""
        return any(row.get("generator_loss") is not None for row in self.rows)

    @property
    def began(self) -> bool:
        """Whether it made as many steps as a rule needs that sees it stand still."""
        return len(self.having("generator_loss")) >= STRETCH or self.grown

    def gets_better(self) -> bool:
        """Return whether the newest pictures are nearer to real ones than those shortly before."""
        values = [row["random_distance"] for row in self.having("random_distance")]
        recent, before = values[-LASTING:], values[-2 * LASTING : -LASTING]
        return bool(before) and median(recent) < BETTER * median(before)

    def each_seen(self) -> str:
        """Return how often each picture was seen, in words; '' where nobody knows."""
        return f"each seen {self.seen / self.pictures:,.0f} times" if self.pictures else ""


def place(row: Row) -> str:
    """Return where on the yardstick the pictures are."""
    return f"its pictures are at {max(0.0, row['random_distance']):.2f} {SCALE}"


def least(rows: Sequence[Row], name: str) -> float:
    """Return the smallest number of this name; every row has it."""
    return min(row[name] for row in rows)


def since(rows: Sequence[Row], is_so: Callable[[Row], bool]) -> int:
    """Return the pictures seen at the first of the last rows in a row of which `is_so` is true."""
    first = len(rows) - 1
    while first > 0 and is_so(rows[first - 1]):
        first -= 1
    return int(rows[first]["images_seen"])
