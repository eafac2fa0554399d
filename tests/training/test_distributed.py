"""Two processes make the run of one: their shares' gradients are its, and so are its curves."""

import socket
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from genimg import checkpoints
from genimg.models.tokenizer import FsqTokenizer, FsqTokenizerConfig
from genimg.training import distributed, run_checkpoints
from genimg.training.building import build_task
from genimg.training.distributed import ALONE, Group, SeveralProcesses
from genimg.training.running import train_run

# What has no batch norm, which looks at all pictures of a process at once.
CASES = {
    "fashion-mlp": {},
    "fashion-gpt": {"validations": 0},
    "fashion-vit": {"stem": "linear", "shift": 2, "dropout": 0.0},
}
# Sums in another order: float32 has seven digits, and what is small is what large numbers leave.
TOLERANCE = 1e-5


@pytest.mark.parametrize("size", [1, 2, 4])
def test_the_shares_are_the_batch(size):
    batch = torch.randn(8, 3, 2)
    shares = [SeveralProcesses(rank, size).share(batch) for rank in range(size)]
    assert torch.equal(torch.cat(shares), batch)
    assert {len(share) for share in shares} == {8 // size}


class Recorder(Group):
    """Keeps the gradients that one process would bring to the average."""

    def __init__(self, rank: int, size: int) -> None:
        self.rank, self.size = rank, size
        self.gradients: list[torch.Tensor] = []

    def share(self, batch):
        return batch.chunk(self.size)[self.rank]

    def average_gradients(self, parameters, loss):
        found = [p.grad.flatten() for p in parameters if p.grad is not None]
        self.gradients.append(torch.cat([loss.detach().reshape(1), *found]))
        return loss


def gradients(spec, rank: int, size: int) -> list[torch.Tensor]:
    task = build_task(spec, torch.device("cpu"), "fp32")
    task.group = Recorder(rank, size)
    torch.manual_seed(0)
    images = torch.rand(8, 1, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1
    task.step(images, torch.arange(8), step=0, images_seen=8, progress=0.5)
    return task.group.gradients


@pytest.mark.parametrize(
    ("preset", "changes"),
    [
        *CASES.items(),
        ("fashion-mlp", {"r1": 1.0, "r2": 1.0, "objective": "relativistic"}),
        ("fashion-tokenizer", {}),
    ],
)
def test_the_mean_of_the_shares_gradients_is_that_of_the_batch(small_spec, preset, changes):
    if preset in ("fashion-mlp", "fashion-tokenizer"):
        # Whoever comes second is to meet the same discriminator.
        changes = changes | {"discriminator_learning_rate": 1e-7}
    spec = small_spec(preset, **changes)
    whole = gradients(spec, 0, 1)
    shares = [gradients(spec, rank, 4) for rank in range(4)]
    assert len(whole) == (1 if preset in ("fashion-gpt", "fashion-vit") else 2)
    for number, expected in enumerate(whole):
        mean = torch.stack([share[number] for share in shares]).mean(dim=0)
        assert (mean - expected).norm() < 1e-4 * expected.norm()
        assert (shares[0][number] - expected).norm() > 1e-3 * expected.norm()


@pytest.fixture
def pictures(tmp_path):
    numbers = np.random.default_rng(0)
    for number in range(40):
        path = tmp_path / "pictures" / ("circles", "squares")[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(numbers.integers(0, 256, (32, 32), np.uint8)).save(path)
    return tmp_path / "pictures"


@pytest.fixture
def tokenizer(tmp_path):
    torch.manual_seed(5)
    model = FsqTokenizer(FsqTokenizerConfig(size=32, widths=(8, 8, 8), levels=(4, 3)))
    return checkpoints.write(
        tmp_path / "tokenizer", kind="fsq-tokenizer", model=model, card={}, preview=b""
    )


@pytest.mark.slow
@pytest.mark.parametrize(("preset", "changes"), CASES.items())
def test_two_processes_make_the_run_of_one(make_run, result, pictures, tokenizer, preset, changes):
    settings = {"dataset": f"folder:{pictures}", "images": 160, "classes": 2, **changes}
    if preset == "fashion-gpt":
        settings["tokenizer"] = str(tokenizer)
    if preset == "fashion-mlp":
        del settings["classes"]
    one, two = make_run("one", preset, **settings), make_run("two", preset, **settings)
    assert train_run(one.path) == "succeeded"
    assert train_run(two.path, processes=2) == "succeeded"
    for expected, got in zip(result(one)["log"], result(two)["log"], strict=True):
        assert got == pytest.approx(expected, rel=TOLERANCE, abs=TOLERANCE)
    [expected, got] = [
        run_checkpoints.load(run_checkpoints.newest(run.checkpoints))[0]["model"]
        for run in (one, two)
    ]
    flat, difference = (
        torch.cat([t.double().flatten() for t in tensors])
        for tensors in (expected.values(), [got[name] - expected[name] for name in expected])
    )
    print(f"weights differ by {difference.norm() / flat.norm():.1e} of their norm")
    assert 0 < difference.norm() < TOLERANCE * flat.norm()  # 0 would be one process twice


class Ended:
    def __init__(self, code: int) -> None:
        self.returncode = code

    def poll(self) -> int:
        return self.returncode


@pytest.mark.parametrize(
    ("codes", "code", "sentence"),
    [
        ([1, -9], 137, "process 3 of 3 was ended by signal 9"),
        ([71, 1], 71, "process 2 of 3 ended with code 71"),
    ],
)
def test_the_process_that_was_lost_is_named(codes, code, sentence):
    error = distributed._explained([Ended(number) for number in codes])
    assert error.code == code
    assert sentence in str(error)


def test_where_nobody_knows_the_process_the_first_error_stays():
    assert distributed._explained([Ended(0), Ended(1)]) is None


def test_one_process_stays_as_it_is():
    values = torch.randn(4, 2)
    assert ALONE.share(values) is values
    assert ALONE.sum(values) is values
    report = {"loss": 1.0}
    assert ALONE.average(report) is report


@pytest.mark.skipif(sys.platform != "linux", reason="only there is 127.0.0.2 this machine, too")
def test_the_processes_meet_where_no_other_machine_can_come():
    store = distributed._open_store()
    socket.create_connection(("127.0.0.1", store.port), timeout=5).close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", store.port), timeout=5)
