import copy

import numpy as np
import pytest
import torch

from genimg.explore.drawing import DEFAULT_GUIDANCE, DrawerModel
from genimg.models.sampling import draw_by_uniforms, next_token_distribution
from genimg.randomness import generator

CONTROLS = [
    {},
    {"temperature": 0.6},
    {"top_k": 4},
    {"top_p": 0.7},
    {"guidance": 2.5},
    {"temperature": 1.3, "top_k": 8, "top_p": 0.8, "guidance": 1.5},
    {"temperature": 0},
]
each_control = pytest.mark.parametrize("controls", CONTROLS, ids=str)


@pytest.fixture(scope="module")
def drawing(drawer):
    return drawer.generate(label="Bag", seed=3)


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

    @each_control
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


class TestDrawing:
    @each_control
    def test_the_probabilities_are_those_drawn_from(self, drawer, controls):
        drawing = drawer.generate(label="Bag", seed=3, **controls)
        uniforms = torch.rand(16, generator=generator(3, "draw", 0))
        drawn = draw_by_uniforms(torch.from_numpy(drawing.probabilities), uniforms)
        assert np.array_equal(drawn.numpy(), drawing.tokens)
        assert drawing.probabilities.dtype == np.float32
        np.testing.assert_allclose(drawing.probabilities.sum(axis=1), 1, rtol=1e-5)

    @each_control
    def test_the_logits_give_the_probabilities_without_the_model(self, drawer, controls):
        drawing = drawer.generate(label="Bag", seed=3, **controls)
        u, c = map(torch.from_numpy, (drawing.unconditional_logits, drawing.logits))
        rest = dict(controls)
        logits = u + rest.pop("guidance", DEFAULT_GUIDANCE) * (c - u)
        reshaped = next_token_distribution(logits, **rest)
        np.testing.assert_allclose(reshaped.numpy(), drawing.probabilities, atol=1e-5)

    def test_drawing_with_a_cache_is_drawing_without(self, drawer):
        drawing = drawer.generate(label="Bag", seed=3, guidance=1)
        uniforms = torch.rand(16, generator=generator(3, "draw", 0))
        tokens = torch.empty(1, 0, dtype=torch.int64)
        for step in range(16):
            logits = drawer.prior(tokens, torch.tensor([2]))[:, -1]
            probabilities = logits.softmax(dim=-1)
            np.testing.assert_allclose(drawing.probabilities[step], probabilities[0], atol=1e-5)
            drawn = draw_by_uniforms(probabilities, uniforms[step : step + 1])
            tokens = torch.cat((tokens, drawn[:, None]), dim=1)
        assert np.array_equal(tokens[0].numpy(), drawing.tokens)

    def test_without_a_class_the_model_is_told_none(self, drawer):
        drawing = drawer.generate(label=None, seed=3)
        assert drawing.label == drawer.prior.unconditional
        assert np.array_equal(drawing.logits, drawing.unconditional_logits)
        *_, (_, tokens, image) = drawer.stream(label=None, seed=3)
        assert np.array_equal(tokens, drawing.tokens)
        assert np.array_equal(image, drawing.image)

    def test_the_picture_is_that_of_the_tokens(self, drawer, drawing):
        assert np.array_equal(drawer.unfinished(drawing.tokens), drawing.image)

    @pytest.mark.parametrize("fields", [{}, {"window": 3, "scale_by_sqrt": False}], ids=str)
    def test_attention_is_the_softmax_in_float64(self, make_tiny, materialised, fields):
        model = DrawerModel(make_tiny("image-gpt", **fields))
        drawing = model.generate(label=1, seed=4)
        exact = copy.deepcopy(model.prior).double()
        materialised.clear()
        exact(torch.from_numpy(drawing.tokens)[None, :-1], torch.tensor([1]))
        every_layer = list(materialised)  # looking at the drawing will add to it
        assert len(every_layer) == 2
        for layer, weights in enumerate(every_layer):
            for head in range(2):
                rows = [drawing.attention(layer, head, query) for query in range(16)]
                found = np.stack(rows)
                np.testing.assert_allclose(found[:, :16], weights[0, head].numpy(), atol=1e-5)

    def test_attention_sums_to_one_and_looks_at_the_past_only(self, drawing):
        for query in range(16):
            every = drawing.maps.all_heads(query)
            assert every.shape == (2, 2, 17)
            assert every.dtype == np.float32
            np.testing.assert_allclose(every.sum(axis=-1), 1, rtol=1e-5)
            assert not every[..., query + 1 :].any()
            row = drawing.attention(layer=1, head=0, query=query)
            np.testing.assert_allclose(row, every[1, 0], atol=1e-6)
            flow = drawing.rollout(query)
            np.testing.assert_allclose(drawing.maps.all_queries()[:, :, query], every, atol=1e-6)
            np.testing.assert_array_equal(drawing.maps.all_rollouts()[query], flow)
            assert flow.shape == (17,)
            np.testing.assert_allclose(flow.sum(), 1, rtol=1e-5)
            assert not flow[query + 1 :].any()

    def test_the_first_position_can_look_at_itself_only(self, drawing):
        assert drawing.attention(0, 0, 0)[0] == 1
        assert drawing.entropy(0, 0, 0) == 0
        assert 0 < drawing.entropy(0, 0, 15) <= np.log(16)

    def test_one_pass_serves_everything(self, drawer, monkeypatch):
        drawing = drawer.generate(label=0)
        calls = []
        forward = drawer.prior.forward
        monkeypatch.setattr(
            drawer.prior, "forward", lambda *args, **more: calls.append(1) or forward(*args, **more)
        )
        drawing.attention(0, 0, 3), drawing.attention(1, 1, 9), drawing.rollout(4)
        drawing.stages(1, 0, 2), drawing.logits, drawing.entropy(0, 1, 5)
        assert len(calls) == 1

    @pytest.mark.parametrize("place", [(-1, 0, 0), (2, 0, 0), (0, 2, 0), (0, 0, 16), (0, -1, 0)])
    def test_what_is_not_there(self, drawing, place):
        with pytest.raises(ValueError, match="must be from 0 to"):
            drawing.attention(*place)
        with pytest.raises(ValueError, match="must be from 0 to"):
            drawing.stages(*place)


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
