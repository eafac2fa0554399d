import torch

from genimg.training.building import build_task


def test_the_seed_decides_the_first_weights(small_spec):
    def first_weight(seed):
        torch.rand(seed + 1)  # the global generator's state must not matter
        task = build_task(small_spec(seed=seed), torch.device("cpu"), "fp32")
        return next(task.model.generator.parameters())

    assert torch.equal(first_weight(1), first_weight(1))
    assert not torch.equal(first_weight(1), first_weight(2))
