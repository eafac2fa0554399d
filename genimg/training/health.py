"""How a run is doing, in words: rules over what it has reported.

Each rule looks at measured numbers and has its thresholds here, with the reason. They were set so
that the runs behind the shipped checkpoints stay silent from beginning to end, also in the first
minutes, when every GAN looks ill for a while.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

Row = Mapping[str, float | None]

# Reports in a row that must agree: 300 steps. Healthy discriminators win for up to 6 reports.
STRETCH = 30
# Of these every report of a step has one; other rows are of sheets and validations.
_MINIMISED = ("discriminator_loss", "generator_loss", "absolute_error", "loss")
# Both accuracies of a discriminator that has won. Healthy ones stay below 0.96 over a stretch.
WON = 0.99
# The generator's gradient against the largest that it had, while the discriminator is right this
# often. Healthy gradients fall to a tenth; smaller ones belong to a discriminator that is unsure.
VANISHED = 0.03
RIGHT = 0.95
# Diversity against its own best, on three sheets in a row. Healthy runs dip to 0.7 of it.
COLLAPSED = 0.4
SHEETS = 3
# A diversity from which it is worth speaking of a fall.
DIVERSE = 0.4
# Pictures and diversity at which a generator that never drew two different pictures is stuck. The
# MLP GAN needs 45,000 pictures to begin.
STUCK_IMAGES = 100_000
STUCK = 0.2
# A validation loss above the best by this share, at least twice in a row, is no noise.
WORSE = 0.01
VALIDATIONS = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know about a run.

    Attributes:
        level: "good", "unknown" before enough was measured, "notice" for what has been dealt with,
            "warning" for what needs somebody.
        sentence: what is the matter and what to do, for people.
        since: training images seen when it began.
    """

    level: str
    sentence: str
    since: int


def diagnose(rows: Sequence[Row]) -> list[Finding]:
    """Return what is unusual about a run now, the latest trouble last.

    Args:
        rows: as `RunDirectory.read_metrics` returns them, oldest first; for the names see
            `metric_names`. A missing or None value is a gap.

    Returns:
        At least one finding; that nothing is unusual is one, and that the run is too short to tell.
    """
    rules = (_went_back, _discriminator_wins, _no_gradient, _collapse, _over_fitting)
    findings = [finding for rule in rules if (finding := rule(rows))]
    if not findings:
        seen = int(rows[-1]["images_seen"]) if rows else 0
        missing = _missing(rows)
        level, sentence = ("unknown", missing) if missing else ("good", "nothing unusual")
        return [Finding(level, sentence, seen)]
    return sorted(findings, key=lambda finding: finding.since)


def _missing(rows: Sequence[Row]) -> str:
    """Return what the rules still wait for, in a sentence; '' once they could have spoken."""
    sheets = _with(rows, "diversity")
    lacks_sheets = 0 < len(sheets) <= SHEETS  # one that draws has its first before any step
    reports = [row for row in rows if any(row.get(name) is not None for name in _MINIMISED)]
    if len(reports) >= STRETCH and not lacks_sheets:
        return ""
    needed = f"{10 * STRETCH} steps"  # each tenth is reported
    needed += f" and {SHEETS + 1} sample sheets" if lacks_sheets else ""
    return f"too short to tell: that takes {needed}"


def _with(rows: Sequence[Row], *names: str) -> list[Row]:
    """Return the rows that have all these numbers."""
    return [row for row in rows if all(row.get(name) is not None for name in names)]


def _went_back(rows: Sequence[Row]) -> Finding | None:
    """A loss or a gradient was not finite once; a second time would have ended the run."""
    back = _with(rows, "rolled_back")
    if not back:
        return None
    seen = int(back[-1]["images_seen"])
    return Finding(
        "notice",
        f"training diverged; it went back to {seen:,} images and goes on with half the learning"
        " rate. If it diverges again it stops: then start a run with lower learning rates",
        seen,
    )


def _discriminator_wins(rows: Sequence[Row]) -> Finding | None:
    """It is never wrong over a whole stretch, and the generator does not catch up."""
    rows = _with(rows, "real_accuracy", "fake_accuracy", "generator_loss")
    stretch = rows[-STRETCH:]
    if len(stretch) < STRETCH:
        return None
    losses = [row["generator_loss"] for row in stretch]
    catches_up = median(losses[STRETCH // 2 :]) < median(losses[: STRETCH // 2])
    if _accuracy(stretch) < WON or catches_up:
        return None
    first = len(rows) - STRETCH
    while (
        first > 0 and min(rows[first - 1]["real_accuracy"], rows[first - 1]["fake_accuracy"]) >= WON
    ):
        first -= 1
    return Finding(
        "warning",
        "the discriminator wins completely: it tells real from drawn images without a mistake, and"
        " the generator does not catch up. Lower discriminator_learning_rate or raise"
        " generator_learning_rate, or give the discriminator penalties (r1 and r2)",
        int(rows[first]["images_seen"]),
    )


def _accuracy(rows: Sequence[Row]) -> float:
    """Return the worse of the discriminator's two mean accuracies, 0 to 1."""
    return min(fmean(row[name] for row in rows) for name in ("real_accuracy", "fake_accuracy"))


def _no_gradient(rows: Sequence[Row]) -> Finding | None:
    """The discriminator is so sure that hardly a gradient is left to the generator."""
    rows = _with(rows, "real_accuracy", "fake_accuracy", "generator_gradient")
    norms = [row["generator_gradient"] for row in rows]
    if len(norms) < STRETCH + 3 or _accuracy(rows[-STRETCH:]) < RIGHT:
        return None
    # Of three in a row, so that a single spike is not what all others are compared with.
    largest = max(median(norms[start : start + 3]) for start in range(len(norms) - 2))
    if median(norms[-STRETCH:]) > VANISHED * largest:
        return None
    first = len(norms) - STRETCH
    while first > 0 and norms[first - 1] <= VANISHED * largest:
        first -= 1
    return Finding(
        "warning",
        "the generator gets hardly any gradient: its loss is flat where its images are. Use the"
        " nonsaturating or the hinge objective, or lower discriminator_learning_rate",
        int(rows[first]["images_seen"]),
    )


def _collapse(rows: Sequence[Row]) -> Finding | None:
    """The sample sheet's images are getting alike, or never were different."""
    sheets = _with(rows, "diversity")
    if not _with(rows, "generator_loss") or len(sheets) <= SHEETS:
        return None
    values = [row["diversity"] for row in sheets]
    # Noise is more diverse than real images are; to lose that is no loss.
    best = min(max(values[:-SHEETS]), 1.0)
    fallen = best >= DIVERSE and max(values[-SHEETS:]) < COLLAPSED * best
    stuck = max(values) < STUCK and sheets[-1]["images_seen"] >= STUCK_IMAGES
    if not (fallen or stuck):
        return None
    limit = COLLAPSED * best if fallen else STUCK
    first = len(values) - SHEETS
    while first > 0 and values[first - 1] < limit:
        first -= 1
    return Finding(
        "warning",
        "samples are becoming identical (mode collapse): the generator draws the same few images"
        f" whatever its input; their diversity is {values[-1]:.2f} of that of real images. Go back"
        " to an earlier checkpoint, lower the learning rates, or add penalties (r1 and r2)",
        int(sheets[first]["images_seen"]),
    )


def _over_fitting(rows: Sequence[Row]) -> Finding | None:
    """The training loss falls while held-out images get less likely."""
    validations = _with(rows, "validation_loss")
    if len(validations) <= VALIDATIONS:
        return None
    best = min(validations, key=lambda row: row["validation_loss"])
    later = [row for row in validations if row["images_seen"] > best["images_seen"]]
    limit = best["validation_loss"] + WORSE * abs(best["validation_loss"])
    if (
        len(later) < VALIDATIONS
        or min(row["validation_loss"] for row in later[-VALIDATIONS:]) < limit
    ):
        return None
    training = _with(rows, "loss")
    before = [row["loss"] for row in training if row["images_seen"] <= best["images_seen"]]
    after = [row["loss"] for row in training if row["images_seen"] > best["images_seen"]]
    if not before or not after or median(after) >= median(before[-len(after) :]):
        return None
    seen = int(best["images_seen"])
    return Finding(
        "warning",
        f"over-fitting since {seen:,} images: the model learns its training images by heart, while"
        " held-out ones get less likely. The checkpoint of the best validation is kept and is the"
        " one that is used; stop here, or start a run with more images, dropout or a smaller model",
        seen,
    )
