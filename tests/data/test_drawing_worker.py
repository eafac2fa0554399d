import os

import numpy as np
import pytest

from genimg import data
from genimg.data import drawing_worker
from genimg.data.drawing_worker import CHUNK, Chunk, chunks_of, main


def test_chunks_are_all_pictures_once():
    counts = {"train": 2 * CHUNK + 3, "test": 7}
    chunks = chunks_of(counts)
    assert chunks == [
        Chunk("train", 0, CHUNK),
        Chunk("train", CHUNK, 2 * CHUNK),
        Chunk("train", 2 * CHUNK, 2 * CHUNK + 3),
        Chunk("test", 0, 7),
    ]


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(drawing_worker, "CHUNK", 3)


def test_shares_together_draw_the_pictures_of_the_sample(tmp_path, small_chunks):
    counts = {"train": 7, "test": 4}
    for share in ("0", "1"):
        main(["portraits", str(tmp_path), share, "2", "7", "4"])
    for split, count in counts.items():
        files = [c for c in chunks_of(counts) if c.split == split]
        drawn = [np.fromfile(c.path(tmp_path), np.uint8).reshape(c.shape) for c in files]
        sample = data.load("portraits", 64, split, full=False).images[:count]
        assert np.array_equal(np.concatenate(drawn), sample.numpy())


def test_only_what_is_missing_or_short_is_drawn(tmp_path, small_chunks):
    arguments = ["critters", str(tmp_path), "0", "1", "7", "2"]
    main(arguments)
    whole, short, _, gone = (chunk.path(tmp_path) for chunk in chunks_of({"train": 7, "test": 2}))
    contents = {path: path.read_bytes() for path in tmp_path.iterdir()}
    os.utime(whole, (0, 0))
    os.truncate(short, 100)
    gone.unlink()
    main(arguments)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == contents
    assert whole.stat().st_mtime == 0


def test_an_orphan_stops(tmp_path, small_chunks, monkeypatch):
    parents = iter([10, 10, 1])
    monkeypatch.setattr(drawing_worker.os, "getppid", lambda: next(parents))
    main(["critters", str(tmp_path), "0", "1", "7", "2"])
    assert [path.name for path in tmp_path.iterdir()] == ["train-000000"]
