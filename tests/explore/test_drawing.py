import numpy as np
import pytest
import torch

from genimg.explore import drawing as drawing_module
from genimg.explore.drawing import DEFAULT_GUIDANCE, DrawerModel


class TestSample:
    def test_shape_and_variety(self, drawer):
        pictures = drawer.sample(5, seed=1)
        assert pictures.shape == (5, 16, 16, 1)
        assert pictures.dtype == np.uint8
        assert pictures.std(axis=0).max() > 0

    def test_the_seed_decides(self, drawer):
        assert np.array_equal(drawer.sample(3, seed=7), drawer.sample(3, seed=7))
        assert not np.array_equal(drawer.sample(3, seed=7), drawer.sample(3, seed=8))

    def test_a_picture_does_not_depend_on_the_count(self, drawer, monkeypatch):
        many = drawer.sample(9, seed=2, label=1)
        assert np.array_equal(many[:4], drawer.sample(4, seed=2, label=1))
        monkeypatch.setattr("genimg.explore.drawing._BATCH", 2)
        assert np.array_equal(many, drawer.sample(9, seed=2, label=1))

    def test_labels(self, drawer):
        by_name = drawer.sample(4, label="sneaker")
        assert np.array_equal(by_name, drawer.sample(4, label=1))
        assert np.array_equal(by_name, drawer.sample(4, label=[1, 1, 1, 1]))
        in_turn = drawer.sample(4)
        assert np.array_equal(in_turn, drawer.sample(4, label=[0, 1, 2, 0]))

    def test_generate_is_the_first_sample(self, drawer, controls):
        drawing = drawer.generate(label="Shirt", seed=5, **controls)
        assert np.array_equal(drawing.image, drawer.sample(1, seed=5, label=0, **controls)[0])

    @pytest.mark.parametrize(
        ("arguments", "reason"),
        [
            ({"count": 0}, "count must be a whole number from 1"),
            ({"count": 1, "seed": -1}, "seed must be"),
            ({"count": 1, "label": "Hat"}, "Shirt, Sneaker, Bag"),
            ({"count": 2, "label": [0, 3]}, "labels must be 2 whole numbers from 0 to 2"),
            ({"count": 1, "temperature": -1}, "temperature must be"),
            ({"count": 1, "temperature": float("nan")}, "temperature must be"),
            ({"count": 1, "top_k": -1}, "top_k must be"),
            ({"count": 1, "top_p": 0}, "top_p must be"),
            ({"count": 1, "guidance": float("inf")}, "guidance must be"),
        ],
    )
    def test_bad_arguments(self, drawer, arguments, reason):
        with pytest.raises(ValueError, match=reason):
            drawer.sample(**arguments)


class TestStream:
    def test_it_ends_at_the_drawing(self, drawer, drawing):
        steps = list(drawer.stream(label="Bag", seed=3))
        assert [step for step, _, _ in steps] == list(range(16))
        for step, tokens, image in steps:
            assert np.array_equal(tokens[: step + 1], drawing.tokens[: step + 1])
            assert (tokens[step + 1 :] == -1).all()
            row, column = divmod(step + 1, 4)
            if step < 15:
                assert (image[4 * row :, 4 * column :][:4] == 128).all()
                assert (image[4 * row + 4 :] == 128).all()
        assert np.array_equal(steps[-1][2], drawing.image)

    def test_many_unfinished_pictures_are_each_of_them(self, drawer, drawing):
        tokens = np.where(np.arange(16) < np.arange(6)[:, None], drawing.tokens, -1)  # (6, 16)
        made = drawer.unfinished(tokens.reshape(2, 3, 16))
        assert made.shape == (2, 3, 16, 16, 1)
        for found, row in zip(made.reshape(6, 16, 16, 1), tokens, strict=True):
            # A batch adds in another order.
            assert abs(found.astype(int) - drawer.unfinished(row)).max() <= 1

    def test_unfinished_checks_the_tokens(self, drawer):
        with pytest.raises(ValueError, match=r"tokens must be \(16,\)"):
            drawer.unfinished(np.zeros(3, np.int64))
        with pytest.raises(ValueError, match="tokens must be from 0 to 11"):
            drawer.unfinished(np.full(16, 12))


class TestComplete:
    def test_known_tokens_stay(self, drawer, pictures, monkeypatch):
        decoded = []
        decode = drawer.tokenizer.decode
        monkeypatch.setattr(
            drawer.tokenizer, "decode", lambda tokens: decoded.append(tokens) or decode(tokens)
        )
        keep = np.zeros((4, 4), bool)
        keep[0], keep[2, 1], keep[3, 3] = True, True, True
        made = drawer.complete(pictures[0], keep, count=6, seed=1, guidance=2.0)
        assert made.shape == (6, 16, 16, 1)
        tokens = torch.cat(decoded).numpy()
        known = drawer.read(pictures[0]).tokens
        kept = keep.flatten()
        assert (tokens[:, kept] == known[kept]).all()
        assert tokens[:, ~kept].std(axis=0).max() > 0

    def test_rows_are_a_mask_of_rows(self, drawer, pictures):
        keep = np.zeros((4, 4), bool)
        keep[:2] = True
        by_rows = drawer.complete(pictures[0], rows=2, seed=5)
        assert np.array_equal(by_rows, drawer.complete(pictures[0], keep, seed=5))
        assert not np.array_equal(by_rows, drawer.complete(pictures[0], rows=2, seed=6))

    def test_keeping_all_and_nothing(self, drawer, pictures):
        whole = drawer.read(pictures[1]).image
        assert (drawer.complete(pictures[1], rows=4, count=3) == whole).all()
        free = drawer.complete(pictures[1], rows=0, count=3, label="Bag", seed=2)
        assert np.array_equal(free, drawer.sample(3, label="Bag", seed=2))

    def test_a_completion_does_not_depend_on_the_count(self, drawer, pictures):
        many = drawer.complete(pictures[2], rows=1, count=5)
        assert np.array_equal(many[:2], drawer.complete(pictures[2], rows=1, count=2))

    @pytest.mark.parametrize(
        ("arguments", "reason"),
        [
            ({}, "say what to keep"),
            ({"rows": 1, "keep": np.ones((4, 4), bool)}, "say what to keep"),
            ({"rows": 5}, "rows must be from 0 to 4"),
            ({"keep": np.ones((16, 16), bool)}, "keep must be bool"),
            ({"keep": np.ones((4, 4))}, "keep must be bool"),
            ({"rows": 1, "count": 0}, "count must be"),
            ({"rows": 1, "label": "Hat"}, "does not know 'Hat'"),
        ],
    )
    def test_bad_arguments(self, drawer, pictures, arguments, reason):
        with pytest.raises(ValueError, match=reason):
            drawer.complete(pictures[0], **arguments)

    @pytest.mark.parametrize(
        "bad", [np.zeros((16, 16, 1)), np.zeros((16, 16), np.uint8), np.zeros((8, 8, 1), np.uint8)]
    )
    def test_bad_pictures(self, drawer, bad):
        with pytest.raises(ValueError, match="must be"):
            drawer.complete(bad, rows=1)


class TestRead:
    def test_the_tokens_are_the_pictures(self, drawer, pictures):
        drawing = drawer.read(pictures[0], label="Bag")
        expected = drawer.tokenizer.encode(
            torch.from_numpy(pictures[:1]).permute(0, 3, 1, 2) / 127.5 - 1
        )
        assert np.array_equal(drawing.tokens, expected[0].numpy())
        assert drawing.label == 2

    def test_the_likelihood_is_that_of_its_probabilities(self, drawer, pictures):
        found = drawer.negative_log_likelihood(pictures, np.array([0, 1, 2, 0, 1]))
        for picture, label, nats in zip(pictures, [0, 1, 2, 0, 1], found, strict=True):
            drawing = drawer.read(picture, label=label)
            chosen = drawing.probabilities[np.arange(16), drawing.tokens]
            np.testing.assert_allclose(nats, -np.log(chosen).mean(), rtol=1e-4)
        with pytest.raises(ValueError, match="labels must be 5"):
            drawer.negative_log_likelihood(pictures, np.zeros(4, np.int64))


def test_guidance_has_a_default_and_without_a_class_there_is_none(drawer):
    told = drawer.generate(label=1, seed=2)
    same = drawer.generate(label=1, seed=2, guidance=DEFAULT_GUIDANCE)
    assert np.array_equal(told.probabilities, same.probabilities)
    off = drawer.generate(label=1, seed=2, guidance=1)
    assert not np.array_equal(told.probabilities, off.probabilities)
    untold = drawer.generate(label=None, seed=2)
    strong = drawer.generate(label=None, seed=2, guidance=5)
    np.testing.assert_allclose(untold.probabilities, strong.probabilities, atol=1e-5)


@pytest.fixture(scope="module")
def pixels(make_tiny):
    return DrawerModel(make_tiny("pixel-gpt"))


@pytest.fixture(scope="module")
def picture():
    return np.random.default_rng(3).integers(0, 256, (18, 18, 1), np.uint8)


class TestPixels:
    """An image GPT over 324 pixels of 4 greys, in segments with a memory."""

    def test_few_are_drawn_at_a_time(self, pixels, monkeypatch):
        together = pixels.sample(3, seed=2, label=1)
        assert set(np.unique(together)) == {0, 85, 170, 255}
        monkeypatch.setattr("genimg.explore.drawing._MOST_TOKENS", 300)
        calls, draw = [], drawing_module.draw_tokens
        monkeypatch.setattr(
            drawing_module, "draw_tokens", lambda *a, **k: calls.append(len(a[1])) or draw(*a, **k)
        )
        assert np.array_equal(pixels.sample(3, seed=2, label=1), together)
        assert calls == [1, 1, 1]

    def test_a_picture_that_is_read_keeps_all_but_the_rounding(self, pixels, picture):
        drawing = pixels.read(picture, label="Bag")
        rounded = np.rint(picture / 85.0)
        assert np.array_equal(drawing.tokens, rounded.ravel())
        assert np.array_equal(drawing.image, rounded * 85)
        loss = pixels.negative_log_likelihood(picture[None], "Bag")
        assert loss[0] == pytest.approx(drawing.losses.mean(), rel=1e-5)

    def test_what_is_kept_of_a_picture_stays(self, pixels, picture):
        found = pixels.complete(picture, rows=11, count=2)
        assert np.array_equal(found[:, :11], np.rint(picture[None, :11] / 85.0).repeat(2, 0) * 85)
        assert (found[0, 11:] != found[1, 11:]).any()

    def test_attention_stays_within_the_segment_the_memory_and_the_class(self, pixels, picture):
        weights = pixels.read(picture).maps.all_heads(80)  # in the segment of 73 to 108
        seen = (weights > 0).all(axis=(0, 1)).nonzero()[0]
        assert seen.tolist() == [0, *range(55, 81)]
        assert not weights[:, :, [*range(1, 55), *range(81, 325)]].any()

    def test_it_is_taken_apart_like_any_other(self, pixels):
        drawing = pixels.generate(label=0, seed=1)
        assert np.array_equal(drawing.lens().tokens[-1], drawing.logits.argmax(axis=1))
        same = pixels.ablate(drawing)
        assert np.array_equal(same.tokens, drawing.tokens)
        assert abs(same.losses - drawing.losses).max() < 1e-4
        for how in ("off", "uniform", "mean", 1):
            changed = pixels.ablate(drawing, heads={(0, 0): how})
            assert np.isfinite(changed.losses).all()
            assert abs(changed.losses - drawing.losses).max() > 1e-3
