"""Each rule on a real run that was made to show it, and on one that has nothing to show."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from genimg import checkpoints, data
from genimg.models.tokenizer import FsqTokenizer, FsqTokenizerConfig
from genimg.training.attempts import add_report
from genimg.training.findings import FEW, STRETCH
from genimg.training.health import diagnose
from genimg.training.loop import Trainer
from genimg.training.metric_names import METRICS
from genimg.training.objectives import OBJECTIVES, Objective
from genimg.training.presets import make_spec
from genimg.training.run_directory import RunDirectory

MLP = {"generator_widths": (32,), "discriminator_widths": (32,), "latent_dimensions": 8}
TOKENIZER = {"size": 16, "widths": (8, 8, 8), "levels": (4, 3)}


@pytest.fixture(scope="module")
def fashion() -> data.Dataset:
    """600 real pictures, at 16 pixels so that a step takes a millisecond or two."""
    whole = data.load("fashion-mnist", full=False)
    images = F.avg_pool2d(whole.images[:600].float(), 2).round().to(torch.uint8)
    return replace(whole, images=images, labels=whole.labels[:600])


@pytest.fixture
def train(tmp_path):
    """A function that trains a run of `steps` steps, and returns its history."""

    def run(preset, dataset, *, steps, batch_size=32, **changes) -> list[dict]:
        common = {"threads": 1, "precision": "fp32", "device": "cpu", "sheets": 16}
        spec = make_spec(
            preset, **common | changes, images=steps * batch_size, batch_size=batch_size
        )
        directory = RunDirectory.create(tmp_path / "run", spec)
        assert Trainer(directory, directory.new_attempt(), dataset).run() == "succeeded"
        return directory.read_metrics()

    return run


def ever_found(rows: list[dict]) -> list[str]:
    """Return the level of every finding that was there at any moment of a run."""
    moments = range(1, len(rows) + 1)
    return [finding.level for end in moments for finding in diagnose(rows[:end])]


def test_a_healthy_gan_is_silent_from_beginning_to_end(train, fashion):
    rates = {"generator_learning_rate": 2e-3, "discriminator_learning_rate": 2e-3}
    rows = train("fashion-mlp", fashion, steps=400, size=16, **MLP, **rates)
    assert rows[-1]["diversity"] > 0.4  # it has learned something
    assert set(ever_found(rows)) == {"unknown", "good"}
    [finding] = diagnose(rows)
    assert finding.sentence.startswith("nothing unusual")
    assert finding.since == rows[-1]["images_seen"]


def test_a_discriminator_that_learns_far_too_fast_wins(train, fashion):
    rates = {"generator_learning_rate": 1e-6, "discriminator_learning_rate": 1e-2}
    rows = train("fashion-mlp", fashion, steps=350, size=16, **MLP, **rates)
    [finding] = diagnose(rows)
    assert finding.level == "warning"
    assert "discriminator wins completely" in finding.sentence
    assert "Lower discriminator_learning_rate" in finding.sentence
    assert finding.since < 50 * 32
    assert set(ever_found(rows[: STRETCH - 1])) == {"unknown"}


def test_the_minimax_loss_is_flat_where_the_generator_is_bad(train, fashion):
    rates = {"generator_learning_rate": 1e-6, "discriminator_learning_rate": 5e-3}
    wide = MLP | {"discriminator_widths": (128, 64)}
    rows = train("fashion-mlp", fashion, steps=500, size=16, objective="minimax", **wide, **rates)
    found = [finding for finding in diagnose(rows) if "hardly any gradient" in finding.sentence]
    assert [finding.level for finding in found] == ["warning"]
    assert "nonsaturating" in found[0].sentence


def test_a_generator_that_runs_away_from_its_judge_collapses(train, fashion):
    rates = {"generator_learning_rate": 2e-2, "discriminator_learning_rate": 1e-6}
    changes = {"objective": "hinge", "average_half_life": 10}
    rows = train("fashion-mlp", fashion, steps=120, size=16, **MLP, **rates, **changes)
    assert rows[0]["diversity"] > 0.4 > 0.2 > rows[-1]["diversity"]
    [finding] = diagnose(rows)
    assert finding.level == "warning"
    assert "mode collapse" in finding.sentence
    assert f"differ {rows[-1]['diversity']:.2f} times as much as" in finding.sentence


def test_a_generator_that_never_drew_two_pictures_is_found_after_a_while(train, fashion):
    narrow = MLP | {"generator_widths": (32, 32, 32, 32)}
    rates = {"generator_learning_rate": 1e-6, "discriminator_learning_rate": 1e-5}
    rows = train("fashion-mlp", fashion, steps=210, batch_size=500, size=16, **narrow, **rates)
    assert max(row.get("diversity", 0) for row in rows) < 0.2
    assert "mode collapse" in diagnose(rows)[0].sentence
    early = [row for row in rows if row["images_seen"] < 100_000]
    assert set(ever_found(early)) == {"unknown"}  # 21 reports, and no word of being well


def test_an_image_gpt_learns_a_few_pictures_by_heart(train, fashion, tmp_path):
    torch.manual_seed(0)
    tokenizer = checkpoints.write(
        tmp_path / "tokenizer",
        kind="fsq-tokenizer",
        model=FsqTokenizer(FsqTokenizerConfig(**TOKENIZER)),
        card={"title": "a tokenizer"},
        preview=b"none",
    )
    random = torch.Generator().manual_seed(0)
    noise = torch.randint(0, 256, (64, 1, 16, 16), dtype=torch.uint8, generator=random)
    rows = train(
        "fashion-gpt",
        replace(fashion, images=noise, labels=fashion.labels[:64]),
        steps=200,
        batch_size=16,
        tokenizer=str(tokenizer),
        **TOKENIZER,
        width=64,
        layers=2,
        heads=2,
        learning_rate=5e-3,
        average_half_life=50,
        validations=16,
        patience=0,
        sheets=0,
    )
    [finding] = diagnose(rows)
    validations = [row for row in rows if "validation_loss" in row]
    best = min(validations, key=lambda row: row["validation_loss"])
    assert finding.level == "warning"
    assert finding.sentence.startswith(f"over-fitting since {best['images_seen']:,} pictures")
    until_then = [row for row in rows if row["images_seen"] <= best["images_seen"]]
    assert set(ever_found(until_then)) <= {"unknown", "good"}


def test_a_run_that_diverged_and_went_back_says_so(train, fashion, monkeypatch):
    honest, calls = OBJECTIVES["nonsaturating"], iter(range(10**6))

    def loss(real, fake):
        return honest.discriminator(real, fake) * (float("nan") if next(calls) == 25 else 1)

    monkeypatch.setitem(OBJECTIVES, "nonsaturating", Objective(loss, honest.generator))
    rows = train("fashion-mlp", fashion, steps=40, size=16, **MLP)
    [finding] = diagnose(rows)
    assert finding.level == "notice"
    assert "it went back to 0 pictures and goes on with half the learning rate" in finding.sentence
    assert finding.since == 0


def early_rows(reports, sheets):
    """Return as many healthy reports of a GAN, the first `sheets` of them with a sample sheet."""
    report = {"real_accuracy": 0.6, "fake_accuracy": 0.6, "generator_loss": 1.0}
    rows = [report | {"images_seen": 640 * number} for number in range(reports)]
    return [row | ({"diversity": 0.8} if i < sheets else {}) for i, row in enumerate(rows)]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "too early to tell: that takes 300 steps"),
        (early_rows(4, 1), "too early to tell: that takes 300 steps and 4 sample sheets"),
        (
            early_rows(STRETCH, 3),
            "too early to tell: that takes 300 steps and 4 sample sheets",
        ),
        (early_rows(STRETCH - 1, 0), "too early to tell: that takes 300 steps"),
        (early_rows(STRETCH, 4), "nothing unusual"),
        (early_rows(STRETCH, 0), "nothing unusual"),  # a run without sample sheets
        (
            [{"images_seen": 64 * number, "diversity": 0.8} for number in range(STRETCH)],
            "too early to tell: that takes 300 steps",
        ),
    ],
)
def test_nobody_is_called_well_before_a_rule_could_have_spoken(rows, said):
    [finding] = diagnose(rows)
    assert finding.sentence == said
    assert finding.level == ("good" if said == "nothing unusual" else "unknown")


def measured(*, reports=300, right=0.8, falling_loss=False, **curves):
    """Return the reports of a GAN; each curve has its numbers at even distances over the run.

    Args:
        right: how often the discriminator is right, in both kinds.
        curves: `random_distance`, `diversity`, ...: the values reported, oldest first.
    """
    rows = [
        {
            "images_seen": 640 * number,
            "real_accuracy": right,
            "fake_accuracy": right,
            "generator_loss": 5 - number / reports * 4 * falling_loss + 0.1 * (number % 3),
        }
        for number in range(reports)
    ]
    for name, values in curves.items():
        for index, value in enumerate(values):
            rows[index * (reports - 1) // max(1, len(values) - 1)][name] = value
    return rows


# What the sample sheets of three runs on 12,000 portraits measure (`benchmarks/yardstick.py`).
SMEAR = {"random_distance": [2.2, 2.1, 2.3] * 4, "diversity": [0.52] * 40, "right": 1.0}
HINGE = {"random_distance": [1.6, 1.5, 1.7] * 4, "diversity": [0.19] * 40}
CLEAN = {"random_distance": [3, 2, 1.4, 0.9, 0.6, 0.4, 0.3, 0.2], "diversity": [0.9, 0.6, 0.8, 0.9]}


@pytest.mark.parametrize(
    ("rows", "kinds"),
    [
        (measured(**SMEAR), {"discriminator wins", "far from real"}),
        (
            measured(**SMEAR, class_difference=[0.4] * 12)[:150],
            {"discriminator wins", "one for all", "far from real"},
        ),
        (measured(**HINGE), {"collapse", "far from real"}),
        (measured(diversity=[0.9, 0.5] + [0.45] * 20), {"collapse"}),  # not measured otherwise
        (
            measured(random_distance=[2, 0.5, 0.1, 0.1, 0.1, 0.1, 0.5, 0.6, 0.6]),
            {"worse", "far from real"},
        ),
        (measured(**CLEAN, copied_share=[0, 0.1, 0.4, 0.8, 0.8, 0.9]), {"copies"}),
        (measured(**CLEAN), {"good"}),
        (measured(**CLEAN, right=1.0), {"good"}),  # the generator learns from a clever opponent
        (measured(right=1.0, falling_loss=True, reports=60), {"good"}),
        (measured(right=1.0, reports=60), {"discriminator wins"}),
        # Every GAN looks like this in its first minutes.
        (measured(**SMEAR | {"right": 0.9}, class_difference=[0.2] * 9)[:90], {"no picture yet"}),
        (measured(diversity=[0.3] * 30)[:90], {"no picture yet"}),
        (
            measured(random_distance=[0.03, 0.01, 0.04, 0.02] * 4, class_difference=[1.0] * 9),
            {"good"},
        ),
    ],
)
def test_what_a_run_is_called_while_it_trains(rows, kinds):
    assert {finding.kind for finding in diagnose(rows, pictures=12_000)} == kinds


@pytest.mark.parametrize(
    ("rows", "kinds"),
    [
        (measured(**CLEAN | {"random_distance": [3, 2, 1.5]}, reports=60), {"young"}),
        (measured(random_distance=[3, 2.5, 2.2, 1.9, 1.6, 1.3, 1.0, 0.8]), {"young"}),
        (measured(random_distance=[2.0], reports=20), {"young"}),
        (measured(right=1.0, reports=24), {"discriminator wins"}),  # it is over: that must do
        (measured(right=1.0, reports=9), {"too short"}),
        (measured(**CLEAN), {"good"}),
        (measured(**SMEAR), {"discriminator wins", "far from real"}),
        (measured(random_distance=[2, 1, 0.1], copied_share=[0.9]), {"copies"}),
    ],
)
def test_what_it_is_called_when_it_has_ended(rows, kinds):
    findings = diagnose(rows, pictures=12_000, ended=True)
    assert {finding.kind for finding in findings} == kinds


@pytest.mark.parametrize(
    ("pictures", "said"),
    [(1, "there is only 1 picture"), (2, "there are only 2 pictures"), (72, "each seen 889 times")],
)
def test_few_pictures_are_too_few_however_well_it_looks(pictures, said):
    rows = measured(reports=101, diversity=[0.9] * 9)
    [finding] = diagnose(rows, pictures=pictures)
    assert (finding.level, finding.kind) == ("warning", "few pictures")
    assert said in finding.sentence
    assert diagnose(rows, pictures=FEW)[0].kind == "good"
    assert diagnose(rows)[0].kind == "good"  # nobody knows how many


def test_a_discriminator_that_won_over_a_few_pictures_has_learned_them_by_heart():
    rows = measured(right=1.0)
    [finding] = diagnose(rows, pictures=800)
    assert "It has learned them by heart, each seen 239 times: give it more" in finding.sentence
    assert "Lower discriminator_learning_rate" in diagnose(rows, pictures=60_000)[0].sentence


def test_what_is_well_is_placed_on_the_scale():
    [finding] = diagnose(measured(**CLEAN))
    assert finding.sentence.startswith("nothing unusual: its pictures are at 0.20 on the scale")


RECORDED = Path(__file__).parent / "recorded_runs"


def recorded(name):
    rows = []
    for line in (RECORDED / f"{name}.jsonl").read_text().splitlines():
        add_report(rows, json.loads(line))
    return rows


def kinds_of(rows, pictures, *, ended=False):
    return {finding.kind for finding in diagnose(rows, pictures=pictures, ended=ended)}


@pytest.mark.parametrize(
    ("name", "pictures", "ever", "kinds"),
    [
        ("good-dcgan", 60_000, {"too short", "good"}, {"good"}),
        ("good-style", 60_000, {"too short", "good"}, {"good"}),
        ("dcgan-rates-x30", 60_000, {"too short", "good"}, {"good"}),
        ("young-style", 60_000, {"too short"}, {"too short"}),
        ("two-pictures", 2, {"few pictures"}, {"few pictures"}),
        (
            "dcgan-72-pictures",
            65,
            {"few pictures", "discriminator wins"},
            {"few pictures", "discriminator wins"},
        ),
        (
            "style-rates-x30",
            60_000,
            {
                "too short",
                "no picture yet",
                "far from real",
                "no gradient",
                "collapse",
                "discriminator wins",
            },
            {"far from real", "no gradient", "collapse", "discriminator wins"},
        ),
        (
            "collapsed-dcgan",
            60_000,
            {"too short", "no picture yet", "discriminator loses", "far from real", "collapse"},
            {"discriminator loses", "collapse", "young"},
        ),
        (
            "standing-portraits",
            2000,
            {"too short", "good", "far from real"},
            {"far from real"},
        ),
        (
            "colour-smear",
            24_000,
            {"too short", "no picture yet", "far from real", "discriminator wins"},
            {"far from real", "discriminator wins"},
        ),
    ],
)
def test_recorded_runs(name, pictures, ever, kinds):
    rows = recorded(name)
    moments = range(1, len(rows) + 1)
    assert set().union(*(kinds_of(rows[:end], pictures) for end in moments)) == ever
    assert kinds_of(rows, pictures, ended=True) == kinds


@pytest.mark.parametrize(
    ("name", "share", "kinds"),
    [
        ("collapsed-dcgan", 1 / 3, {"discriminator loses"}),
        ("style-rates-x30", 1 / 3, {"no picture yet"}),
        ("style-rates-x30", 1 / 2, {"far from real", "no gradient"}),
        ("standing-portraits", 2 / 3, {"far from real"}),
        ("colour-smear", 1 / 2, {"no picture yet"}),
        ("colour-smear", 2 / 3, {"far from real"}),
        ("good-style", 1 / 3, {"good"}),
        ("dcgan-rates-x30", 1 / 3, {"good"}),
    ],
)
def test_what_is_said_on_the_way(name, share, kinds):
    rows = recorded(name)
    until = share * rows[-1]["images_seen"]
    assert kinds_of([row for row in rows if row["images_seen"] <= until], 60_000) == kinds


NUMBERS = st.one_of(st.none(), st.floats(-1e6, 1e6), st.just(1.0), st.just(0.0))
ROWS = st.lists(
    st.dictionaries(st.sampled_from(sorted(set(METRICS) - {"images_seen"})), NUMBERS), max_size=80
)


@given(ROWS)
def test_any_log_has_a_diagnosis(rows):
    rows = [row | {"images_seen": 10 * number} for number, row in enumerate(rows)]
    findings = diagnose(rows)
    assert findings
    assert [finding.since for finding in findings] == sorted(f.since for f in findings)
    for finding in findings:
        assert finding.level in ("good", "unknown", "notice", "warning")
        assert 0 <= finding.since <= max(0, 10 * (len(rows) - 1))
    assert all(f.level in ("notice", "warning") for f in findings) or len(findings) == 1
