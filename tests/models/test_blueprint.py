import pytest
import torch
from torch import nn

from genimg.models import KINDS, Kind
from genimg.models.blueprint import blueprint, without_values
from genimg.models.mlp_gan import MlpGanConfig


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_without_memory_has_the_shapes_of_a_real_one(kind):
    config = KINDS[kind].config()

    def shapes(model):
        return {name: (v.shape, v.dtype) for name, v in model.state_dict().items()}

    skeleton = blueprint(kind, config)
    assert all(value.is_meta for value in skeleton.state_dict().values())
    real = KINDS[kind].build(config)
    assert shapes(skeleton) == shapes(real)
    assert without_values(skeleton)
    assert without_values(real) == ""


@pytest.mark.parametrize("compute", [lambda w: float(w.norm()), lambda w: w.detach().numpy()])
def test_a_model_that_computes_with_its_weights_is_refused(monkeypatch, compute):
    def build(config):
        layer = nn.Linear(2, 2)
        layer.scale = compute(layer.weight)
        return layer

    monkeypatch.setitem(KINDS._rows, "odd", Kind(MlpGanConfig, build, "gan", "gan"))
    assert build(None).scale is not None
    with pytest.raises(ValueError, match=r"the odd cannot be made again .*computes with"):
        blueprint("odd", MlpGanConfig())


def test_what_has_no_value_is_named():
    inner = nn.Linear(2, 2)
    model = nn.Sequential(inner)
    assert without_values(model) == ""
    inner.scale = torch.empty((), device="meta")
    assert without_values(model) == "tensor 0.scale"
    inner.register_buffer("window", torch.empty(3, device="meta"), persistent=False)
    assert without_values(model) == "buffer 0.window"
    inner.bias = nn.Parameter(torch.empty(2, device="meta"))
    assert without_values(model) == "parameter 0.bias"
