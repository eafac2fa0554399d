"""How a run is doing, in words: rules over what it has reported.

Each rule has its thresholds beside it, with the reason (in `player_rules` and `picture_rules`; what
they share, in `findings`). They were not fitted to some run: most lie half-way on a scale whose
ends the data themselves give, where 0 is what other real pictures are, and 1 is one picture
repeated again and again (see `genimg.training.yardstick`). The folder
`tests/training/recorded_runs` has runs that went well or wrong, and what is said of each.
"""

from collections.abc import Mapping, Sequence

from genimg.training import picture_rules, player_rules
from genimg.training.findings import LASTING, STRETCH, Finding, Run, place, without_gaps
from genimg.wording import Wording

# Of these every report of a step has one; other rows are of sheets and validations.
_MINIMISED = ("discriminator_loss", "generator_loss", "absolute_error", "loss", "attribute_loss")


def diagnose(
    rows: Sequence[Mapping[str, float | None]], *, pictures: int = 0, ended: bool = False
) -> list[Finding]:
    """Return what is unusual about a run now, the latest trouble last.

    Args:
        rows: as `RunDirectory.read_metrics` returns them, oldest first; for the names see
            `metric_names`. A missing or None value is a gap.
        pictures: training pictures of the run; 0 where nobody knows.
        ended: whether nothing will come after these rows, so that they must suffice.

    Returns:
        At least one finding: that nothing is unusual is one, too, or that it is too early to tell.
    """
    run = Run([without_gaps(row) for row in rows], pictures, ended)
    rules = (
        player_rules.went_back,
        picture_rules.few_pictures,
        picture_rules.copies,
        player_rules.discriminator_wins,
        player_rules.discriminator_loses,
        player_rules.no_gradient,
        picture_rules.collapse,
        picture_rules.one_for_all,
        picture_rules.far_from_real,
        picture_rules.got_worse,
        player_rules.over_fitting,
    )
    findings = [finding for rule in rules if (finding := rule(run))]
    if not findings:
        return [_nothing_unusual(run)]
    return sorted(findings, key=lambda finding: finding.since)


def _nothing_unusual(run: Run) -> Finding:
    if missing := _missing(run):
        return Finding("unknown", "too short", missing, run.seen)
    measured, sheets = run.having("random_distance"), run.having("diversity")
    if measured and measured[-1]["random_distance"] >= picture_rules.LOST:
        sentence = Wording(
            "health.nothing_yet", "nothing to recognise yet: {place}", place=place(measured[-1])
        )
        return Finding("unknown", "no picture yet", sentence, run.seen)
    if run.draws and not measured and sheets and sheets[-1]["diversity"] < picture_rules.ALIKE:
        sentence = Wording(
            "health.alike",
            "its samples are still much alike: two of a class differ {times} times as much as two"
            " real ones",
            times=f"{sheets[-1]['diversity']:.2f}",
        )
        return Finding("unknown", "no picture yet", sentence, run.seen)
    sentence = Wording("health.good", "nothing unusual")
    if measured:
        sentence = Wording(
            "health.good_place", "nothing unusual: {place}", place=place(measured[-1])
        )
    return Finding("good", "good", sentence, run.seen)


def _missing(run: Run) -> str:
    """Return what the rules still wait for, in a sentence; '' once they could have spoken."""
    sheets = run.having("diversity")
    lacks_sheets = 0 < len(sheets) <= LASTING  # a GAN has its first before any step
    reports = [row for row in run.rows if any(name in row for name in _MINIMISED)]
    if len(reports) >= STRETCH and not lacks_sheets:
        return ""
    steps = 10 * STRETCH  # each tenth is reported
    needed = Wording("health.steps", "{steps} steps", steps=steps)
    if lacks_sheets:
        needed = Wording(
            "health.steps_and_sheets",
            "{steps} steps and {sheets} sample sheets",
            steps=steps, sheets=LASTING + 1,
        )  # fmt: skip
    if run.ended:
        return Wording(
            "health.too_short",
            "too short to tell: that takes {needed}; start a longer run",
            needed=needed,
        )
    return Wording("health.too_early", "too early to tell: that takes {needed}", needed=needed)
