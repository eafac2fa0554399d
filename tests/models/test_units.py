"""Units of generators looked at and altered, in every kind of generator alike."""

import pytest
import torch

from genimg.models import KINDS
from genimg.models.gan import LayeredGenerator
from genimg.models.mapping import MappedGenerator
from genimg.models.units import Alterations

GANS = [name for name, kind in KINDS.items() if kind.task == "gan"]
BATCH = 3


@pytest.fixture(params=GANS)
def generator(request, small_config, alive):
    torch.manual_seed(0)
    return alive(KINDS[request.param].build(small_config(request.param, 32, 3, 4)), 0.2).generator


def make(generator, **looking):
    """Return three pictures, always the same."""
    numbers = torch.Generator().manual_seed(1)
    dtype = next(generator.parameters()).dtype
    z = torch.randn(BATCH, generator.config.latent_dimensions, generator=numbers).to(dtype)
    labels = torch.tensor([0, 3, 1])
    with torch.no_grad():
        if isinstance(generator, MappedGenerator):
            noise = [x.to(dtype) for x in generator.draw_noise(BATCH, numbers)]
            return generator.synthesise(generator.map(z, labels), noise, **looking)
        return generator(z, labels, **looking)


def test_every_generator_of_ours_tells_its_layers(generator):
    assert isinstance(generator, (MappedGenerator, LayeredGenerator))
    seen = {}
    make(generator, capture=seen)
    assert generator.unit_layers
    for layer, (units, size) in enumerate(generator.unit_layers):
        assert seen[f"layer{layer}"].shape == (BATCH, units, *((size, size) if size else ()))
    assert f"layer{len(generator.unit_layers)}" not in seen


def test_looking_and_changing_nothing_leave_the_picture_as_it_is(generator):
    pictures = make(generator)
    one = Alterations(factors={(0, 0): torch.tensor(1.0)}, added={(1, 1): torch.tensor(0.0)})
    for looking in ({"capture": {}}, {"alterations": Alterations()}, {"alterations": one}):
        assert torch.equal(make(generator, **looking), pictures)


def test_nothing_stays_behind_after_a_change(generator):
    before = make(generator)
    off = Alterations(factors={(0, unit): torch.tensor(0.0) for unit in range(8)})
    assert not torch.equal(make(generator, alterations=off), before)
    assert torch.equal(make(generator), before)


def test_a_unit_becomes_its_factor_times_itself_and_what_is_added(generator):
    generator.double()
    for layer, (_, size) in enumerate(generator.unit_layers):
        numbers = torch.Generator().manual_seed(2)
        shape = (BATCH, size, size) if size else (BATCH,)
        factor, added = torch.randn(2, *shape, generator=numbers, dtype=torch.float64)
        before, after = {}, {}
        make(generator, capture=before)
        changes = Alterations(factors={(layer, 2): factor}, added={(layer, 2): added})
        make(generator, capture=after, alterations=changes)
        expected = before[f"layer{layer}"].clone()
        expected[:, 2] = factor * expected[:, 2] + added
        torch.testing.assert_close(after[f"layer{layer}"], expected, rtol=1e-12, atol=0)
        for earlier in range(layer):
            assert torch.equal(after[f"layer{earlier}"], before[f"layer{earlier}"])


def test_each_layer_counts(generator):
    pictures = make(generator)
    for layer, (units, _) in enumerate(generator.unit_layers):
        off = {(layer, unit): torch.tensor(0.0) for unit in range(units)}
        assert not torch.equal(make(generator, alterations=Alterations(factors=off)), pictures)


def test_a_change_in_the_last_layer_reaches_no_further_than_its_filter(generator):
    layer, size = len(generator.unit_layers) - 1, generator.unit_layers[-1][1]
    if not size:
        pytest.skip("its layers are no images")
    spot = torch.zeros(size, size)
    spot[size // 2, size // 2] = 5
    before = make(generator)
    changed = make(generator, alterations=Alterations(added={(layer, 1): spot})) != before
    scale = generator.config.size // size
    # 1 x 1 to 3 x 3 at full size; a transposed convolution of 4 x 4 from half of it.
    radius = 1 if scale == 1 else 2
    rows, columns = changed.any(dim=1).any(dim=0).nonzero().T
    middle = scale * (size // 2) + (scale - 1) / 2
    assert len(rows)
    for place in (rows, columns):
        assert (place - middle).abs().max() <= radius


def test_rows_of_a_batch_may_differ(generator):
    generator.double()
    pictures = make(generator)
    shape = (BATCH, 1, 1) if generator.unit_layers[0][1] else (BATCH,)
    factor = torch.tensor([1.0, 0.0, 1.0]).view(shape)
    changed = make(generator, alterations=Alterations(factors={(0, 1): factor}))
    assert torch.equal(changed[[0, 2]], pictures[[0, 2]])
    assert not torch.equal(changed[1], pictures[1])
