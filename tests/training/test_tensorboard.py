import sys
import types

import numpy as np
import pytest

from genimg.training.tensorboard import TensorBoard

PICTURES = np.arange(2 * 4 * 4, dtype=np.uint8).reshape(2, 4, 4, 1)


class Report(dict):
    """Numbers with a sheet of `count` pictures."""

    def __init__(self, numbers, count=2):
        super().__init__(numbers)
        self.count = count

    def sheet(self):
        return PICTURES[: self.count]


class Writer:
    """Stands for TensorBoard's, where that is not installed."""

    def __init__(self, folder):
        self.folder, self.curves, self.pictures, self.flushed = folder, [], [], 0

    def add_scalar(self, name, value, step):
        self.curves.append((name, value, step))

    def add_image(self, name, picture, step, dataformats):
        self.pictures.append((name, picture.shape, step, dataformats))

    def flush(self):
        self.flushed += 1


@pytest.fixture
def stand_in(monkeypatch):
    module = types.ModuleType("torch.utils.tensorboard")
    module.SummaryWriter = Writer
    monkeypatch.setitem(sys.modules, module.__name__, module)


def test_numbers_become_curves_and_sheets_come_now_and_then(stand_in, tmp_path):
    now = [0.0]
    board = TensorBoard(tmp_path, sheet_seconds=60, clock=lambda: now[0])
    for second, seen in ((0, 8), (59, 80), (61, 160)):
        now[0] = float(second)
        board(Report({"images_seen": seen, "total": 240, "loss": 1 / seen}))
    writer = board._writer
    assert writer.curves == [("loss", 1 / seen, seen) for seen in (8, 80, 160)]
    assert writer.pictures == [("samples", (4, 40, 3), seen, "HWC") for seen in (8, 160)]
    assert writer.flushed == 3


def test_a_model_that_draws_nothing_has_no_sheets(stand_in, tmp_path):
    board = TensorBoard(tmp_path)
    board(Report({"images_seen": 8, "total": 240, "loss": 1.0}, count=0))
    assert board._writer.pictures == []


def test_without_tensorboard_one_sentence_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(ValueError, match=r"run: pip install genimg\[tensorboard\]"):
        TensorBoard(tmp_path / "logs")
    assert not (tmp_path / "logs").exists()


def test_what_tensorboard_itself_reads(tmp_path):
    accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    board = TensorBoard(tmp_path, sheet_seconds=0)
    for seen in (8, 80):
        board(Report({"images_seen": seen, "total": 80, "loss": 1.0 * seen, "left": float("nan")}))
    read = accumulators.EventAccumulator(str(tmp_path)).Reload()
    assert [(event.step, event.value) for event in read.Scalars("loss")] == [(8, 8.0), (80, 80.0)]
    assert [(image.step, image.width) for image in read.Images("samples")] == [(8, 40), (80, 40)]
