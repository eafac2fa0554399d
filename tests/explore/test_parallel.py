import numpy as np
import pytest
import torch

from genimg.explore.parallel import ORDERS, MaskedDrawerModel

CONTROLS = [
    {},
    {"steps": 1},
    {"steps": 30, "order": "spiral"},
    {"order": "random", "guidance": 1},
    {"order": "centre-out", "temperature": 0.6, "top_k": 4},
    {"noise": 0, "top_p": 0.8, "guidance": 2.5},
]


@pytest.fixture(scope="module")
def drawer(make_tiny):
    return MaskedDrawerModel(make_tiny("maskgit"))


class TestSample:
    def test_shape_and_variety(self, drawer):
        pictures = drawer.sample(5, seed=1)
        assert pictures.shape == (5, 16, 16, 1)
        assert pictures.dtype == np.uint8
        assert pictures.std(axis=0).max() > 0

    def test_the_seed_decides(self, drawer):
        assert np.array_equal(drawer.sample(3, seed=7), drawer.sample(3, seed=7))
        assert not np.array_equal(drawer.sample(3, seed=7), drawer.sample(3, seed=8))

    @pytest.mark.parametrize("order", ["confidence", "random"])
    def test_a_picture_does_not_depend_on_the_count(self, drawer, monkeypatch, order):
        many = drawer.sample(9, seed=2, label=1, order=order)
        assert np.array_equal(many[:4], drawer.sample(4, seed=2, label=1, order=order))
        monkeypatch.setattr("genimg.explore.parallel._BATCH", 2)
        assert np.array_equal(many, drawer.sample(9, seed=2, label=1, order=order))

    def test_labels(self, drawer):
        by_name = drawer.sample(4, label="sneaker")
        assert np.array_equal(by_name, drawer.sample(4, label=[1, 1, 1, 1]))
        assert np.array_equal(drawer.sample(4), drawer.sample(4, label=[0, 1, 2, 0]))

    @pytest.mark.parametrize(
        ("arguments", "reason"),
        [
            ({"count": 0}, "count must be a whole number from 1"),
            ({"label": "Hat"}, "Shirt, Sneaker, Bag"),
            ({"steps": 0}, "steps must be"),
            ({"steps": 2.5}, "steps must be"),
            ({"order": "zigzag"}, "order must be one of confidence, raster, spiral"),
            ({"order": ["raster"]}, "order must be one of"),
            ({"noise": -1}, "noise must be"),
            ({"noise": float("nan")}, "noise must be"),
            ({"guidance": float("inf")}, "guidance must be"),
            ({"speed": 3}, "there is no control 'speed'; .*top_p, guidance, steps, order, noise"),
        ],
    )
    def test_bad_arguments(self, drawer, arguments, reason):
        with pytest.raises(ValueError, match=reason):
            drawer.sample(**{"count": 1} | arguments)


class TestDraw:
    @pytest.mark.parametrize("controls", CONTROLS, ids=str)
    def test_it_is_the_first_sample(self, drawer, controls):
        drawing = drawer.draw(label="Shirt", seed=5, **controls)
        assert np.array_equal(drawing.image, drawer.sample(1, seed=5, label=0, **controls)[0])
        assert len(drawing.masked) == min(controls.get("steps", 8), 16)
        again = drawer.draw(label="Shirt", seed=5, **controls)
        for name in ("tokens", "masked", "confidence", "proposals", "images", "guesses"):
            assert np.array_equal(getattr(drawing, name), getattr(again, name)), name

    def test_masks_only_shrink_until_all_is_drawn(self, drawer):
        for order in ORDERS:
            drawing = drawer.draw(label="Bag", seed=1, order=order)
            assert (drawing.masked[1:] <= drawing.masked[:-1]).all()
            assert not drawing.masked[-1].any()
            assert ((drawing.tokens >= 0) & (drawing.tokens < 12)).all()
            assert np.array_equal(drawing.tokens, drawing.proposals[-1])

    def test_without_a_class_there_is_nothing_to_exaggerate(self, drawer):
        drawing = drawer.draw(label=None, seed=1)
        assert drawing.label is None
        same = drawer.draw(label=None, seed=1, guidance=3)
        assert np.array_equal(drawing.tokens, same.tokens)

    def test_one_step_proposes_the_marginals(self, drawer):
        drawing = drawer.draw(label="Bag", seed=4, steps=1, guidance=1)
        logits = drawer.prior(torch.full((1, 16), -1), torch.tensor([2]))[0].double()
        chances = logits.softmax(dim=-1)[range(16), drawing.tokens].numpy()
        np.testing.assert_allclose(drawing.confidence[0], chances, rtol=1e-4)


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
        known = drawer._encode(pictures[0]).numpy()[0]
        kept = keep.flatten()
        assert (tokens[:, kept] == known[kept]).all()
        assert tokens[:, ~kept].std(axis=0).max() > 0

    def test_keeping_all_and_nothing(self, drawer, pictures):
        whole = drawer.complete(pictures[1], rows=4, count=3)
        assert (whole == whole[0]).all()
        free = drawer.complete(pictures[1], rows=0, count=3, label="Bag", seed=2)
        assert np.array_equal(free, drawer.sample(3, label="Bag", seed=2))

    def test_it_sees_what_is_kept_further_on(self, drawer, pictures):
        keep = np.zeros((4, 4), bool)
        keep[3] = True
        made = [
            drawer.complete(image, keep, count=1, seed=3, temperature=0)
            for image in (pictures[0], 255 - pictures[0])
        ]
        assert not np.array_equal(made[0][:, :8], made[1][:, :8])


class TestNegativeLogLikelihood:
    @pytest.mark.parametrize("order", ["raster", "spiral", "centre-out"])
    def test_it_is_that_of_one_token_after_another(self, drawer, pictures, order):
        from genimg.models.token_orders import fixed_ranks

        found = drawer.negative_log_likelihood(pictures, [0, 1, 2, 0, 1], order=order)
        tokens = drawer._encode(pictures[1])
        so_far, total = torch.full((1, 16), -1), 0.0
        for place in fixed_ranks(order, 4, 4).argsort():
            logits = drawer.prior(so_far, torch.tensor([1]))[0, place].double()
            total -= logits.log_softmax(dim=0)[tokens[0, place]].item()
            so_far[0, place] = tokens[0, place]
        assert found[1] == pytest.approx(total / 16, rel=1e-4)

    def test_the_estimate_is_the_mean_over_orders(self, drawer, pictures):
        many = np.repeat(pictures[:1], 2000, axis=0)
        over_orders = drawer.negative_log_likelihood(many[:400], "Bag", order="random", seed=3)
        estimate = drawer.negative_log_likelihood(many, "Bag", seed=1)
        error = np.hypot(over_orders.std() / 20, estimate.std() / np.sqrt(2000))
        assert abs(estimate.mean() - over_orders.mean()) < 5 * error
        assert over_orders.std() > 0

    def test_bad_arguments(self, drawer, pictures):
        with pytest.raises(ValueError, match="order must be one of any, raster"):
            drawer.negative_log_likelihood(pictures, 0, order="confidence")
        with pytest.raises(ValueError, match="5 whole numbers"):
            drawer.negative_log_likelihood(pictures, [0, 1])
