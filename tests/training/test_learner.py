import shutil

import pytest
import torch

from genimg.training.distributed import END, LOAD, STEP, Group, Order
from genimg.training.learner import Follower
from genimg.training.loop import Trainer
from genimg.training.task import Diverged


class Tape(Group):
    """Keeps what the first process says, and says it again to a follower."""

    def __init__(self, checkpoints, copies) -> None:
        self.checkpoints, self.copies = checkpoints, copies
        self.orders: list[Order] = []

    def give(self, order: Order) -> None:
        if order.kind == LOAD:
            shutil.copytree(self.checkpoints, self.copies / str(len(self.orders)))
        self.orders.append(order)


class Replay(Group):
    def __init__(self, orders) -> None:
        self.left = iter(orders)

    def take(self) -> Order:
        return next(self.left)


@pytest.mark.parametrize("diverges_at", [None, 3])
def test_a_follower_ends_with_the_bits_of_the_first_process(
    make_run, dataset, tmp_path, monkeypatch, diverges_at
):
    run = make_run(preset="fashion-mlp", images=8 * 6)
    tape = Tape(run.checkpoints, tmp_path / "copies")
    trainer = Trainer(run, run.new_attempt(), dataset, group=tape)
    make_step = Trainer._make_step

    def diverge_once(learner):
        if learner.step == diverges_at and learner.task.learning_rate_scale == 1:
            raise Diverged("it diverged")
        return make_step(learner)

    monkeypatch.setattr(Trainer, "_make_step", diverge_once)
    monkeypatch.setattr(Follower, "_make_step", diverge_once)
    assert trainer.run() == "succeeded"
    kinds = [order.kind for order in tape.orders]
    again = [] if diverges_at is None else [STEP] * (diverges_at + 1) + [LOAD]
    assert kinds == [LOAD, *again, *[STEP] * 6, END]

    shutil.copytree(tape.copies / "0", tmp_path / "ckpt")
    follower = Follower(tmp_path / "ckpt", run.read_spec(), dataset, Replay(tape.orders))
    follower.run()
    assert follower.images_seen == trainer.images_seen
    expected, got = trainer.task.model.state_dict(), follower.task.model.state_dict()
    assert all(torch.equal(got[name], expected[name]) for name in expected)
