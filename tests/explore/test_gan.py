import numpy as np
import pytest
import torch


def close(a: np.ndarray, b: np.ndarray) -> bool:
    """Equal up to one grey level: batches of other sizes round differently."""
    return a.shape == b.shape and np.abs(a.astype(int) - b.astype(int)).max() <= 1


def different(a: np.ndarray, b: np.ndarray) -> bool:
    return np.abs(a.astype(int) - b.astype(int)).max() > 5


@pytest.fixture(scope="module")
def silent(make_model):
    """A style model without noise: a walk keeps the first seed's, which its last seed lacks."""
    model = make_model("stylegan")
    for layer in model.generator.layers:
        layer.noise_strength.zero_()
    return model


class TestSample:
    def test_pictures_are_bytes_with_channels_last(self, any_model):
        pictures = any_model.sample(5, seed=3)
        assert pictures.shape == (5, 32, 32, 1)
        assert pictures.dtype == np.uint8
        assert pictures.std(axis=0).max() > 0

    def test_a_sample_does_not_depend_on_the_count(self, any_model):
        many = any_model.sample(7, seed=3)
        for count in (1, 2, 5):
            assert close(any_model.sample(count, seed=3), many[:count])

    def test_a_sample_does_not_depend_on_the_batch_it_is_in(self, plain):
        assert close(plain.sample(600, seed=1)[:251], plain.sample(251, seed=1))

    def test_the_seed_decides(self, any_model):
        assert np.array_equal(any_model.sample(3, seed=8), any_model.sample(3, seed=8))
        assert different(any_model.sample(3, seed=8), any_model.sample(3, seed=9))
        any_model.sample(1, seed=2**32 - 1)

    def test_without_a_label_the_classes_come_in_turn(self, any_model):
        in_turn = any_model.sample(6, seed=2)
        assert close(any_model.sample(6, seed=2, label=[0, 1, 2, 0, 1, 2]), in_turn)
        for number in range(3):
            one_class = any_model.sample(6, seed=2, label=number)
            assert close(one_class[number::3], in_turn[number::3])
            assert different(one_class[(number + 1) % 3 :: 3], in_turn[(number + 1) % 3 :: 3])

    @pytest.mark.parametrize("label", ["Sneaker", "sneaker", "SNEAKER", 1, np.int64(1), [1] * 4])
    def test_a_label_is_a_name_or_a_number(self, any_model, label):
        assert np.array_equal(any_model.sample(4, label=label), any_model.sample(4, label=1))

    def test_truncation_zero_shows_the_average_of_each_class(self, style):
        pictures = style.sample(6, seed=1, truncation=0.0)
        labels = torch.arange(6) % 3
        noise = style._noise(1, range(6))
        mean = style.generator.mean_style[labels]
        assert close(pictures, style._render(mean, None, noise))
        assert different(pictures, style.sample(6, seed=1))

    def test_without_classes(self, plain):
        assert plain.classes == ()
        assert plain.sample(2).shape == (2, 32, 32, 1)


class TestPicture:
    def test_it_is_the_first_sample(self, any_model):
        for label in (0, 2):
            sample = any_model.sample(1, seed=5, label=label)[0]
            assert np.array_equal(any_model.picture(seed=5, label=label), sample)
        assert np.array_equal(any_model.picture(seed=5), any_model.sample(1, seed=5)[0])

    def test_truncation_as_for_samples(self, style):
        assert np.array_equal(
            style.picture(seed=5, label=1, truncation=0.5),
            style.sample(1, seed=5, label=1, truncation=0.5)[0],
        )

    def test_moving_by_nothing_changes_nothing(self, any_model):
        still = any_model.picture(seed=5, label=1)
        assert np.array_equal(any_model.picture(seed=5, label=1, directions=[0.0] * 5), still)
        assert np.array_equal(any_model.picture(seed=5, label=1, latents={0: 0.0, 11: 0.0}), still)

    def test_directions_and_latents_move_it(self, any_model):
        still = any_model.picture(seed=5, label=1)
        assert different(any_model.picture(seed=5, label=1, directions=[3.0]), still)
        assert different(any_model.picture(seed=5, label=1, latents={3: 3.0}), still)

    def test_directions_add_to_the_code(self, any_model):
        code, _ = any_model._moved(5, 1, 1.0, [], {})
        moved, labels = any_model._moved(5, 1, 1.0, [2.0, -1.0], {})
        known = any_model.directions(int(labels[0]))
        np.testing.assert_allclose(
            (moved - code)[0].numpy(), 2 * known[0] - known[1], atol=1e-5, rtol=1e-5
        )

    def test_calls_do_not_depend_on_earlier_calls(self, any_model):
        before = any_model.picture(seed=5, label=1)
        any_model.picture(seed=5, label=1, directions=[4.0], latents={0: 4.0})
        any_model.neighbours(3, seed=5, label=1)
        assert np.array_equal(any_model.picture(seed=5, label=1), before)


class TestDirections:
    def test_they_are_orthogonal_and_sorted(self, any_model):
        vectors = any_model.directions(1).astype(np.float64)
        products = vectors @ vectors.T
        lengths = np.sqrt(np.diag(products))
        cosines = products / np.outer(lengths, lengths)
        np.testing.assert_allclose(cosines, np.eye(len(vectors)), atol=1e-3)
        assert (np.diff(lengths) <= 1e-5).all()

    def test_the_largest_entry_is_positive(self, any_model):
        vectors = any_model.directions(1)
        largest = np.abs(vectors).argmax(axis=1)
        assert (vectors[np.arange(len(vectors)), largest] > 0).all()

    def test_another_model_of_the_same_weights_has_the_same(self, make_model, any_model):
        kind = {"StyleGenerator": "stylegan", "DcganGenerator": "dcgan"}
        again = make_model(kind.get(type(any_model.generator).__name__, "mlp-gan"))
        assert np.array_equal(again.directions(2), any_model.directions(2))

    def test_with_a_mapping_network_they_explain_the_variance_of_the_class(self, style):
        z = torch.randn(4000, 12, generator=torch.Generator().manual_seed(4))
        codes = style.generator.map(z, torch.full((4000,), 1)).numpy().astype(np.float64)
        vectors = style.directions(1).astype(np.float64)
        lengths = np.linalg.norm(vectors, axis=1)
        along = codes @ (vectors / lengths[:, None]).T
        # Other draws, so up to the noise of 4000 samples.
        np.testing.assert_allclose(along.std(axis=0), lengths, rtol=0.1)

    def test_without_one_they_change_the_first_layer_most(self, plain):
        first = plain.directions(None)[0]
        weight = plain.generator.body[0].weight.detach().numpy()
        largest = np.linalg.svd(weight, compute_uv=False)[0]
        assert np.linalg.norm(first) == pytest.approx(1, rel=1e-5)
        assert np.linalg.norm(weight @ first) == pytest.approx(largest, rel=1e-4)

    def test_classes_have_their_own(self, style):
        assert not np.allclose(style.directions(0), style.directions(1))


class TestNeighbours:
    def test_the_first_is_the_picture_itself(self, any_model):
        moves = {"seed": 4, "label": 2, "directions": [1.0, -1.0], "latents": {2: 0.5}}
        sheet = any_model.neighbours(5, **moves)
        assert sheet.shape == (5, 32, 32, 1)
        assert close(sheet[0], any_model.picture(**moves))

    def test_without_spread_all_are_the_picture(self, any_model):
        sheet = any_model.neighbours(4, spread=0.0, seed=4, label=2)
        assert all(close(picture, sheet[0]) for picture in sheet)

    def test_more_spread_is_farther_away(self, any_model):
        distances = [
            np.abs(sheet[1:].astype(float) - sheet[0]).mean()
            for sheet in (any_model.neighbours(16, spread=s, seed=4) for s in (0.05, 0.3, 1.0))
        ]
        assert distances == sorted(distances)
        assert distances[0] < distances[2]

    def test_a_neighbour_does_not_depend_on_the_count(self, any_model):
        assert close(any_model.neighbours(6, seed=4)[:3], any_model.neighbours(3, seed=4))


class TestInterpolate:
    @pytest.mark.parametrize("mode", ["lerp", "slerp"])
    @pytest.mark.parametrize("space", ["z", "w"])
    @pytest.mark.parametrize("truncation", [1.0, 0.6])
    def test_the_ends_are_the_keyframes(self, silent, mode, space, truncation):
        keys = [
            silent.picture(seed=seed, label="Bag", truncation=truncation) for seed in (1, 7, 42)
        ]
        walk = silent.interpolate(
            [1, 7, 42], steps=9, mode=mode, space=space, label="Bag", truncation=truncation
        )
        assert walk.shape == (9, 32, 32, 1)
        for frame, key in zip(walk[[0, 4, 8]], keys, strict=True):
            assert close(frame, key)
        assert different(walk[2], walk[0])

    @pytest.mark.parametrize("mode", ["lerp", "slerp"])
    def test_it_starts_at_the_first_picture_noise_included(self, any_model, mode):
        walk = any_model.interpolate([3, 4], steps=4, mode=mode, label=1)
        assert close(walk[0], any_model.picture(seed=3, label=1))

    def test_a_loop_comes_back_and_does_not_repeat_its_first_frame(self, silent):
        looped = silent.interpolate([1, 7], steps=8, loop=True, label=0)
        there_and_back = silent.interpolate([1, 7, 1], steps=9, label=0)
        assert close(looped, there_and_back[:-1])
        assert close(there_and_back[-1], looped[0])

    def test_without_a_label_it_is_the_first_class(self, any_model):
        assert np.array_equal(
            any_model.interpolate([1, 2], steps=3), any_model.interpolate([1, 2], steps=3, label=0)
        )

    def test_long_walks_are_made_in_parts(self, plain):
        walk = plain.interpolate([1, 2], steps=501, mode="lerp")
        assert len(walk) == 501
        assert close(walk[[0, 500]], np.stack([plain.picture(seed=1), plain.picture(seed=2)]))
        assert close(walk[::100], plain.interpolate([1, 2], steps=6, mode="lerp"))


class TestJudge:
    def test_one_logit_for_each_picture(self, any_model):
        pictures = any_model.sample(4, seed=1, label=[0, 1, 2, 0])
        logits = any_model.judge(pictures, [0, 1, 2, 0])
        assert logits.shape == (4,)
        assert logits.dtype == np.float32
        images = torch.from_numpy(pictures).permute(0, 3, 1, 2) / 127.5 - 1
        expected = any_model.discriminator(images, torch.tensor([0, 1, 2, 0]))
        np.testing.assert_allclose(logits, expected.numpy(), atol=1e-4, rtol=1e-4)

    def test_without_labels(self, plain):
        assert plain.judge(plain.sample(3)).shape == (3,)

    def test_a_class_is_needed_where_it_is_judged(self, any_model):
        with pytest.raises(ValueError, match="mine judges a picture by its class"):
            any_model.judge(any_model.sample(2))

    def test_without_a_discriminator(self, make_model):
        model = make_model("mlp-gan", 0)
        model.discriminator = None
        with pytest.raises(ValueError, match="mine ships without its discriminator"):
            model.judge(model.sample(1))


STYLE_ERRORS = [
    (lambda m: m.sample(0), "count must be a whole number from 1 to 100000, not 0"),
    (lambda m: m.sample(100_001), "count must be a whole number from 1 to 100000, not 100001"),
    (lambda m: m.sample(1, seed=-1), "seed must be a whole number from 0 to 4294967295, not -1"),
    (lambda m: m.sample(1, seed=2**32), "seed must be a whole number from 0 to 4294967295"),
    (lambda m: m.sample(1, seed=0.5), "seed must be a whole number from 0 to 4294967295, not 0.5"),
    (lambda m: m.sample(1, seed=float("nan")), "seed must be a whole number from 0 to"),
    (lambda m: m.sample(1, label="Hat"), "mine does not know 'Hat'; its classes are Shirt, Sneak"),
    (lambda m: m.sample(1, label=3), "labels must be one whole number from 0 to 2"),
    (lambda m: m.sample(1, label=-1), "labels must be one whole number from 0 to 2"),
    (lambda m: m.sample(1, label=0.5), "labels must be one whole number from 0 to 2"),
    (lambda m: m.sample(2, label=[0]), "labels must be 2 whole numbers from 0 to 2"),
    (lambda m: m.sample(2, label=[[0, 1]]), "labels must be 2 whole numbers from 0 to 2"),
    (lambda m: m.sample(2, label=[]), "labels must be 2 whole numbers from 0 to 2"),
    (lambda m: m.sample(1, truncation=-0.1), "truncation must be a number from 0 to 2, not -0.1"),
    (lambda m: m.sample(1, truncation=2.1), "truncation must be a number from 0 to 2, not 2.1"),
    (
        lambda m: m.sample(1, truncation=float("nan")),
        "truncation must be a number from 0 to 2, not nan",
    ),
    (lambda m: m.picture(latents={12: 1.0}), "z has dimensions 0 to 11, not 12"),
    (lambda m: m.picture(latents={-1: 1.0}), "z has dimensions 0 to 11, not -1"),
    (lambda m: m.picture(latents={0: float("nan")}), "directions and latents must be finite"),
    (lambda m: m.picture(directions=[float("inf")]), "directions and latents must be finite"),
    (lambda m: m.picture(directions=[0.0] * 11), "there are 10 directions, not 11"),
    (lambda m: m.neighbours(0), "count must be a whole number from 1 to 1000, not 0"),
    (lambda m: m.neighbours(spread=1.5), "spread must be a number from 0 to 1, not 1.5"),
    (lambda m: m.neighbours(spread=float("nan")), "spread must be a number from 0 to 1, not nan"),
    (lambda m: m.interpolate([1]), "seeds must be 2 to 16 numbers, not 1"),
    (lambda m: m.interpolate(range(17)), "seeds must be 2 to 16 numbers, not 17"),
    (lambda m: m.interpolate([1, -2]), "seed must be a whole number from 0 to 4294967295, not -2"),
    (
        lambda m: m.interpolate([1, 2], steps=1),
        "steps must be a whole number from 2 to 2000, not 1",
    ),
    (
        lambda m: m.interpolate([1, 2], steps=2001),
        "steps must be a whole number from 2 to 2000, not 2001",
    ),
    (lambda m: m.interpolate([1, 2], mode="cubic"), "mode must be lerp or slerp, not 'cubic'"),
    (lambda m: m.interpolate([1, 2], space="x"), "space must be z or w, not 'x'"),
    (lambda m: m.interpolate([1, 2], label="Hat"), "mine does not know 'Hat'"),
]

PLAIN_ERRORS = [
    (lambda m: m.sample(1, label=0), "mine was trained without labels, so it takes no label"),
    (lambda m: m.sample(1, label="Bag"), "mine was trained without labels, so it takes no label"),
    (lambda m: m.sample(1, truncation=0.5), "mine has no mapping network, so truncation must be 1"),
    (lambda m: m.interpolate([1, 2], space="w"), "space must be z, not 'w'"),
    (lambda m: m.judge(m.sample(1), [0]), "mine was trained without labels, so it takes no label"),
]


@pytest.mark.parametrize(("call", "sentence"), STYLE_ERRORS)
def test_bad_input_to_a_style_model_is_one_sentence(style, call, sentence):
    with pytest.raises(ValueError) as error:  # noqa: PT011
        call(style)
    assert str(error.value).startswith(sentence)


@pytest.mark.parametrize(("call", "sentence"), PLAIN_ERRORS)
def test_bad_input_to_a_plain_model_is_one_sentence(plain, call, sentence):
    with pytest.raises(ValueError) as error:  # noqa: PT011
        call(plain)
    assert str(error.value).startswith(sentence)
