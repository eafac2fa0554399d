"""Directions with names: they move what they are called after, and little else."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from genimg import checkpoints, load
from genimg.explore.named_directions import fit_directions, name_directions
from genimg.metrics.appearance import appearance
from genimg.render import encode

BLACK = np.zeros((1, 32, 32, 1), np.uint8)


def halves(pictures: np.ndarray) -> dict[str, np.ndarray]:
    """Measure how bright the upper and the lower half of each picture are."""
    middle = pictures.shape[1] // 2
    return {
        "upper": pictures[:, :middle].mean(axis=(1, 2, 3)),
        "lower": pictures[:, middle:].mean(axis=(1, 2, 3)),
    }


@pytest.fixture(scope="module")
def found(style):
    return fit_directions(style, halves, images=600)


def test_a_direction_moves_what_it_is_called_after(style, found):
    assert {direction.name for direction in found} <= {"upper", "lower"}
    assert found
    for direction in found:
        assert next(iter(direction.effects)) == direction.name
        assert direction.effects[direction.name] == pytest.approx(1, abs=0.5)
        assert direction.vector.dtype == np.float32
        assert direction.vector.shape == (style.config.style_dimensions,)


def test_the_effects_are_those_of_the_pictures(style, found):
    """The measured property of fresh pictures follows by as much as was said."""
    direction = found[0]
    z = torch.randn(100, style.config.latent_dimensions, generator=torch.Generator().manual_seed(9))
    labels = torch.arange(100) % len(style.classes)
    with torch.inference_mode():
        here = style.generator.map(z, labels)
        still = [style.generator.synthesise(here + a * torch.from_numpy(direction.vector))
                 for a in (-1, 0, 1)]  # fmt: skip
    pictures = [((x + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy() for x in still]
    less, middle, more = (halves(each)[direction.name] for each in pictures)
    within = np.concatenate([middle[labels == k] - middle[labels == k].mean() for k in range(3)])
    assert less.mean() < middle.mean() < more.mean()
    moved = (more - less).mean() / 2 / within.std()
    assert moved == pytest.approx(direction.effects[direction.name], rel=0.35)


def test_the_same_seed_finds_the_same(style, found):
    again = fit_directions(style, halves, images=600)
    assert [direction.name for direction in again] == [direction.name for direction in found]
    assert np.array_equal(again[0].vector, found[0].vector)


def test_what_has_no_mapped_space_is_refused(plain):
    with pytest.raises(ValueError, match="no mapping network"):
        fit_directions(plain, halves)


@pytest.mark.parametrize("bad", [{"count": 0}, {"images": 10}, {"seed": -1}])
def test_arguments_are_checked(style, bad):
    [name] = bad
    with pytest.raises(ValueError, match=name):
        fit_directions(style, halves, **bad)


@pytest.fixture
def named(style, found, tmp_path):
    """A checkpoint with two named directions."""
    folder = checkpoints.write(
        tmp_path / "named", kind="stylegan", model=_Whole(style), card={"classes": style.classes[:]}
        | {"classes": list(style.classes)}, preview=encode(np.zeros((2, 2, 1), np.uint8), "png"),
    )  # fmt: skip
    vectors = torch.stack([torch.ones(style.config.style_dimensions)] * 2)
    vectors[1] *= -0.5
    effects = {"glasses": 1.0, "beard": 0.4}
    checkpoints.write_directions(
        folder, vectors, [{"name": name, "effects": effects} for name in effects]
    )
    return folder


class _Whole(torch.nn.Module):
    """The network of a `GanModel` in one piece again."""

    def __init__(self, model):
        super().__init__()
        self.config = model.config
        self.generator, self.discriminator = model.generator, model.discriminator


def test_names_and_numbers_mean_the_same(named):
    model = load(named)
    assert list(model.named_directions) == ["glasses", "beard"]
    assert np.array_equal(model.directions(count=2)[0], np.ones(model.config.style_dimensions))
    assert len(model.directions()) == 10  # principal ones follow
    by_name = model.picture(seed=3, directions={"beard": 2.0})
    assert np.array_equal(by_name, model.picture(seed=3, directions=[0, 2]))
    assert not np.array_equal(by_name, model.picture(seed=3))
    walk = model.interpolate([1, 2], steps=2, directions={"beard": 2.0})
    assert np.array_equal(walk, model.interpolate([1, 2], steps=2, directions=[0, 2]))
    with pytest.raises(ValueError, match="its directions are glasses, beard"):
        model.picture(directions={"hat": 1.0})


def test_the_card_tells_them(named):
    text = (named / "README.md").read_text()
    assert "| glasses | glasses +1.00, beard +0.40 |" in text


def test_a_new_model_in_the_same_folder_has_none(named, style):
    preview = encode(np.zeros((2, 2, 1), np.uint8), "png")
    card = {"classes": list(style.classes)}
    checkpoints.write(named, kind="stylegan", model=_Whole(style), card=card, preview=preview)
    assert not load(named).named_directions
    assert not (named / "directions.safetensors").exists()


@pytest.mark.parametrize(
    "vectors",
    [torch.ones(2, 3), torch.ones(1, 128), torch.ones(2, 128).half(), torch.ones(2, 128) / 0],
    ids=["narrow", "few", "half", "infinite"],
)  # fmt: skip
def test_vectors_of_a_stranger_are_refused(named, style, vectors):
    if vectors.shape[1] == 128:
        vectors = vectors[:, :1].expand(-1, style.config.style_dimensions).contiguous()
    save_file({"directions": vectors}, named / "directions.safetensors")
    with pytest.raises(checkpoints.CheckpointError, match=r"directions\.safetensors"):
        load(named)


@pytest.mark.parametrize(
    "entries",
    [3, ["a"], [{"name": "a"}], [{"name": "a", "effects": {"b": "c"}}],
     [{"name": "a\x1b", "effects": {}}], [{"name": "a", "effects": {}}] * 2],
)  # fmt: skip
def test_a_card_of_a_stranger_is_refused(named, entries):
    card = json.loads((named / "card.json").read_text()) | {"directions": entries}
    (named / "card.json").write_text(json.dumps(card))
    with pytest.raises(checkpoints.CheckpointError, match="'directions' must be"):
        load(named)


def test_without_the_file_one_sentence(named):
    (named / "directions.safetensors").unlink()
    with pytest.raises(checkpoints.CheckpointError, match="there is no file"):
        load(named)


def test_naming_needs_a_gan_and_a_net_of_attributes(named):
    with pytest.raises(ValueError, match="is not a GAN"):
        name_directions("fashion-vit")
    with pytest.raises(ValueError, match="names no attributes"):
        name_directions(named, feature_net="fashion-features")


def test_without_attributes_the_names_are_of_what_is_seen(named):
    found = name_directions(named, images=600)
    assert {"brightness"} <= {each.name for each in found} <= {*appearance(BLACK)}
    assert list(load(named).named_directions) == [each.name for each in found]
