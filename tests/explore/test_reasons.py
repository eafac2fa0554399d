import copy

import numpy as np
import pytest
import torch

from genimg.explore.drawing import DrawerModel
from genimg.explore.reasons import Reasons

QUERY = 9


def log_probability(drawing, vectors, query):
    """Return log p of the token in float64, from vectors (n, C) that the model has embedded."""
    exact = copy.deepcopy(drawing.prior).double()
    logits = exact.predict(vectors[None].double())[0, -1]
    return float(logits.log_softmax(dim=0)[drawing.tokens[query]])


def vectors_and_what_was_expected(drawing, query):
    prior = drawing.prior
    tokens = torch.from_numpy(drawing.tokens[:query])
    vectors = torch.cat(
        (prior.class_embedding.weight[[drawing.label]], prior.token_embedding(tokens))
    )
    chances = torch.from_numpy(drawing.logits[:query]).double().softmax(dim=1)
    table = prior.token_embedding.weight.double()
    means = [sum(row[k] * table[k] for k in range(len(table))) for row in chances]
    return vectors.double(), torch.stack([prior.class_embedding.weight[-1].double(), *means])


@pytest.mark.parametrize("query", [1, QUERY, 15])
def test_ablation_puts_what_was_expected_in_the_place_of_what_came(drawing, query):
    found = drawing.reasons(query)
    vectors, expected = vectors_and_what_was_expected(drawing, query)
    whole = log_probability(drawing, vectors, query)
    for place in range(query + 1):
        changed = vectors.clone()
        changed[place] = expected[place]
        effect = whole - log_probability(drawing, changed, query)
        assert found.ablation[place] == pytest.approx(effect, abs=1e-4)


def test_the_gradient_is_the_first_step_of_the_ablation(drawing):
    found = drawing.reasons(QUERY)
    vectors, expected = vectors_and_what_was_expected(drawing, QUERY)
    whole, step = log_probability(drawing, vectors, QUERY), 1e-5
    for place in range(QUERY + 1):
        changed = vectors.clone()
        changed[place] += step * (expected[place] - vectors[place])
        effect = (whole - log_probability(drawing, changed, QUERY)) / step
        assert found.gradient[place] == pytest.approx(effect, rel=1e-3, abs=1e-3)


def test_without_the_class_it_is_what_guidance_compares_with(drawing):
    found = drawing.reasons(QUERY)
    token = drawing.tokens[QUERY]
    with_class, without = (
        torch.from_numpy(each[QUERY]).log_softmax(dim=0)[token]
        for each in (drawing.logits, drawing.unconditional_logits)
    )
    assert found.ablation[0] == pytest.approx(float(with_class - without), abs=1e-4)


def test_a_drawing_of_any_class_owes_nothing_to_its_class(drawer):
    found = drawer.generate(label=None, seed=1).reasons(QUERY)
    assert found.ablation[0] == pytest.approx(0, abs=1e-5)
    assert found.gradient[0] == pytest.approx(0, abs=1e-5)


def test_what_comes_later_says_nothing(drawing):
    for query in (0, 4):
        found = drawing.reasons(query)
        assert found.seen == query + 1
        for each in (found.gradient, found.ablation):
            assert each.shape == (17,)
            assert each.dtype == np.float32
            assert each[: query + 1].any()
            assert not each[query + 1 :].any()


def test_agreement_is_of_ranks():
    gradient = np.array([0.1, 0.2, 0.5, 0.0], np.float32)

    def agreement(ablation, seen=3):
        return Reasons(gradient=gradient, ablation=np.array(ablation), seen=seen).agreement

    assert agreement([1, 2, 300, 0]) == pytest.approx(1)
    assert agreement([3, 2, -1, 0]) == pytest.approx(-1)
    assert agreement([2, 1, 3, 99]) == pytest.approx(0.5)
    assert np.isnan(agreement([1, 2, 3, 0], seen=2))


def test_a_model_of_bfloat16_has_reasons_too(make_tiny):
    found = DrawerModel(make_tiny("image-gpt")).to(torch.bfloat16).generate(label=0).reasons(5)
    assert np.isfinite(found.gradient).all()
    assert found.ablation.dtype == np.float32


def test_more_tokens_than_fit_in_one_batch(drawing, monkeypatch):
    whole = drawing.reasons(15)
    monkeypatch.setattr("genimg.explore.reasons._BATCH", 3)
    np.testing.assert_allclose(drawing.reasons(15).ablation, whole.ablation, atol=1e-5)
