import pytest

from genimg.training.loop import Trainer
from genimg.training.metric_names import METRICS

# Reported only beside a GPU, after a divergence, or after half a minute; see the other tests.
RARE = {"cuda_bytes", "rolled_back"}
QUALITY = {"frechet_distance_500", "frechet_distance_500_floor", "class_accuracy_500"}
QUALITY |= {"attribute_confidence_500", "attribute_total_variation_500"}
QUALITY |= {"random_distance", "class_difference", "copied_share"}


@pytest.fixture
def reported(make_run, dataset, drawn):
    """A function that trains a preset and returns the names in its log."""

    def names(preset: str, **changes) -> set[str]:
        run = make_run(preset, preset, images=80, **changes)
        pictures = drawn if preset == "portraits-features" else dataset
        Trainer(run, run.new_attempt(), pictures).run()
        return {name for line in run.read_metrics() for name in line}

    return names


def test_every_number_of_every_training_is_in_the_table_and_no_other(reported, tmp_path):
    names = reported("fashion-style") | reported("fashion-features")
    names |= reported("portraits-features")
    names |= reported("fashion-tokenizer", size=32, adversarial_start=0.0)
    names |= reported("fashion-gpt", size=32, tokenizer=str(tmp_path / "fashion-tokenizer"))
    assert names == set(METRICS) - RARE - QUALITY


def test_the_table_can_be_shown():
    assert all(metric.better in ("lower", "higher", "") for metric in METRICS.values())
    assert all(metric.label and metric.meaning.endswith(".") for metric in METRICS.values())
    labels = [metric.label for metric in METRICS.values()]
    assert len(set(labels)) == len(labels)
