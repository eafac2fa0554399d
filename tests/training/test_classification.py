import torch

from genimg.training.building import build_task
from genimg.training.classification import augment

CPU = torch.device("cpu")


def test_augmentation_shifts_and_mirrors_and_nothing_else():
    images = torch.rand(64, 2, 9, 9)
    torch.manual_seed(0)
    augmented = augment(images, shift=2, mirror=True)
    padded = torch.nn.functional.pad(images, (2,) * 4, value=-1.0)
    kinds = set()
    for picture, before in zip(augmented, padded, strict=True):
        found = [
            (flip, top, left)
            for flip, source in ((False, before), (True, before.flip(2)))
            for top in range(5)
            for left in range(5)
            if torch.equal(source[:, top : top + 9, left : left + 9], picture)
        ]
        assert len(found) == 1
        kinds.add(found[0])
    assert {kind[0] for kind in kinds} == {False, True}
    assert {kind[1] for kind in kinds} == {kind[2] for kind in kinds} == set(range(5))


def test_no_augmentation_is_the_identity():
    images = torch.rand(4, 1, 8, 8)
    assert torch.equal(augment(images, shift=0, mirror=False), images)


def test_augmentation_is_a_function_of_the_seed():
    images = torch.rand(16, 1, 8, 8)
    results = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        results.append(augment(images, shift=2, mirror=True))
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])


def test_a_classifier_learns_two_easy_classes(small_spec):
    task = build_task(small_spec("fashion-features", shift=0, mirror=False), CPU, "fp32")
    labels = torch.arange(16) % 2
    images = (labels.float() * 2 - 1).view(16, 1, 1, 1).expand(16, 1, 32, 32).contiguous()
    losses = []
    for step in range(30):
        report = task.step(images, labels, step=step, images_seen=16 * step, progress=0.2)
        losses.append(report["loss"])
    assert losses[-1] < 0.1 * losses[0]
    assert report["accuracy"] == 1
    assert task.sheet(0).shape == (0, 32, 32, 1)
    assert not task.published().training


def test_adamw_decays_matrices_only_and_every_weight_is_trained(small_spec):
    task = build_task(small_spec("fashion-vit"), CPU, "fp32")
    decaying, others = task.optimizers["classifier"].param_groups
    assert (decaying["weight_decay"], others["weight_decay"]) == (0.05, 0)
    assert min(p.dim() for p in decaying["params"]) >= 2
    assert max(p.dim() for p in others["params"]) == 1
    grouped = [id(p) for group in (decaying, others) for p in group["params"]]
    assert sorted(grouped) == sorted(id(p) for p in task.model.parameters())


def test_a_vision_transformer_learns_which_half_is_bright(small_spec):
    spec = small_spec("fashion-vit", mirror=False, shift=0, learning_rate=3e-3)
    task = build_task(spec, CPU, "fp32")
    torch.manual_seed(0)
    for step in range(60):
        labels = torch.arange(16) % 2
        images = 0.1 * torch.randn(16, 1, 32, 32) - 0.5
        images[labels == 0, :, :16] += 1.0
        images[labels == 1, :, 16:] += 1.0
        report = task.step(
            images, labels, step=step, images_seen=16 * (step + 1), progress=(step + 1) / 60
        )
    assert report["accuracy"] == 1.0
    logits = task.published()(images)
    assert (logits.argmax(dim=1) == labels).float().mean() > 0.9
