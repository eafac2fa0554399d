import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from genimg.models.attention import Capture, KeyValueCache
from genimg.models.image_gpt import ImageGpt, ImageGptConfig
from genimg.models.transformer import NORMS, initialise

SMALL = {
    "vocabulary_size": 20,
    "rows": 3,
    "columns": 4,
    "classes": 5,
    "width": 32,
    "layers": 2,
    "heads": 4,
}
POSITIONS = ("rope", "learned", "sinusoidal", "none")
every_position = pytest.mark.parametrize("position", POSITIONS)


def small_gpt(**changes):
    """A float64 model with a head that is not zero, so that equal logits mean something."""
    torch.manual_seed(0)
    gpt = ImageGpt(ImageGptConfig(**(SMALL | changes))).double().eval()
    # Weights this large make every token matter to every later one.
    for parameter in gpt.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.3)
    return gpt


def batch(count=2, length=11):
    generator = torch.Generator().manual_seed(1)
    tokens = torch.randint(20, (count, length), generator=generator)
    return tokens, torch.randint(5, (count,), generator=generator)


CHOICES = (
    [{"norm": norm} for norm in NORMS]
    + [{"position": position} for position in POSITIONS]
    + [{"residual": False}, {"scale_by_sqrt": False}, {"qk_norm": False}, {"window": 3}]
    + [{"attention": "recurrent", "segment": 4, "memory": 3}]
)


@pytest.mark.parametrize("changes", CHOICES, ids=str)
def test_every_choice_trains(changes):
    torch.manual_seed(0)
    gpt = ImageGpt(ImageGptConfig(**(SMALL | changes)))
    tokens, labels = batch(4, 12)
    optimizer = torch.optim.SGD(gpt.parameters(), lr=0.1)
    for _ in range(2):  # the head starts at zero, so the trunk gets its first gradient second
        logits = gpt(tokens[:, :-1], labels)
        assert logits.shape == (4, 12, 20)
        loss = F.cross_entropy(logits.flatten(0, 1), tokens.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.isfinite()
    assert loss < math.log(20)
    for name, parameter in gpt.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name


def test_without_residual_and_norm_the_gradient_vanishes_but_nothing_breaks():
    """What the two connections are for: the class embedding of a bare stack learns nothing."""
    size = {}
    for norm, residual in (("pre-rms", True), ("none", False)):
        gpt = small_gpt(norm=norm, residual=residual, qk_norm=False, layers=6)
        initialise(gpt, 6)
        tokens, labels = batch()
        F.cross_entropy(gpt(tokens, labels).flatten(0, 1), torch.zeros(24).long()).backward()
        assert all(p.grad.isfinite().all() for p in gpt.parameters())
        size[norm] = gpt.class_embedding.weight.grad.norm()
    assert size["none"] < 1e-6 * size["pre-rms"]


@every_position
def test_a_token_changes_only_what_comes_after_it(position):
    gpt = small_gpt(position=position)
    tokens, labels = batch()
    before = gpt(tokens, labels)
    for place in range(11):
        changed = tokens.clone()
        changed[:, place] = (changed[:, place] + 1) % 20
        differs = (gpt(changed, labels) - before).abs().amax(dim=(0, 2)) > 1e-9
        assert differs.tolist() == [False] * (place + 1) + [True] * (11 - place)
    assert ((gpt(tokens, (labels + 1) % 6) - before).abs().amax(dim=2) > 1e-9).all()


@every_position
def test_order_counts_exactly_when_there_are_positions(position):
    """Past tokens may be shuffled unseen by one layer that knows no positions."""
    gpt = small_gpt(position=position, layers=1)
    tokens, labels = batch()
    shuffled = tokens.clone()
    shuffled[:, :10] = tokens[:, :10].flip(1)
    same = torch.allclose(gpt(tokens, labels)[:, -1], gpt(shuffled, labels)[:, -1], atol=1e-9)
    assert same == (position == "none")


@every_position
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"window": 2},
        {"norm": "post-layer"},
        {"attention": "recurrent", "segment": 3, "memory": 2},
    ],
    ids=str,
)
def test_cached_logits_equal_uncached_at_every_step(position, changes):
    gpt = small_gpt(position=position, **changes)
    tokens, labels = batch()
    expected = gpt(tokens, labels)
    cache = KeyValueCache(gpt.num_tokens)
    steps = [gpt(tokens[:, :0], labels, cache=cache)]
    steps += [gpt(tokens[:, t : t + 1], labels, cache=cache) for t in range(11)]
    torch.testing.assert_close(torch.cat(steps, dim=1), expected, rtol=1e-9, atol=1e-9)

    cache = KeyValueCache(gpt.num_tokens)  # a given beginning, then several at once
    parts = [gpt(part, labels, cache=cache) for part in tokens.split((4, 1, 6), dim=1)]
    torch.testing.assert_close(torch.cat(parts, dim=1), expected, rtol=1e-9, atol=1e-9)


def test_capture_does_not_change_a_bit_and_knows_the_layout():
    gpt = small_gpt().float()
    tokens, labels = batch()
    capture = Capture(keep_values=True)
    assert torch.equal(gpt(tokens, labels), gpt(tokens, labels, capture=capture))
    assert (capture.layout.rows, capture.layout.columns) == (3, 4)
    assert capture.layout.first_patch == 1
    for layer in range(2):
        weights = capture.weights(layer)
        assert weights.shape == (2, 4, 12, 12)
        torch.testing.assert_close(weights.sum(dim=-1), torch.ones(2, 4, 12))
        assert not weights.triu(1).any()


@pytest.mark.parametrize("window", [0, 2])
def test_capture_while_drawing_equals_one_pass_over_the_drawing(window):
    gpt = small_gpt(window=window)
    tokens, labels = batch()
    drawing, whole = Capture(), Capture()
    cache = KeyValueCache(gpt.num_tokens)
    gpt(tokens[:, :0], labels, cache=cache, capture=drawing)
    for t in range(11):
        gpt(tokens[:, t : t + 1], labels, cache=cache, capture=drawing)
    gpt(tokens, labels, capture=whole)
    for layer in range(2):
        torch.testing.assert_close(drawing.weights(layer), whole.weights(layer))


def test_capture_may_begin_in_the_middle_of_a_drawing():
    gpt = small_gpt()
    tokens, labels = batch()
    late, whole = Capture(), Capture()
    cache = KeyValueCache(gpt.num_tokens)
    gpt(tokens[:, :4], labels, cache=cache)
    for t in range(4, 8):
        gpt(tokens[:, t : t + 1], labels, cache=cache, capture=late)
    gpt(tokens[:, :8], labels, capture=whole)
    torch.testing.assert_close(late.weights(1), whole.weights(1)[:, :, 5:])


def test_window_sees_the_class_and_the_last_tokens_only():
    gpt = small_gpt(window=2)
    tokens, labels = batch()
    capture = Capture()
    gpt(tokens, labels, capture=capture)
    seen = (capture.weights(0)[0, 0] > 0).int()
    for place in range(12):
        expected = {0} | set(range(max(place - 2, 0), place + 1))
        assert set(seen[place].nonzero().flatten().tolist()) == expected


LONG = {"rows": 17, "columns": 18, "layers": 3}  # more tokens than get a mask
ATTENTIONS = (
    {"attention": "full"},
    {"attention": "window", "window": 20},
    {"attention": "recurrent", "segment": 16, "memory": 24},
)
each_attention = pytest.mark.parametrize("changes", ATTENTIONS, ids=lambda c: c["attention"])


def masked(gpt, monkeypatch):
    """Make a long model compute like a short one: over all pairs, with a mask."""
    monkeypatch.setattr(gpt, "_pattern", lambda past, end: None)
    return gpt


@each_attention
def test_long_sequences_equal_the_dense_masked_ones(changes, monkeypatch):
    gpt = small_gpt(**LONG, **changes)
    tokens, labels = batch(2, 305)
    fast = gpt(tokens, labels)
    dense = masked(gpt, monkeypatch)(tokens, labels)
    torch.testing.assert_close(fast, dense, rtol=1e-9, atol=1e-9)


@each_attention
def test_long_sequences_are_drawn_as_they_are_read(changes):
    gpt = small_gpt(**LONG, **changes)
    tokens, labels = batch(1, 305)
    expected = gpt(tokens, labels)
    cache = KeyValueCache(gpt.num_tokens)
    steps = [gpt(tokens[:, :0], labels, cache=cache)]
    steps += [gpt(tokens[:, t : t + 1], labels, cache=cache) for t in range(305)]
    torch.testing.assert_close(torch.cat(steps, dim=1), expected, rtol=1e-9, atol=1e-9)

    cache = KeyValueCache(gpt.num_tokens)
    parts = [gpt(part, labels, cache=cache) for part in tokens.split((100, 1, 204), dim=1)]
    torch.testing.assert_close(torch.cat(parts, dim=1), expected, rtol=1e-9, atol=1e-9)


@each_attention
def test_looking_at_a_long_sequence_does_not_change_it(changes):
    gpt = small_gpt(**LONG, **changes).float()
    tokens, labels = batch(1, 305)
    capture = Capture()
    assert torch.equal(gpt(tokens, labels), gpt(tokens, labels, capture=capture))
    weights = capture.weights(1)[0]
    torch.testing.assert_close(weights.sum(dim=-1), torch.ones(4, 306))
    assert torch.equal(weights[0] > 0, gpt.visible())


def test_a_window_or_a_memory_over_everything_is_full_attention():
    tokens, labels = batch(1, 305)
    expected = small_gpt(**LONG)(tokens, labels)
    for changes in (
        {"attention": "window", "window": 306},
        {"attention": "recurrent", "segment": 40, "memory": 306},
    ):
        found = small_gpt(**LONG, **changes)(tokens, labels)
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)


def test_what_a_memory_holds_reaches_further_with_each_layer():
    """A token hears of one memory more with each layer; of the class it hears at once."""
    for layers in (1, 2):
        gpt = small_gpt(layers=layers, attention="recurrent", segment=2, memory=2, position="none")
        tokens, labels = batch(1)
        before = gpt(tokens, labels)
        changed = tokens.clone()
        changed[:, 0] = (changed[:, 0] + 1) % 20  # position 1, the first of the first segment
        differs = (gpt(changed, labels) - before).abs().amax(dim=(0, 2)) > 1e-9
        assert differs.nonzero().flatten().tolist() == list(range(1, 3 + 2 * layers))
        other = gpt(tokens, (labels + 1) % 5)
        assert ((other - before).abs().amax(dim=2) > 1e-9).all()


def test_viewer_can_read_the_scale_from_the_capture():
    for scale_by_sqrt, scale in ((True, 8**-0.5), (False, 1.0)):
        gpt = small_gpt(scale_by_sqrt=scale_by_sqrt)
        capture = Capture()
        gpt(*batch(), capture=capture)
        assert capture.layer(1).scale == pytest.approx(scale)


def test_class_token_is_not_rotated_away():
    """A class key of zeros would score 0 against every query, whatever the class."""
    gpt = small_gpt()
    capture = Capture()
    gpt(*batch(), capture=capture)
    record = capture.layer(0)
    assert (record.keys[:, :, 0].norm(dim=-1) > 0.1).all()
    scores = record.queries @ record.keys[:, :, :1].transpose(-2, -1)
    assert float(scores.detach().std()) > 0.1


def test_starts_at_the_uniform_distribution_with_three_million_parameters():
    gpt = ImageGpt(ImageGptConfig()).eval()
    assert 2.0e6 < sum(p.numel() for p in gpt.parameters()) < 3.5e6
    tokens = torch.zeros(1, 63, dtype=torch.long)
    logits = gpt(tokens, torch.tensor([gpt.unconditional]))
    assert logits.shape == (1, 64, 1000)
    assert not logits.any()


@every_position
def test_can_be_built_without_data_and_filled_later(position):
    gpt = small_gpt(position=position)
    with torch.device("meta"):
        empty = ImageGpt(gpt.config)
    assert not dict(empty.named_buffers())
    filled = empty.to_empty(device="cpu").double().eval()
    filled.load_state_dict(gpt.state_dict(), strict=True, assign=True)
    assert torch.equal(filled(*batch()), gpt(*batch()))


def test_wrong_inputs_are_refused():
    gpt = small_gpt()
    tokens, labels = batch(2, 12)
    with pytest.raises(ValueError, match="leave out the last"):
        gpt(tokens, labels)
    with pytest.raises(ValueError, match="labels"):
        gpt(tokens[:, :3], labels[:1])
    with pytest.raises(ValueError, match="batch, tokens"):
        gpt(tokens[0], labels)
    cache = KeyValueCache(12)
    gpt(tokens[:, :11], labels, cache=cache)
    with pytest.raises(ValueError, match="too many"):
        gpt(tokens[:, 11:], labels, cache=cache)
    with pytest.raises(ValueError, match="at least one token"):
        gpt(tokens[:, :0], labels, cache=cache)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"width": 30}, "multiple of heads"),
        ({"width": 24}, "multiple of 4"),
        ({"norm": "batch"}, "norm must be one of"),
        ({"position": "rotary"}, "position must be one of"),
        ({"width": 9, "heads": 3, "position": "none"}, "even"),
    ],
)
def test_configurations_that_do_not_fit_are_refused(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        ImageGptConfig(**(SMALL | changes))


@pytest.mark.parametrize("attention", ["full", "window", "recurrent"])
def test_one_field_chooses_the_attention(attention):
    for before in ("full", "window", "recurrent"):
        config = replace(ImageGptConfig(**SMALL, attention=before), attention=attention)
        with torch.device("meta"):
            pattern = ImageGpt(config).pattern
        assert config.attention == attention
        assert (pattern.sliding, pattern.recurrent) == (
            attention == "window",
            attention == "recurrent",
        )


def test_configuration_survives_the_round_trip():
    config = ImageGptConfig(**SMALL, norm="post-layer", residual=False)
    assert ImageGptConfig.from_dict(config.to_dict()) == config


@every_position
def test_forward_predicts_from_what_is_embedded(position):
    gpt, (tokens, labels) = small_gpt(position=position), batch()
    vectors = gpt.embed(tokens, labels)
    assert vectors.shape == (2, 12, 32)
    assert torch.equal(gpt.predict(vectors), gpt(tokens, labels))
    swapped = vectors[:, [0, 2, 1, *range(3, 12)]]  # where each is comes from `predict` alone
    assert torch.equal(swapped, gpt.embed(tokens[:, [1, 0, *range(2, 11)]], labels))
