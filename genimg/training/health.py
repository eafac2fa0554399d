"""How a run is doing, in words: rules over what it has reported.

Each rule has its thresholds here, with the reason. They are no numbers that fitted some run: most
lie half-way on a scale whose ends the data themselves give, where 0 is what other real pictures are
and 1 is one picture drawn again and again (see `genimg.training.yardstick`). `tests/training/
recorded_runs` has runs that went well and that went wrong, and what is said of each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

Row = Mapping[str, float | None]

# Reports in a row that must agree: 300 steps. Healthy discriminators win for up to 6 reports, so a
# run that ended sooner is judged by twice as many.
STRETCH = 30
SHORT_STRETCH = 12
# Of these every report of a step has one; other rows are of sheets and validations.
_MINIMISED = ("discriminator_loss", "generator_loss", "absolute_error", "loss", "attribute_loss")
# Both accuracies of a discriminator that has won. Healthy ones stay below 0.96 over a stretch.
WON = 0.99
# The generator's gradient against the largest that it had, while the discriminator is right this
# often. Healthy gradients fall to a tenth; smaller ones belong to a discriminator that is unsure.
VANISHED = 0.03
RIGHT = 0.95
# Sheets or measurements in a row that must agree.
LASTING = 3
# Reports of steps, of which each tenth has one, or pictures, after which what is bad is not just
# young: the MLP GAN needs 350 steps or 45,000 pictures to begin, and others look ill meanwhile.
GROWN = 100
GROWN_IMAGES = 100_000
# Two drawn pictures of a class differ less than half as much as two real ones; healthy runs reach
# 0.7 after the first few sheets.
ALIKE = 0.5
# Diversity against its own best. Healthy runs dip to 0.7 of it.
FALLEN = 0.4
# The classes are less than half as far apart as real ones.
MIXED = 0.5
# On the yardstick: as bad as one picture a class, and near enough. A model whose pictures are half
# as different as real ones (`ALIKE`), and right otherwise, is at (1 - 0.5)^2.
LOST = 1.0
NEAR = 0.25
# What counts as getting better from some measurements to the next: more than they jitter by.
BETTER = 0.9
# A run that was better once, by half and by more than the yardstick's noise.
WORSENED = 2.0
# One picture in ten is a copy; chance gives none.
COPIED = 0.1
# The smallest data sets that methods made for few pictures are tried on have a hundred (Zhao et al.
# 2020, arXiv 2006.10738, section 4.4); these models have no such method.
FEW = 100
# A validation loss above the best by this share, at least twice in a row, is no noise.
WORSE = 0.01
VALIDATIONS = 2
_SCALE = (
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
        since: training images seen when it began.
    """

    level: str
    kind: str
    sentence: str
    since: int


@dataclass(frozen=True, slots=True)
class _Run:
    """What the rules look at."""

    rows: Sequence[Row]
    pictures: int
    ended: bool

    def having(self, *names: str) -> list[Row]:
        """Return the rows that have all these numbers."""
        return [row for row in self.rows if all(row.get(name) is not None for name in names)]

    @property
    def seen(self) -> int:
        return int(self.rows[-1]["images_seen"]) if self.rows else 0

    @property
    def grown(self) -> bool:
        """Whether it is past the time in which every GAN looks ill."""
        return len(self.having("generator_loss")) >= GROWN or self.seen >= GROWN_IMAGES

    @property
    def draws(self) -> bool:
        """Whether it is a GAN, which is measured by what it draws."""
        return any(row.get("generator_loss") is not None for row in self.rows)

    def gets_better(self) -> bool:
        """Return whether the newest pictures are nearer to real ones than those shortly before."""
        values = [row["random_distance"] for row in self.having("random_distance")]
        recent, before = values[-LASTING:], values[-2 * LASTING : -LASTING]
        return bool(before) and median(recent) < BETTER * median(before)

    def each_seen(self) -> str:
        """Return how often each picture was seen, in words; '' where nobody knows."""
        return f"each seen {self.seen / self.pictures:,.0f} times" if self.pictures else ""


def diagnose(rows: Sequence[Row], *, pictures: int = 0, ended: bool = False) -> list[Finding]:
    """Return what is unusual about a run now, the latest trouble last.

    Args:
        rows: as `RunDirectory.read_metrics` returns them, oldest first; for the names see
            `metric_names`. A missing or None value is a gap.
        pictures: training pictures of the run; 0 where nobody knows.
        ended: whether nothing will come after these rows, so that they must do.

    Returns:
        At least one finding; that nothing is unusual is one, and that the run is too short to tell.
    """
    run = _Run(rows, pictures, ended)
    rules = (
        _went_back,
        _few_pictures,
        _copies,
        _discriminator_wins,
        _no_gradient,
        _collapse,
        _one_for_all,
        _far_from_real,
        _got_worse,
        _over_fitting,
    )
    findings = [finding for rule in rules if (finding := rule(run))]
    if not findings:
        return [_nothing_unusual(run)]
    return sorted(findings, key=lambda finding: finding.since)


def _nothing_unusual(run: _Run) -> Finding:
    if missing := _missing(run):
        return Finding("unknown", "too short", missing, run.seen)
    sentence = "nothing unusual"
    if measured := run.having("random_distance"):
        sentence += f": {_place(measured[-1])}"
    return Finding("good", "good", sentence, run.seen)


def _place(row: Row) -> str:
    """Return where on the yardstick the pictures are."""
    return f"its pictures are at {max(0.0, row['random_distance']):.2f} {_SCALE}"


def _missing(run: _Run) -> str:
    """Return what the rules still wait for, in a sentence; '' once they could have spoken."""
    sheets = run.having("diversity")
    lacks_sheets = 0 < len(sheets) <= LASTING  # one that draws has its first before any step
    reports = [row for row in run.rows if any(row.get(name) is not None for name in _MINIMISED)]
    if len(reports) >= STRETCH and not lacks_sheets:
        return ""
    needed = f"{10 * STRETCH} steps"  # each tenth is reported
    needed += f" and {LASTING + 1} sample sheets" if lacks_sheets else ""
    return f"too short to tell: that takes {needed}" + ("; start a longer run" if run.ended else "")


def _went_back(run: _Run) -> Finding | None:
    """A loss or a gradient was not finite once; a second time would have ended the run."""
    back = run.having("rolled_back")
    if not back:
        return None
    seen = int(back[-1]["images_seen"])
    return Finding(
        "notice",
        "went back",
        f"training diverged; it went back to {seen:,} images and goes on with half the learning"
        " rate. If it diverges again it stops: then start a run with lower learning rates",
        seen,
    )


def _few_pictures(run: _Run) -> Finding | None:
    """So few that nothing but they themselves can be learned."""
    if not 0 < run.pictures < FEW:
        return None
    count = "1 picture" if run.pictures == 1 else f"{run.pictures} pictures"
    return Finding(
        "warning",
        "few pictures",
        f"there {'is' if run.pictures == 1 else 'are'} only {count} to learn from,"
        f" {run.each_seen()}: a model learns so few by heart, and nothing of others. Give it some"
        f" hundreds, better thousands",
        0,
    )


def _copies(run: _Run) -> Finding | None:
    """Drawn pictures are those of the training set."""
    measured = run.having("copied_share")
    last = measured[-1 if run.ended else -LASTING :]
    if len(last) < (1 if run.ended else LASTING) or _least(last, "copied_share") < COPIED:
        return None
    told = f" ({run.each_seen()})" if run.pictures else ""
    return Finding(
        "warning",
        "copies",
        f"it copies: {last[-1]['copied_share']:.0%} of its pictures are one of the training"
        f" pictures{told}, and are three times as far from any other. Give it more pictures, or"
        " stop sooner",
        _since(measured, lambda row: row["copied_share"] >= COPIED),
    )


def _least(rows: Sequence[Row], name: str) -> float:
    return min(row[name] for row in rows)


def _since(rows: Sequence[Row], is_so) -> int:
    """Return the images seen at the first of the last rows in a row of which `is_so` is true."""
    first = len(rows) - 1
    while first > 0 and is_so(rows[first - 1]):
        first -= 1
    return int(rows[first]["images_seen"])


def _discriminator_wins(run: _Run) -> Finding | None:
    """It is never wrong over a whole stretch, and the generator does not catch up."""
    rows = run.having("real_accuracy", "fake_accuracy", "generator_loss")
    # A run that has ended is judged by its second half, if that is something.
    length = max(SHORT_STRETCH, min(STRETCH, len(rows) // 2)) if run.ended else STRETCH
    stretch = rows[-length:]
    if len(stretch) < length or _accuracy(stretch) < WON or _catches_up(run, stretch):
        return None
    learned = run.pictures and run.seen / run.pictures >= FEW
    advice = (
        f"It has learned them by heart, {run.each_seen()}: give it more pictures"
        if learned
        else "Lower discriminator_learning_rate or raise generator_learning_rate, or give the"
        " discriminator penalties (r1 and r2)"
    )
    return Finding(
        "warning",
        "discriminator wins",
        "the discriminator wins completely: it tells real from drawn images without a mistake, and"
        f" the generator does not catch up. {advice}",
        _since(rows, lambda row: min(row["real_accuracy"], row["fake_accuracy"]) >= WON),
    )


def _catches_up(run: _Run, stretch: Sequence[Row]) -> bool:
    """Return whether the generator learns although it never wins.

    Its pictures get better; or, before they are measured, its loss falls by more than it jitters.
    """
    if len(run.having("random_distance")) > LASTING:
        return run.gets_better()
    losses = [row["generator_loss"] for row in stretch]
    halves = losses[: len(losses) // 2], losses[len(losses) // 2 :]
    jitter = median(abs(loss - median(half)) for half in halves for loss in half)
    return median(halves[0]) - median(halves[1]) > jitter


def _accuracy(rows: Sequence[Row]) -> float:
    """Return the worse of the discriminator's two mean accuracies, 0 to 1."""
    return min(fmean(row[name] for row in rows) for name in ("real_accuracy", "fake_accuracy"))


def _no_gradient(run: _Run) -> Finding | None:
    """The discriminator is so sure that hardly a gradient is left to the generator."""
    rows = run.having("real_accuracy", "fake_accuracy", "generator_gradient")
    norms = [row["generator_gradient"] for row in rows]
    if len(norms) < STRETCH + 3 or _accuracy(rows[-STRETCH:]) < RIGHT:
        return None
    # Of three in a row, so that a single spike is not what all others are compared with.
    largest = max(median(norms[start : start + 3]) for start in range(len(norms) - 2))
    if median(norms[-STRETCH:]) > VANISHED * largest:
        return None
    return Finding(
        "warning",
        "no gradient",
        "the generator gets hardly any gradient: its loss is flat where its images are. Use the"
        " nonsaturating or the hinge objective, or lower discriminator_learning_rate",
        _since(
            rows[: len(rows) - STRETCH + 1],
            lambda row: row["generator_gradient"] <= VANISHED * largest,
        ),
    )


def _collapse(run: _Run) -> Finding | None:
    """The sample sheet's images are getting alike, or never were different."""
    sheets = run.having("diversity")
    if not run.draws or len(sheets) <= LASTING:
        return None
    values = [row["diversity"] for row in sheets]
    last = values[-LASTING:]
    # Noise is more diverse than real images are; to lose that is no loss.
    best = min(max(values[:-LASTING]), 1.0)
    limit = max(FALLEN * best, ALIKE if run.grown else 0.0)
    # As long as they get more different, they may yet.
    grows = best < ALIKE and BETTER * last[-1] > median(values[-2 * LASTING : -LASTING])
    if max(last) >= limit or grows:
        return None
    return Finding(
        "warning",
        "collapse",
        "samples are nearly identical (mode collapse): whatever its input, the generator draws the"
        f" same few images; two of a class differ {values[-1]:.2f} times as much as two real ones."
        " Go back to an earlier checkpoint, lower the learning rates, or add penalties (r1 and r2)",
        _since(sheets, lambda row: row["diversity"] < limit),
    )


def _one_for_all(run: _Run) -> Finding | None:
    """Whatever class is asked for, much the same is drawn."""
    measured = run.having("class_difference")
    last = [row["class_difference"] for row in measured[-LASTING:]]
    if not run.grown or len(last) < LASTING or max(last) >= MIXED or BETTER * last[-1] > last[0]:
        return None
    return Finding(
        "warning",
        "one for all",
        "it draws much the same for every class: its classes differ"
        f" {last[-1]:.2f} times as much as those of real pictures. Train longer only if that grows;"
        " otherwise lower the learning rates, or add penalties (r1 and r2)",
        _since(measured, lambda row: row["class_difference"] < MIXED),
    )


def _far_from_real(run: _Run) -> Finding | None:
    """Its pictures are not near real ones, and do not get nearer; or the run ended too soon."""
    measured = run.having("random_distance")
    last = measured[-LASTING:]
    if not last or min(row["random_distance"] for row in last) < NEAR:
        return None
    settled = run.grown and len(measured) >= 2 * LASTING and not run.gets_better()
    if run.ended and not settled:
        return Finding(
            "notice",
            "young",
            f"the run ended while it was still learning: {_place(last[-1])}. Train longer",
            run.seen,
        )
    if not settled or _least(last, "random_distance") < LOST:
        return None
    return Finding(
        "warning",
        "far from real",
        f"its pictures do not get nearer to real ones: they are at"
        f" {last[-1]['random_distance']:.1f} {_SCALE}. Lower the learning rates, or try another"
        " model",
        _since(measured, lambda row: row["random_distance"] >= LOST),
    )


def _got_worse(run: _Run) -> Finding | None:
    """Its pictures were much better before."""
    measured = run.having("random_distance")
    if len(measured) < 2 * LASTING:
        return None
    values = [max(0.0, row["random_distance"]) for row in measured]
    smoothed = [median(values[i : i + LASTING]) for i in range(len(values) - LASTING + 1)]
    best = min(smoothed)
    limit = max(WORSENED * best, best + NEAR)
    if min(values[-LASTING:]) < limit:
        return None
    place = int(measured[smoothed.index(best) + 1]["images_seen"])
    return Finding(
        "warning",
        "worse",
        f"its pictures were better at {place:,} images: they were at {best:.2f} and are at"
        f" {values[-1]:.2f} {_SCALE}. Start a run that ends there, or lower the learning rates",
        place,
    )


def _over_fitting(run: _Run) -> Finding | None:
    """The training loss falls while held-out images get less likely."""
    validations = run.having("validation_loss")
    if len(validations) <= VALIDATIONS:
        return None
    best = min(validations, key=lambda row: row["validation_loss"])
    later = [row for row in validations if row["images_seen"] > best["images_seen"]]
    limit = best["validation_loss"] + WORSE * abs(best["validation_loss"])
    if len(later) < VALIDATIONS or _least(later[-VALIDATIONS:], "validation_loss") < limit:
        return None
    training = run.having("loss")
    before = [row["loss"] for row in training if row["images_seen"] <= best["images_seen"]]
    after = [row["loss"] for row in training if row["images_seen"] > best["images_seen"]]
    if not before or not after or median(after) >= median(before[-len(after) :]):
        return None
    seen = int(best["images_seen"])
    return Finding(
        "warning",
        "over-fitting",
        f"over-fitting since {seen:,} images: the model learns its training images by heart, while"
        " held-out ones get less likely. The checkpoint of the best validation is kept and is the"
        " one that is used; stop here, or start a run with more images, dropout or a smaller model",
        seen,
    )
