import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genimg.models.tokenizer import (
    FiniteScalarQuantizer,
    FsqTokenizer,
    FsqTokenizerConfig,
    clamp_inward,
    straight_through,
    vocabulary_use,
)

SMALL = {"size": 16, "widths": (8, 16, 24), "levels": (4, 3, 5)}
level_tuples = st.lists(st.integers(2, 9), min_size=1, max_size=4).map(tuple)


def small_tokenizer(**changes):
    torch.manual_seed(0)
    return FsqTokenizer(FsqTokenizerConfig(**(SMALL | changes)))


def images(count=3, channels=1, size=16):
    generator = torch.Generator().manual_seed(1)
    return torch.rand(count, channels, size, size, generator=generator) * 2 - 1


@settings(deadline=None, max_examples=30)
@given(level_tuples)
def test_every_token_round_trips(levels):
    quantizer = FiniteScalarQuantizer(levels)
    tokens = torch.arange(math.prod(levels)).view(1, -1, 1)  # (B, h, w)
    codes = quantizer.codes(tokens)
    assert codes.abs().max() <= 1
    # What the quantiser would have to be given to arrive at this very code.
    z = torch.atanh(codes.double() * (1 - 1e-6)).float()
    again, found = quantizer(z)
    assert torch.equal(found, tokens.flatten(1))
    torch.testing.assert_close(again, codes)


@settings(deadline=None, max_examples=30)
@given(level_tuples, st.floats(0.1, 1e6))
def test_codes_stay_in_range_whatever_comes_in(levels, spread):
    quantizer = FiniteScalarQuantizer(levels)
    z = torch.randn(2, len(levels), 3, 3, generator=torch.Generator().manual_seed(0)) * spread
    codes, tokens = quantizer(z)
    assert codes.abs().max() <= 1
    assert tokens.min() >= 0
    assert tokens.max() < math.prod(levels)
    torch.testing.assert_close(quantizer.codes(tokens.view(2, 3, 3)), codes)
    for part, count in enumerate(levels):
        assert len(codes[:, part].unique()) <= count


def test_rounding_is_to_the_nearest_level():
    quantizer = FiniteScalarQuantizer((5,))
    wished = torch.linspace(-0.99, 0.99, 199)
    codes, _ = quantizer(torch.atanh(wished).view(1, 1, 1, -1))
    levels = torch.linspace(-1, 1, 5)
    nearest = levels[(wished[:, None] - levels).abs().argmin(dim=1)]
    assert (codes.flatten() - nearest).abs().gt(1e-5).sum() <= 4  # ties, one at each border


def test_gradient_passes_straight_through_the_rounding():
    quantizer = FiniteScalarQuantizer((8, 5))
    z = torch.randn(2, 2, 3, 3, generator=torch.Generator().manual_seed(0)).requires_grad_()
    codes, _ = quantizer(z)
    (gradient,) = torch.autograd.grad(codes.sum(), z)
    torch.testing.assert_close(gradient, 1 - torch.tanh(z) ** 2)


def test_straight_through_is_exactly_the_value():
    value, path = torch.randn(2, 1000, generator=torch.Generator().manual_seed(0)) * 100
    path.requires_grad_()
    result = straight_through(value, path)
    assert torch.equal(result, value)
    assert torch.equal(torch.autograd.grad(result.sum(), path)[0], torch.ones(1000))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [28, 32, 64])
def test_shapes_types_and_ranges(channels, size):
    tokenizer = small_tokenizer(channels=channels, size=size)
    side = size // 4
    assert tokenizer.grid == (side, side)
    assert tokenizer.num_tokens == side * side
    assert tokenizer.vocabulary_size == 60
    picture = images(2, channels, size)
    tokens = tokenizer.encode(picture)
    assert tokens.shape == (2, side * side)
    assert tokens.dtype == torch.int64
    decoded = tokenizer.decode(tokens)
    assert decoded.shape == picture.shape
    assert decoded.dtype == torch.float32
    assert decoded.abs().max() <= 1


def test_forward_is_encode_then_decode():
    tokenizer = small_tokenizer()
    reconstruction, tokens = tokenizer(images())
    assert torch.equal(tokens, tokenizer.encode(images()))
    torch.testing.assert_close(reconstruction, tokenizer.decode(tokens))


def test_tokens_are_in_raster_order():
    """Changing a corner of the image changes tokens near that corner only."""
    tokenizer = small_tokenizer(size=64, widths=(8, 8, 8))
    # Group normalisation looks at the whole image; what is tested here is the order.
    for name, module in list(tokenizer.encoder.named_modules()):
        if isinstance(module, torch.nn.GroupNorm):
            parent, _, leaf = name.rpartition(".")
            setattr(tokenizer.encoder.get_submodule(parent), leaf, torch.nn.Identity())
    for parameter in tokenizer.encoder.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    picture = images(4, size=64)
    changed = picture.clone()
    changed[:, :, :4, -4:] *= -1
    moved = (tokenizer.encode(picture) != tokenizer.encode(changed)).any(dim=0).view(16, 16)
    assert moved.any()
    assert not moved[6:].any()
    assert not moved[:, :10].any()


def test_every_parameter_gets_a_gradient_through_the_quantiser():
    tokenizer = small_tokenizer()
    for _ in range(2):  # residual branches start at zero and open after the first step
        tokenizer.zero_grad()
        (tokenizer(images())[0] - images()).square().mean().backward()
        with torch.no_grad():
            for parameter in tokenizer.parameters():
                parameter -= 0.1 * parameter.grad
    for name, parameter in tokenizer.named_parameters():
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name


def test_learns_to_reconstruct():
    tokenizer = small_tokenizer()
    # Smooth pictures: an 8-pixel wave of random phase, which 16 tokens can hold.
    phase = torch.linspace(0, 6, 16)[:, None]
    wave = torch.sin(torch.arange(16) * math.pi / 4 + phase)  # (16, 16)
    pictures = wave[:, None, None, :].expand(16, 1, 16, 16).contiguous()
    optimizer = torch.optim.Adam(tokenizer.parameters(), 1e-2)
    losses = []
    for _ in range(40):
        loss = (tokenizer(pictures)[0] - pictures).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.2 * losses[0]
    assert len(tokenizer.encode(pictures).unique()) > 4


def test_bfloat16_autocast_gives_float_images_and_finite_gradients():
    tokenizer = small_tokenizer().to(memory_format=torch.channels_last)
    picture = images().to(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        reconstruction, _ = tokenizer(picture)
    assert reconstruction.dtype == torch.float32
    (reconstruction - picture).square().mean().backward()
    assert all(p.grad.isfinite().all() for p in tokenizer.parameters())


def test_default_size():
    tokenizer = FsqTokenizer(FsqTokenizerConfig())
    assert 5e5 < sum(p.numel() for p in tokenizer.parameters()) < 8e5
    assert (tokenizer.vocabulary_size, tokenizer.num_tokens) == (1000, 64)


def test_can_be_built_without_data_and_filled_later():
    tokenizer = small_tokenizer()
    with torch.device("meta"):
        empty = FsqTokenizer(tokenizer.config)
    assert not dict(empty.named_buffers())
    filled = empty.to_empty(device="cpu")
    filled.load_state_dict(tokenizer.state_dict(), strict=True, assign=True)
    assert torch.equal(filled(images())[0], tokenizer(images())[0])


def test_wrong_inputs_are_refused():
    tokenizer = small_tokenizer()
    with pytest.raises(ValueError, match="images must be"):
        tokenizer.encode(images(channels=3))
    with pytest.raises(ValueError, match="images must be"):
        tokenizer(images(size=32))
    with pytest.raises(ValueError, match="tokens must be"):
        tokenizer.decode(torch.zeros(1, 15, dtype=torch.long))
    for wrong in (-1, 60):
        with pytest.raises(ValueError, match="from 0 to 59"):
            tokenizer.decode(torch.full((1, 16), wrong))


@pytest.mark.parametrize(("widths", "patch"), [(2, 2), (3, 4), (4, 8), (5, 16)])
def test_each_width_more_halves_the_token_grid(widths, patch):
    tokenizer = small_tokenizer(size=32, widths=(8,) * widths)
    assert tokenizer.config.patch_size == patch
    assert tokenizer.grid == (32 // patch, 32 // patch)
    reconstruction, tokens = tokenizer(images(size=32))
    assert tokens.shape[1] == tokenizer.num_tokens == (32 // patch) ** 2
    assert reconstruction.shape == images(size=32).shape


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"size": 30}, "multiple of 4"),
        ({"widths": (8,)}, "two to five multiples of 8"),
        ({"widths": (8,) * 6}, "two to five multiples of 8"),
        ({"widths": (8, 16, 20)}, "two to five multiples of 8"),
        ({"size": 28, "widths": (8,) * 4}, "multiple of 8, as 4 widths halve the picture 3 times"),
        ({"levels": (256, 256, 2)}, "at most 65536"),
        ({"levels": (1,)}, "levels must be from 2"),
    ],
)
def test_configurations_that_do_not_fit_are_refused(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        FsqTokenizerConfig(**(SMALL | changes))


def test_the_clamp_lets_values_come_back_and_never_pushes_them_out():
    x = torch.tensor([-3.0, -3.0, 0.5, 3.0, 3.0], requires_grad=True)
    clamped = clamp_inward(x)
    torch.testing.assert_close(clamped, torch.tensor([-1, -1, 0.5, 1, 1]))
    clamped.backward(torch.tensor([1.0, -1.0, 2.0, 1.0, -1.0]))
    # Steps go against the gradient: the first would lower -3, the last would raise 3.
    torch.testing.assert_close(x.grad, torch.tensor([0.0, -1.0, 2.0, 1.0, 0.0]))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=50))
def test_usage_counts_and_perplexity_is_between_one_and_used(tokens):
    usage = vocabulary_use(torch.tensor(tokens), 10)
    assert usage.used == len(set(tokens))
    assert 1 - 1e-9 <= usage.perplexity <= usage.used + 1e-9


def test_usage_of_known_frequencies():
    assert vocabulary_use(torch.arange(8).repeat(5), 8).perplexity == pytest.approx(8)
    assert vocabulary_use(torch.zeros(2, 3, dtype=torch.long), 8).perplexity == pytest.approx(1)
    half = vocabulary_use(torch.tensor([0, 0, 1, 2]), 8)
    assert half.perplexity == pytest.approx(2 * math.sqrt(2))
    for wrong in (torch.tensor([], dtype=torch.long), torch.tensor([8]), torch.tensor([-1])):
        with pytest.raises(ValueError, match="at least one token"):
            vocabulary_use(wrong, 8)
