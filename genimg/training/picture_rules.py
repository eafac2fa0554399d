"""Rules over the pictures: those to learn from, and those that the model generates."""

from statistics import median

from genimg.training.findings import (
    BETTER,
    FEW,
    LASTING,
    SCALE,
    Finding,
    Run,
    least,
    place,
    since,
)
from genimg.wording import Wording

# Two generated pictures of a class differ less than half as much as two real ones; healthy runs
# reach 0.7 after the first few sheets.
ALIKE = 0.5
# Diversity against its own best. Healthy runs dip to 0.7 of it.
FALLEN = 0.4
# The classes are less than half as far apart as real ones.
MIXED = 0.5
# On the yardstick: as bad as one picture for each class, and near enough. A model whose pictures
# are half as different as real ones (`ALIKE`), and right otherwise, is at (1 - 0.5)^2.
LOST = 1.0
NEAR = 0.25
# A run that was better once, by half and by more than the yardstick's noise.
WORSENED = 2.0
# One picture in ten is a copy; chance gives none.
COPIED = 0.1


def few_pictures(run: Run) -> Finding | None:
    """So few that nothing but they themselves can be learned."""
    if not 0 < run.pictures < FEW:
        return None
    seen = run.each_seen()
    if run.pictures == 1:
        words = Wording(
            "health.one_picture",
            "there is only 1 picture to learn from, {seen}: a model learns so few by heart, and"
            " nothing of others. Give it a few hundred or, better, thousands",
            seen=seen,
        )
    else:
        words = Wording(
            "health.few_pictures",
            "there are only {count} pictures to learn from, {seen}: a model learns so few by"
            " heart, and nothing of others. Give it a few hundred or, better, thousands",
            count=run.pictures, seen=seen,
        )  # fmt: skip
    return Finding("warning", "few pictures", words, 0)


def copies(run: Run) -> Finding | None:
    """Generated pictures are those of the training set."""
    measured = run.having("copied_share")
    last = measured[-1 if run.ended else -LASTING :]
    if len(last) < (1 if run.ended else LASTING) or least(last, "copied_share") < COPIED:
        return None
    share = f"{last[-1]['copied_share']:.0%}"
    if run.pictures:
        words = Wording(
            "health.copies_seen",
            "it copies: {share} of its pictures are nearly training pictures ({seen}), three times"
            " as near to one of them as to any other. Give it more pictures, or stop sooner",
            share=share, seen=run.each_seen(),
        )  # fmt: skip
    else:
        words = Wording(
            "health.copies",
            "it copies: {share} of its pictures are nearly training pictures, three times as near"
            " to one of them as to any other. Give it more pictures, or stop sooner",
            share=share,
        )
    return Finding(
        "warning",
        "copies",
        words,
        since(measured, lambda row: row["copied_share"] >= COPIED),
    )


def collapse(run: Run) -> Finding | None:
    """The sample sheet's pictures are getting alike, or never were different."""
    sheets = run.having("diversity")
    if not run.draws or len(sheets) <= LASTING:
        return None
    values = [row["diversity"] for row in sheets]
    last = values[-LASTING:]
    # Noise is more diverse than real pictures are; to lose that is no loss.
    best = min(max(values[:-LASTING]), 1.0)
    limit = max(FALLEN * best, ALIKE if run.grown else 0.0)
    # As long as they get more different, they may yet.
    grows = best < ALIKE and BETTER * last[-1] > median(values[-2 * LASTING : -LASTING])
    if max(last) >= limit or grows:
        return None
    return Finding(
        "warning",
        "collapse",
        Wording(
            "health.collapse",
            "samples are nearly identical (mode collapse): whatever its input, the generator makes"
            " the same few pictures; two of a class differ {times} times as much as real ones. Go"
            " back to an earlier checkpoint, lower the learning rates, or add penalties (r1 and"
            " r2)",
            times=f"{values[-1]:.2f}",
        ),
        since(sheets, lambda row: row["diversity"] < limit),
    )


def one_for_all(run: Run) -> Finding | None:
    """Whatever class is asked for, it generates much the same."""
    measured = run.having("class_difference")
    last = [row["class_difference"] for row in measured[-LASTING:]]
    if not run.grown or len(last) < LASTING or max(last) >= MIXED or BETTER * last[-1] > last[0]:
        return None
    return Finding(
        "warning",
        "one for all",
        Wording(
            "health.one_for_all",
            "it generates much the same for every class: its classes differ {times} times as much"
            " as those of real pictures. Train longer only if that number grows; otherwise lower"
            " the learning rates, or add penalties (r1 and r2)",
            times=f"{last[-1]:.2f}",
        ),
        since(measured, lambda row: row["class_difference"] < MIXED),
    )


def far_from_real(run: Run) -> Finding | None:
    """Its pictures are not near real ones, and do not get nearer; or the run ended too soon.

    Six measurements that do not get better take minutes, so they need no run that is `grown`.
    """
    measured = run.having("random_distance")
    last = measured[-LASTING:]
    if not last or min(row["random_distance"] for row in last) < NEAR:
        return None
    settled = run.began and len(measured) >= 2 * LASTING and not run.gets_better()
    if run.ended and not settled:
        return Finding(
            "notice",
            "young",
            Wording(
                "health.young",
                "the run ended while it was still learning: {place}. Train longer",
                place=place(last[-1]),
            ),
            run.seen,
        )
    if not settled:
        return None
    lost = least(last, "random_distance") >= LOST
    return Finding(
        "warning" if lost else "notice",
        "far from real",
        Wording(
            "health.far",
            "its pictures do not get nearer to real ones: they are at {distance} {scale}. Lower the"
            " learning rates, or try another model",
            distance=f"{last[-1]['random_distance']:.2f}",
            scale=SCALE,
        ),
        since(measured, lambda row: row["random_distance"] >= (LOST if lost else NEAR)),
    )


def got_worse(run: Run) -> Finding | None:
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
    best_at = int(measured[smoothed.index(best) + 1]["images_seen"])
    return Finding(
        "warning",
        "worse",
        Wording(
            "health.worse",
            "what it generates was better after {count} pictures: it was at {best} and is at {now}"
            " {scale}. Start a run that ends there, or lower the learning rates",
            count=f"{best_at:,}",
            best=f"{best:.2f}",
            now=f"{values[-1]:.2f}",
            scale=SCALE,
        ),
        best_at,
    )
