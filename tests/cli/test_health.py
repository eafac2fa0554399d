import json

import pytest

from genimg.cli.health import HealthLines, summary
from genimg.training.health import Finding
from genimg.training.requesting import request_spec
from genimg.training.run_directory import RunDirectory


class Clock:
    seconds = 0.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def directory(tmp_path, small_models):
    spec = request_spec("fashion-mlp", **small_models["fashion-mlp"], images=80, device="cpu")
    return RunDirectory.create(tmp_path / "run", spec)


def won(number):
    report = {"real_accuracy": 1.0, "fake_accuracy": 1.0, "generator_loss": 5.0}
    return report | {"images_seen": 640 * number, "images_per_second": 9.0, "total": 64_000}


def test_a_trouble_is_said_once_when_it_begins(directory):
    said, clock = [], Clock()
    health = HealthLines(said.append, directory, clock)
    for number in range(29):
        clock.seconds += 11
        health(won(number))
    assert said == []
    for number in range(29, 60):
        clock.seconds += 11
        health(won(number))
    [line] = said
    assert line.startswith("warning: the discriminator wins completely")
    assert summary(health.findings(ended=True)) == [line]


def test_it_looks_now_and_then_only(directory, monkeypatch):
    looks, clock = [], Clock()
    health = HealthLines(print, directory, clock)

    def slow(ended=False):
        looks.append(clock.seconds)
        clock.seconds += 0.5
        return []

    monkeypatch.setattr(health, "findings", slow)
    for number in range(400):
        clock.seconds += 1
        health(won(number))
    assert looks[0] == 10
    assert len(looks) < 10  # 50 seconds after each look of half a second


def test_earlier_attempts_count(directory):
    directory.new_attempt()
    metrics = directory.path / "attempts" / "1" / "metrics.jsonl"
    metrics.write_text("".join(json.dumps(won(number)) + "\n" for number in range(40)))
    said, clock = [], Clock()
    health = HealthLines(said.append, directory, clock)
    clock.seconds += 11
    health(won(40))
    assert len(said) == 1
    health(won(10))  # it went back to a checkpoint
    assert [row["images_seen"] for row in health.rows] == [640 * number for number in range(11)]


def test_a_damaged_specification_hides_no_trouble(directory):
    health = HealthLines(print, directory)
    (directory.path / "spec.json").write_text("{")
    for number in range(40):
        health(won(number))
    assert [finding.kind for finding in health.findings()] == ["discriminator wins"]


def test_what_is_well_is_not_called_a_warning():
    findings = [Finding("good", "good", "nothing unusual", 9)]
    assert summary(findings) == ["health: nothing unusual"]
    assert summary([Finding("notice", "young", "train longer", 9)]) == ["notice: train longer"]
