"""Rules over the numbers of the steps: losses, gradients, and who is right how often."""

from collections.abc import Sequence
from statistics import fmean, median

from genimg.training.findings import FEW, LASTING, STRETCH, Finding, Row, Run, least, since
from genimg.wording import Wording

# Healthy discriminators win for up to 6 reports in a row, so a run that ended sooner is judged by
# twice as many.
SHORT_STRETCH = 12
# Both accuracies of a discriminator that has won. Healthy ones stay below 0.96 over a stretch.
WON = 0.99
# Share of generated pictures that a discriminator which has lost still recognises, over a stretch.
# Healthy ones recognise more than 0.4 of them.
LOST_TO = 1 - WON
# The generator's gradient beside the largest that it had, while the discriminator is right this
# often. Healthy gradients fall to a tenth; smaller ones belong to a discriminator that is unsure.
VANISHED = 0.03
RIGHT = 0.95
# A validation loss above the best by this share, at least twice in a row, is no noise.
WORSE = 0.01
VALIDATIONS = 2


def went_back(run: Run) -> Finding | None:
    """A loss or a gradient was not finite once; a second time would have ended the run."""
    back = run.having("rolled_back")
    if not back:
        return None
    seen = int(back[-1]["images_seen"])
    return Finding(
        "notice",
        "went back",
        Wording(
            "health.went_back",
            "training diverged; it went back to {count} pictures and goes on with half the learning"
            " rate. If it diverges again it stops: then start a run with lower learning rates",
            count=f"{seen:,}",
        ),
        seen,
    )


def discriminator_wins(run: Run) -> Finding | None:
    """It is never wrong over a whole stretch, and the generator does not catch up."""
    rows = run.having("real_accuracy", "fake_accuracy", "generator_loss")
    # A run that has ended is judged by its second half, if that is long enough.
    length = max(SHORT_STRETCH, min(STRETCH, len(rows) // 2)) if run.ended else STRETCH
    stretch = rows[-length:]
    if len(stretch) < length or _accuracy(stretch) < WON or _catches_up(run, stretch):
        return None
    learned = run.pictures and run.seen / run.pictures >= FEW
    advice = (
        Wording(
            "health.by_heart",
            "It has learned them by heart, {seen}: give it more pictures",
            seen=run.each_seen(),
        )
        if learned
        else Wording(
            "health.weaken",
            "Lower discriminator_learning_rate or raise generator_learning_rate, or give the"
            " discriminator penalties (r1 and r2)",
        )
    )
    return Finding(
        "warning",
        "discriminator wins",
        Wording(
            "health.wins",
            "the discriminator wins completely: it tells real from generated pictures without a"
            " mistake, and the generator does not catch up. {advice}",
            advice=advice,
        ),
        since(rows, lambda row: min(row["real_accuracy"], row["fake_accuracy"]) >= WON),
    )


def discriminator_loses(run: Run) -> Finding | None:
    """It takes every generated picture for real, so it teaches the generator nothing."""
    rows = run.having("real_accuracy", "fake_accuracy", "generator_loss")
    stretch = rows[-STRETCH:]
    if len(stretch) < STRETCH or fmean(row["fake_accuracy"] for row in stretch) > LOST_TO:
        return None
    return Finding(
        "warning",
        "discriminator loses",
        Wording(
            "health.loses",
            "the discriminator takes every generated picture for real, so the generator learns"
            " nothing from it. Lower generator_learning_rate or raise discriminator_learning_rate",
        ),
        since(rows, lambda row: row["fake_accuracy"] <= LOST_TO),
    )


def _catches_up(run: Run, stretch: Sequence[Row]) -> bool:
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


def no_gradient(run: Run) -> Finding | None:
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
        Wording(
            "health.no_gradient",
            "the generator gets hardly any gradient: its loss is flat where its pictures are. Use"
            " the nonsaturating or the hinge objective, or lower discriminator_learning_rate",
        ),
        since(
            rows[: len(rows) - STRETCH + 1],
            lambda row: row["generator_gradient"] <= VANISHED * largest,
        ),
    )


def over_fitting(run: Run) -> Finding | None:
    """The training loss falls while held-out pictures get less likely."""
    validations = run.having("validation_loss")
    if len(validations) <= VALIDATIONS:
        return None
    best = min(validations, key=lambda row: row["validation_loss"])
    later = [row for row in validations if row["images_seen"] > best["images_seen"]]
    limit = best["validation_loss"] + WORSE * abs(best["validation_loss"])
    if len(later) < VALIDATIONS or least(later[-VALIDATIONS:], "validation_loss") < limit:
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
        Wording(
            "health.over_fitting",
            "over-fitting since {count} pictures: the model learns its training pictures by heart,"
            " while held-out ones get less likely. The checkpoint of the best validation is kept"
            " and is the one that is used; stop here, or start a run with more pictures, dropout or"
            " a smaller model",
            count=f"{seen:,}",
        ),
        seen,
    )
