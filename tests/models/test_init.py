import pytest
import torch

from genimg.models import KINDS, kind_named


@pytest.mark.parametrize("kind", KINDS)
def test_the_default_architecture_builds_without_memory(kind):
    with torch.device("meta"):
        model = KINDS[kind].build(KINDS[kind].config())
    assert model.config == KINDS[kind].config()
    assert all(tensor.is_meta for tensor in model.state_dict().values())


@pytest.mark.parametrize("kind", KINDS)
def test_a_checkpoint_holds_all_that_a_model_computes_with(kind):
    # Checkpoints are assembled from the state alone: a buffer outside it would stay without memory.
    model = KINDS[kind].build(KINDS[kind].config())
    tensors = {name for name, _ in (*model.named_parameters(), *model.named_buffers())}
    assert tensors == set(model.state_dict())


def test_names_lead_to_kinds():
    assert all(kind_named(name) is kind for name, kind in KINDS.items())


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"no model kind 'vae'; the kinds are mlp-gan, dcgan,"):
        kind_named("vae")
