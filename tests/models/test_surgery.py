import pytest
import torch

from genimg.models.attention import Capture, KeyValueCache
from genimg.models.image_gpt import ImageGpt, ImageGptConfig
from genimg.models.surgery import Surgery
from genimg.models.transformer import NORMS

SMALL = {"classes": 3, "vocabulary_size": 9, "rows": 2, "columns": 3, "width": 16, "layers": 2}
LABELS = torch.tensor([0, 2])
NEAR = {"rtol": 1e-4, "atol": 1e-5}  # maps are captured in float32
EVERY_HEAD = [(layer, head) for layer in range(2) for head in range(2)]


@pytest.fixture
def gpt(alive):
    return make(alive)


def make(alive, **fields):
    return alive(ImageGpt(ImageGptConfig(**SMALL | fields, heads=2)), 0.3).double()


@pytest.fixture
def tokens():
    return torch.randint(9, (2, 5))


def evenly(gpt):
    visible = gpt.visible().double()
    return visible / visible.sum(dim=1, keepdim=True)


@pytest.mark.parametrize("norm", NORMS)
def test_without_any_part_the_embedding_stream_is_left(alive, tokens, norm):
    gpt = make(alive, norm=norm)
    nothing = Surgery(
        maps={place: torch.zeros(6, 6) for place in EVERY_HEAD}, feed_forwards_off=frozenset({0, 1})
    )
    stream = torch.cat((gpt.class_embedding(LABELS)[:, None], gpt.token_embedding(tokens)), dim=1)
    for block in gpt.transformer.blocks if norm == "post-layer" else []:
        stream = block.feed_forward_norm(block.attention_norm(stream))
    expected = gpt.head(gpt.transformer.last_norm(stream))
    torch.testing.assert_close(gpt(tokens, LABELS, surgery=nothing), expected)


@pytest.mark.parametrize("window", [0, 2])
def test_a_map_of_ones_own_changes_nothing(alive, tokens, materialised_maps, window):
    gpt = make(alive, window=window)
    maps = materialised_maps(gpt, tokens[:1])
    whole = gpt(tokens[:1], LABELS[:1])
    own = Surgery(maps={(layer, head): maps[layer][head] for layer, head in EVERY_HEAD})
    torch.testing.assert_close(gpt(tokens[:1], LABELS[:1], surgery=own), whole, **NEAR)
    borrowed = Surgery(borrowed={(layer, head): head for layer, head in EVERY_HEAD})
    torch.testing.assert_close(gpt(tokens[:1], LABELS[:1], surgery=borrowed), whole, **NEAR)


def test_a_borrowed_map_is_the_other_heads(gpt, tokens, materialised_maps):
    maps = materialised_maps(gpt, tokens[:1])
    given = Surgery(maps={(0, 0): maps[0][1]})
    expected = gpt(tokens[:1], LABELS[:1], surgery=given)
    borrowed = Surgery(borrowed={(0, 0): 1})
    torch.testing.assert_close(gpt(tokens[:1], LABELS[:1], surgery=borrowed), expected, **NEAR)
    assert not torch.allclose(expected, gpt(tokens[:1], LABELS[:1]))


@pytest.mark.parametrize("window", [0, 2])
def test_with_a_cache_it_is_the_same(alive, tokens, window):
    gpt = make(alive, window=window)
    surgery = Surgery(
        maps={(0, 1): evenly(gpt), (1, 0): torch.zeros(6, 6)},
        borrowed={(1, 1): 0},
        feed_forwards_off=frozenset({0}),
    )
    expected = gpt(tokens, LABELS, surgery=surgery)
    cache = KeyValueCache(6)
    rows = [gpt(tokens[:, :2], LABELS, cache=cache, surgery=surgery)]
    for place in range(2, 5):
        one = tokens[:, place : place + 1]
        rows.append(gpt(one, LABELS, cache=cache, surgery=surgery))
    torch.testing.assert_close(torch.cat(rows, dim=1), expected)


def test_it_sees_no_more_of_what_is_to_come(gpt, tokens):
    surgery = Surgery(maps={place: evenly(gpt) for place in EVERY_HEAD})
    changed = tokens.clone()
    changed[:, 3:] = (changed[:, 3:] + 1) % 9
    before, after = (gpt(each, LABELS, surgery=surgery) for each in (tokens, changed))
    torch.testing.assert_close(before[:, :4], after[:, :4])
    assert not torch.allclose(before[:, 4:], after[:, 4:])


@pytest.fixture
def materialised_maps():
    def maps(gpt, tokens):
        capture = Capture()
        gpt(tokens, LABELS[: len(tokens)], capture=capture)
        return [capture.weights(layer)[0].double() for layer in range(2)]

    return maps
