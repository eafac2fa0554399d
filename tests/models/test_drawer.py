import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genimg.models.drawer import (
    Drawer,
    DrawerConfig,
    MaskedDrawer,
    MaskedDrawerConfig,
    PixelDrawerConfig,
)
from genimg.models.image_gpt import ImageGptConfig
from genimg.models.tokenizer import FsqTokenizerConfig

SMALL = {"widths": (8, 8, 8), "levels": (4, 3), "width": 16, "layers": 1, "heads": 2}


def test_the_defaults_are_those_of_the_parts():
    config = DrawerConfig()
    assert config.tokenizer_config() == FsqTokenizerConfig()
    assert config.prior_config() == ImageGptConfig()


@settings(max_examples=10)
@given(
    size=st.sampled_from((8, 16, 28, 32)),
    levels=st.lists(st.integers(2, 6), min_size=1, max_size=4),
    classes=st.integers(1, 20),
    position=st.sampled_from(("rope", "learned", "sinusoidal", "none")),
)
def test_the_prior_speaks_the_language_of_the_tokenizer(size, levels, classes, position):
    fields = SMALL | {"size": size, "levels": tuple(levels), "position": position}
    config = DrawerConfig(**fields, classes=classes)
    assert DrawerConfig.from_dict(config.to_dict()) == config
    with torch.device("meta"):
        model = Drawer(config)
    assert model.prior.num_tokens == model.tokenizer.num_tokens
    assert model.prior.config.vocabulary_size == model.tokenizer.vocabulary_size
    assert model.tokenizer.vocabulary_size == math.prod(levels)
    assert (model.prior.config.rows, model.prior.config.columns) == model.tokenizer.grid
    assert model.prior.unconditional == classes


def test_a_configuration_written_before_its_fields_had_their_places_is_read():
    written = {  # by the first version that drew, field by field
        "size": 28,
        "channels": 1,
        "widths": [32, 64, 96],
        "levels": [8, 5, 5, 5],
        "classes": 10,
        "width": 96,
        "layers": 3,
        "heads": 4,
        "dropout": 0.0,
        "norm": "post-layer",
        "position": "sinusoidal",
        "window": 9,
        "residual": False,
        "qk_norm": False,
        "scale_by_sqrt": False,
    }
    config = DrawerConfig.from_dict(written)
    since = {"attention": "window", "segment": 112, "memory": 112}  # a window was a sliding one
    assert config.to_dict() == written | since
    prior = config.prior_config().to_dict()
    assert prior.pop("vocabulary_size") == 1000
    assert (prior.pop("rows"), prior.pop("columns")) == (7, 7)
    assert prior == {name: (written | since)[name] for name in prior}
    assert len(prior) == 14


def test_every_choice_reaches_the_part_it_is_for():
    changes = {
        "window": 5,
        "norm": "none",
        "residual": False,
        "qk_norm": False,
        "scale_by_sqrt": False,
        "dropout": 0.3,
    }
    config = DrawerConfig(**SMALL, **changes, channels=3)
    prior, tokenizer = config.prior_config(), config.tokenizer_config()
    assert {name: getattr(prior, name) for name in changes} == changes
    assert (tokenizer.channels, tokenizer.widths, tokenizer.levels) == (3, (8, 8, 8), (4, 3))


def test_an_image_goes_through_both_parts_and_back():
    torch.manual_seed(0)
    model = Drawer(DrawerConfig(**SMALL, size=16, channels=3))
    images = torch.rand(2, 3, 16, 16) * 2 - 1
    tokens = model.tokenizer.encode(images)
    logits = model.prior(tokens[:, :-1], torch.tensor([0, 10]))
    assert logits.shape == (2, 16, 12)
    assert model.tokenizer.decode(logits.argmax(dim=-1)).shape == images.shape


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"size": 30}, "multiple of 4, as 3 widths halve the picture 2 times, not 30"),
        ({"heads": 5}, r"width \(16\) must be a multiple of heads \(5\)"),
        ({"levels": (256, 256, 2)}, "131072 codes"),
        ({"classes": 0}, "classes must be from 1"),
        ({"position": "absolute"}, "position must be one of"),
    ],
)
def test_what_does_not_fit_is_refused(fields, sentence):
    with pytest.raises(ValueError, match=sentence):
        DrawerConfig(**SMALL | fields)


@pytest.mark.parametrize("attention", ["full", "window", "recurrent"])
def test_pixels_are_tokens_too(attention):
    torch.manual_seed(0)
    fields = {"width": 16, "layers": 1, "heads": 2, "attention": attention}
    config = PixelDrawerConfig(**fields, size=28, greys=16, classes=3)
    assert config.attention == attention
    assert PixelDrawerConfig.from_dict(config.to_dict()) == config
    model = Drawer(config)
    prior = model.prior
    assert (prior.config.rows, prior.config.columns, prior.config.vocabulary_size) == (28, 28, 16)
    assert prior.num_tokens == model.tokenizer.num_tokens == 784
    assert not list(model.tokenizer.parameters())
    images = torch.rand(2, 1, 28, 28) * 2 - 1
    tokens = model.tokenizer.encode(images)
    assert model.prior(tokens[:, :-1], torch.tensor([0, 3])).shape == (2, 784, 16)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"channels": 3}, "channels must be one of 1, not 3"),
        ({"greys": 1}, "greys must be from 2 to 256, not 1"),
        ({"attention": "sparse"}, "attention must be one of full, window, recurrent"),
        ({"heads": 5}, r"width \(192\) must be a multiple of heads \(5\)"),
    ],
)
def test_what_does_not_fit_pixels_is_refused(fields, sentence):
    with pytest.raises(ValueError, match=sentence):
        PixelDrawerConfig(**fields)


def test_a_masked_drawer_speaks_the_language_of_the_tokenizer_too():
    config = MaskedDrawerConfig(**SMALL | {"size": 28, "levels": (5, 3)}, classes=4)
    assert MaskedDrawerConfig.from_dict(config.to_dict()) == config
    with torch.device("meta"):
        model = MaskedDrawer(config)
    assert model.prior.num_tokens == model.tokenizer.num_tokens == 49
    assert model.prior.config.vocabulary_size == model.tokenizer.vocabulary_size == 15
    assert model.prior.unconditional == 4
