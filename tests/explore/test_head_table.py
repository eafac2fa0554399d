from dataclasses import fields

import numpy as np
import pytest
import torch

from genimg.explore.drawing import DrawerModel
from genimg.explore.head_table import HeadTable, head_table
from genimg.model_card import HEAD_FIGURES

EVERY_HEAD = [(layer, head) for layer in range(2) for head in range(2)]


def batch(count):
    numbers = torch.Generator().manual_seed(1)
    return torch.randint(12, (count, 16), generator=numbers), torch.arange(count) % 3


@pytest.mark.parametrize("window", [0, 4])
def test_of_one_drawing_it_is_what_the_drawing_says(make_tiny, window):
    model = DrawerModel(make_tiny("image-gpt", window=window))
    found = model.measure_heads(1, seed=5)
    drawing = model.generate(label=0, seed=5, guidance=1)
    places = np.array([divmod(token, 4) for token in range(16)], float)
    for layer, head in EVERY_HEAD:
        without = model.ablate(drawing, heads={(layer, head): "off"})
        assert found.effect[layer, head] == pytest.approx(without.change, abs=1e-4)
        rows = [drawing.attention(layer, head, query).astype(float) for query in range(16)]
        entropy = np.mean([drawing.entropy(layer, head, query) for query in range(16)])
        assert found.entropy[layer, head] == pytest.approx(entropy, abs=1e-4)
        class_share = np.mean([row[0] for row in rows])
        assert found.class_share[layer, head] == pytest.approx(class_share, abs=1e-5)
        steps = [
            (row[1 + token], np.hypot(*(places[query] - places[token])))
            for query, row in enumerate(rows)
            for token in range(16)
        ]
        distance = sum(w * d for w, d in steps) / sum(w for w, _ in steps)
        assert found.distance[layer, head] == pytest.approx(distance, abs=1e-4)


def test_drawings_count_alike_however_they_are_grouped(drawer, monkeypatch):
    tokens, labels = batch(6)
    whole = head_table(drawer.prior, tokens, labels)
    monkeypatch.setattr("genimg.explore.head_table._BATCH", 4)
    parts = head_table(drawer.prior, tokens, labels)
    halves = [head_table(drawer.prior, tokens[i::2], labels[i::2]) for i in range(2)]
    for name in HEAD_FIGURES:
        one = getattr(whole, name)
        assert one.shape == (2, 2)
        assert one.dtype == np.float32
        np.testing.assert_allclose(getattr(parts, name), one, rtol=1e-4, atol=1e-5)
        if name != "distance":  # an average over attention, not over drawings
            mean = np.mean([getattr(half, name) for half in halves], axis=0)
            np.testing.assert_allclose(mean, one, rtol=1e-4, atol=1e-5)


def test_a_head_whose_output_goes_nowhere_has_no_effect(make_tiny):
    model = DrawerModel(make_tiny("image-gpt"))
    model.prior.transformer.blocks[1].attention.output.weight[:, 8:] = 0  # head 1 of layer 1
    effect = model.measure_heads(4).effect
    assert effect[1, 1] == pytest.approx(0, abs=1e-6)
    assert abs(effect[1, 0]) > 1e-4


def test_drawings_become_less_likely_without_a_part_on_average(drawer):
    """They are the model's own, so the average is a divergence, which is never below 0."""
    assert (drawer.measure_heads(200).effect > 0).all()


def test_figures_are_in_range(drawer):
    found = drawer.measure_heads(10, seed=1)
    assert (found.entropy >= 0).all()
    assert (found.entropy <= np.log(16)).all()
    assert (found.class_share > 0).all()  # position 0 sees nothing else
    assert (found.class_share <= 1).all()
    assert (found.distance >= 1 - 1e-6).all()  # the patch itself is not drawn yet
    assert (found.distance <= np.hypot(3, 3)).all()


def test_rows_say_the_same(drawer):
    found = drawer.measure_heads(2)
    rows = found.rows()
    assert [(row["layer"], row["head"]) for row in rows] == EVERY_HEAD
    for row in rows:
        for name in HEAD_FIGURES:
            expected = getattr(found, name)[row["layer"], row["head"]]
            assert row[name] == pytest.approx(float(expected), abs=1e-4)


def test_the_card_keeps_what_is_measured():
    assert tuple(field.name for field in fields(HeadTable)) == HEAD_FIGURES
