import numpy as np
import pytest
import torch

import genimg
from genimg.checkpoints import Checkpoint
from genimg.explore import inside
from genimg.explore.gan import GanModel
from genimg.explore.inside import Effects, alter, feature_maps, layers_of, measure_effects, peaks
from genimg.models.gan import Gan
from genimg.models.units import Alterations

VIEW = {"seed": 3, "label": 1, "directions": [1.0, -0.5], "latents": {2: 0.7}}


@pytest.fixture(scope="module", params=["mlp-gan", "dcgan", "stylegan", "style-dcgan"])
def model(request, make_model):
    return make_model(request.param)


def test_maps_are_what_the_units_find_in_this_picture(model):
    code, labels, noise = model.origin(**VIEW)
    seen = {}
    inside._make(model, code, labels, noise, capture=seen)
    for layer, shape in enumerate(layers_of(model)):
        maps = feature_maps(model, layer, **VIEW)
        side = max(1, shape.size)
        assert maps.shape == (shape.units, side, side)
        assert maps.dtype == np.float32
        assert np.array_equal(maps.ravel(), seen[f"layer{layer}"].numpy().ravel())
        other = feature_maps(model, layer, **VIEW | {"seed": 4})
        assert not np.array_equal(maps, other)


def test_without_a_change_the_picture_is_the_same_to_the_bit(model):
    still = model.picture(**VIEW)
    assert np.array_equal(alter(model, **VIEW), still)
    ones = {(layer, 0): 1.0 for layer in range(len(layers_of(model)))}
    assert np.array_equal(alter(model, factors=ones, added={(0, 1): 0}, **VIEW), still)


def test_a_map_of_one_number_is_that_number(model):
    last = len(layers_of(model)) - 1
    size = layers_of(model)[last].size
    number = alter(model, factors={(last, 1): 0.25}, added={(last, 2): 1.5}, **VIEW)
    assert not np.array_equal(number, model.picture(**VIEW))
    if size:
        maps = {(last, 1): np.full((size, size), 0.25)}
        added = {(last, 2): np.full((size, size), 1.5, np.float32)}
        assert np.array_equal(alter(model, factors=maps, added=added, **VIEW), number)


def test_a_region_stays_a_region(make_model):
    model = make_model("style-dcgan")
    last = len(layers_of(model)) - 1
    size = layers_of(model)[last].size
    region = np.zeros((size, size))
    region[4:8, 10:14] = 3
    before, after = model.picture(**VIEW), alter(model, added={(last, 0): region}, **VIEW)
    rows, columns = np.nonzero((before != after).any(axis=2))
    assert len(rows)
    assert rows.min() >= 3
    assert rows.max() <= 8  # the region and one pixel around it, for a filter of 3 x 3
    assert columns.min() >= 9
    assert columns.max() <= 14


def test_peaks_are_the_largest_numbers_averaged(model, monkeypatch):
    several = []
    kept = inside._several

    def watch(*given):
        several.append(kept(*given))
        return several[-1]

    monkeypatch.setattr(inside, "_several", watch)
    for layer, shape in enumerate(layers_of(model)):
        found = peaks(model, layer)
        assert found.shape == (shape.units,)
        seen = {}
        inside._make(model, *several[-1], capture=seen)
        maps = seen[f"layer{layer}"].numpy().astype(np.float64).reshape(32, shape.units, -1)
        assert found == pytest.approx(maps.max(axis=2).mean(axis=0), rel=1e-5, abs=1e-6)
        assert np.array_equal(peaks(model, layer), found)


class BrightnessNet:
    """Names two attributes: whether a picture is bright, and whether it is dark."""

    heads = genimg.load("portraits-features").heads[5:6]

    def __call__(self, pictures):
        mean = pictures.mean(axis=(1, 2, 3)) / 10
        return None, np.stack([mean, -mean, 0 * mean], axis=1)


def test_effects_are_those_of_switching_each_unit_off(model, monkeypatch):
    monkeypatch.setattr(inside, "attribute_net", lambda model: BrightnessNet())
    layer = len(layers_of(model)) - 1
    *progress, effects = measure_effects(model, layer, count=6)
    units = layers_of(model)[layer].units
    assert progress == sorted(progress)
    assert progress[-1] == units
    assert effects.names == ["glasses: none", "glasses: round", "glasses: square"]
    several = inside._several(model, 6)

    def bright(**looking):
        pictures = inside._make(model, *several, **looking)
        net = BrightnessNet()
        outputs = net(inside.to_uint8(pictures))[1]
        readings = inside.read_outputs(outputs, net.heads)
        return inside.attribute_scores(readings, net.heads)["glasses: none"]

    still = bright()
    for unit in (0, 3, units - 1):
        off = bright(alterations=Alterations(factors={(layer, unit): torch.tensor(0.0)}))
        assert effects.values[unit, 0] == pytest.approx(
            (still - off).mean() / still.std(), abs=0.02
        )


def test_a_unit_serves_what_it_raises_most():
    values = np.array([[0.5, 0.2], [0.05, -3.0], [-1, 0.3]], np.float32)
    assert inside.served(Effects(["a", "b"], values)) == ["a", None, "b"]


def test_measuring_says_how_far_it_is_and_what_it_cannot_do(model):
    with pytest.raises(ValueError, match="no network names the attributes"):
        next(measure_effects(model, 0))


def test_the_units_for_glasses_make_the_glasses():
    """In what ships: without 8 of 128 units round glasses are gone, without 8 others they stay."""
    model = genimg.load("portraits-style")
    *_, effects = measure_effects(model, 1, count=4)
    order = np.argsort(-effects.values[:, effects.names.index("glasses: round")])
    net = inside.attribute_net(model)

    def glasses(units, seed):
        off = {(1, int(unit)): 0.0 for unit in units}
        picture = alter(model, factors=off, seed=seed, label=seed % 6)
        outputs = net(picture[None])[1]
        return inside.read_outputs(outputs, net.heads)["glasses"].values[0]

    wearing = [seed for seed in range(40) if glasses([], seed) == 1][:6]
    assert len(wearing) == 6
    assert sum(glasses(order[:8], seed) == 1 for seed in wearing) <= 1
    assert sum(glasses(order[60:68], seed) == 1 for seed in wearing) >= 5


def test_others_see_nothing_of_a_change(model):
    before = feature_maps(model, 0, **VIEW)
    alter(model, factors={(0, 0): 0.0}, **VIEW)
    assert np.array_equal(feature_maps(model, 0, **VIEW), before)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"factors": {(0, 10**6): 0.0}}, "a unit of layer 0 must be from 0 to"),
        ({"factors": {(99, 0): 0.0}}, "layer must be from 0 to"),
        ({"factors": {0: 0.0}}, r"a unit is given as \(layer, unit\)"),
        ({"factors": [1]}, "factors must be amounts by"),
        ({"added": {(0, 0): float("nan")}}, "added of layer 0 must be a number"),
        ({"added": {(0, 0): np.zeros((3, 5))}}, "added of layer 0 must be a number"),
        ({"added": {(0, 0): "x"}}, "added of layer 0 must be a number"),
    ],
)
def test_what_cannot_be_changed_is_refused(model, changes, words):
    with pytest.raises(ValueError, match=words):
        alter(model, **changes, **VIEW)


class Closed(torch.nn.Module):
    """A generator of a plug-in that does not tell its layers."""

    def __init__(self, config):
        super().__init__()
        self.config = config

    def forward(self, z, labels=None):
        return torch.zeros(len(z), 1, 32, 32)

    def latent_matrix(self):
        return torch.zeros(12, 2)


def test_a_generator_that_does_not_tell_its_layers_is_refused(small_config, tmp_path):
    config = small_config("mlp-gan", 32, 1, 0)
    network = Gan(config, Closed, lambda config: torch.nn.Linear(1, 1))
    model = GanModel(Checkpoint("mine", "mlp-gan", config, network, {}, tmp_path))
    for look in (layers_of, alter, lambda model: feature_maps(model, 0)):
        with pytest.raises(ValueError, match="does not tell its layers"):
            look(model)
