import itertools

import numpy as np
import pytest
import torch

from genimg.metrics.diversity import spreads, within_class_distance


def pictures(count: int, channels: int = 1) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 256, (count, 5, 4, channels), np.uint8)


@pytest.mark.parametrize("channels", [1, 3])
def test_it_is_the_mean_over_pairs_of_one_class(channels):
    images, labels = pictures(12, channels), np.arange(12) % 3
    distances = [
        np.sqrt(np.square(images[a].astype(float) - images[b]).mean())
        for a, b in itertools.combinations(range(12), 2)
        if labels[a] == labels[b]
    ]
    assert within_class_distance(images, labels) == pytest.approx(np.mean(distances), rel=1e-12)


def test_the_same_picture_again_and_again_has_none():
    images = np.repeat(pictures(3), 4, axis=0)
    assert within_class_distance(images, np.repeat([0, 1, 2], 4)) == 0
    assert within_class_distance(images, np.zeros(12, int)) > 0


def test_it_takes_tensors_and_no_notice_of_the_order():
    images, labels = pictures(12), np.arange(12) % 4
    order = np.random.default_rng(0).permutation(12)
    tensor = torch.from_numpy(images[order]).permute(0, 3, 1, 2)
    again = within_class_distance(tensor, labels[order])
    assert again == pytest.approx(within_class_distance(images, labels), rel=1e-12)


def test_black_and_white_are_as_far_apart_as_pictures_can_be():
    images = np.stack([np.zeros((4, 4, 1), np.uint8), np.full((4, 4, 1), 255, np.uint8)])
    assert within_class_distance(images, [7, 7]) == 255


def test_without_two_of_a_class_there_is_no_answer():
    assert within_class_distance(pictures(4), np.arange(4)) is None


@pytest.mark.parametrize("labels", [np.zeros(3, int), np.zeros((4, 1), int), 0])
def test_wrong_labels_are_one_sentence(labels):
    with pytest.raises(ValueError, match="one label an image, 4 of them"):
        within_class_distance(pictures(4), labels)


def test_spreads_are_the_variances_that_the_features_were_made_with():
    random = np.random.default_rng(0)
    labels = np.arange(20_000) % 200
    centres = random.normal(0, 2, (200, 3))
    features = centres[labels] + random.normal(0, 1, (20_000, 3))
    within, between = spreads(features, labels)
    assert within == pytest.approx(3, rel=0.02)
    assert between == pytest.approx(centres.var(0, ddof=1).sum(), rel=0.02)


def test_what_chance_makes_of_equal_classes_is_taken_off():
    random = np.random.default_rng(0)
    found = [spreads(random.normal(0, 1, (40, 3)), np.arange(40) % 10)[1] for _ in range(200)]
    assert np.mean(found) == pytest.approx(0, abs=0.03)


def test_spreads_of_few():
    features = np.random.default_rng(0).normal(0, 1, (6, 3))
    assert spreads(features, np.arange(6)) is None
    assert spreads(features, np.zeros(6))[1] == 0
    alone = spreads(features, np.array([0, 0, 0, 0, 0, 1]))  # one of a class says nothing
    assert alone == pytest.approx(spreads(features[:5], np.zeros(5)))
