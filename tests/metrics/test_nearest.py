import numpy as np
import pytest
import torch

from genimg.metrics import nearest as module
from genimg.metrics.nearest import memorisation_ratio, nearest


def pictures(seed, count, shape=(6, 5, 3)):
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), dtype=np.uint8)


@pytest.mark.parametrize("shape", [(6, 5, 3), (28, 28, 1)])
@pytest.mark.parametrize("count", [1, 3, 40])
def test_equals_scikit_learn(shape, count):
    sklearn_neighbors = pytest.importorskip("sklearn.neighbors")
    query, bank = pictures(0, 17, shape), pictures(1, 40, shape)
    finder = sklearn_neighbors.NearestNeighbors(n_neighbors=count, algorithm="brute")
    finder.fit(bank.reshape(40, -1).astype(float))
    distances, indices = finder.kneighbors(query.reshape(17, -1).astype(float))
    found_indices, found_distances = nearest(query, bank, count)
    np.testing.assert_allclose(found_distances, distances / np.sqrt(np.prod(shape)), rtol=1e-9)
    # Distances of random pictures may tie; where they differ, the order must be the same.
    apart = np.diff(distances, axis=1).min(initial=np.inf) > 0
    assert not apart or np.array_equal(found_indices, indices)


def test_distance_is_the_root_mean_square_in_grey_levels():
    black, white = np.zeros((1, 4, 4, 1), np.uint8), np.full((1, 4, 4, 1), 255, np.uint8)
    assert nearest(black, white)[1].item() == 255
    black[0, 0, 0] = 4
    assert nearest(black, np.zeros_like(black))[1].item() == 1  # sqrt(16 / 16 pixels)


def test_finds_images_among_themselves_exactly():
    bank = pictures(2, 60)
    order = np.random.default_rng(3).permutation(60)
    indices, distances = nearest(bank[order], bank)
    assert (indices[:, 0] == order).all()
    assert (distances == 0).all()


def test_tells_one_grey_level_of_one_pixel_at_a_large_size():
    bank = pictures(4, 1, (64, 64, 3)).repeat(2, axis=0)
    bank[:, 0, 0, 0] = [100, 101]
    query = bank[:1].copy()
    query[0, 0, 0, 0] = 102
    indices, distances = nearest(query, bank, 2)
    assert indices.tolist() == [[1, 0]]
    np.testing.assert_array_equal(distances, np.sqrt([[1 / 12288, 4 / 12288]]))


def test_chunks_do_not_change_the_answer(monkeypatch):
    query, bank = pictures(5, 9), pictures(6, 50)
    indices, distances = nearest(query, bank, 7)
    monkeypatch.setattr(module, "CHUNK", 400)  # 5 bank images at a time, fewer than count
    chunked_indices, chunked_distances = nearest(query, bank, 7)
    np.testing.assert_array_equal(chunked_distances, distances)
    np.testing.assert_array_equal(chunked_indices, indices)


def test_more_queries_than_one_part_keep_their_order():
    bank = pictures(7, 30, (2, 2, 1))
    query = pictures(8, 2300, (2, 2, 1))
    gaps = (query[:, None].astype(float) - bank[None]).reshape(2300, 30, -1)
    expected = np.sqrt((gaps**2).mean(-1)).min(1)
    np.testing.assert_allclose(nearest(query, bank)[1][:, 0], expected, rtol=1e-12)


def test_arrays_and_tensors_are_the_same_images():
    query, bank = pictures(9, 5), pictures(10, 20)
    as_tensor = torch.from_numpy(bank).permute(0, 3, 1, 2)
    assert np.array_equal(nearest(query, bank, 4)[1], nearest(query, as_tensor, 4)[1])
    assert np.array_equal(nearest(query, bank, 4)[1], nearest(query[:, ::-1], bank[:, ::-1], 4)[1])


@pytest.mark.parametrize(
    ("query", "bank", "count", "sentence"),
    [
        (pictures(0, 2), pictures(0, 2, (5, 6, 3)), 1, "one size"),
        (pictures(0, 2), pictures(0, 3), 4, "from 1 to the 3 images"),
        (pictures(0, 2), pictures(0, 3), 0, "from 1 to the 3 images"),
        (pictures(0, 2), pictures(0, 3).astype(float), 1, "uint8"),
        (pictures(0, 2)[0], pictures(0, 3), 1, "uint8"),
        (pictures(0, 0), pictures(0, 3), 1, "one or more"),
    ],
)
def test_bad_input_is_refused(query, bank, count, sentence):
    with pytest.raises(ValueError, match=sentence):
        nearest(query, bank, count)


def test_copies_have_ratio_zero_and_fresh_draws_about_one():
    training, held_out = pictures(11, 400), pictures(12, 200)
    copied = memorisation_ratio(training[:150], training, held_out)
    assert copied["ratio"] == copied["generated_median"] == 0
    assert copied["share_closer"] == 1
    fresh = memorisation_ratio(pictures(13, 200), training, held_out)
    assert fresh["ratio"] == pytest.approx(1, abs=0.05)
    assert fresh["share_closer"] < 0.1


def test_half_copies_show_in_the_share_and_noise_on_copies_in_the_ratio():
    training, held_out = pictures(14, 400), pictures(15, 200)
    half = np.concatenate([training[:80], pictures(16, 120)])
    assert memorisation_ratio(half, training, held_out)["share_closer"] >= 0.4
    blurred = (training[:100].astype(int) + 4).clip(0, 255).astype(np.uint8)
    assert 0 < memorisation_ratio(blurred, training, held_out)["ratio"] < 0.2


def test_a_few_duplicates_among_the_held_out_do_not_hide_copies():
    training = pictures(19, 100)
    held_out = np.concatenate([training[:5], pictures(20, 95)])
    assert memorisation_ratio(training, training, held_out)["share_closer"] == 1


def test_held_out_images_from_the_training_set_are_refused():
    training = pictures(17, 50)
    with pytest.raises(ValueError, match="hold out other images"):
        memorisation_ratio(pictures(18, 10), training, training[:20])
