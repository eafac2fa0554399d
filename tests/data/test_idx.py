import gzip
import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from genimg.data import idx

SHAPES = arrays.array_shapes(min_dims=1, max_dims=3, max_side=6)
ARRAYS = arrays.arrays(np.uint8, SHAPES)


def encode(values: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
    return header + values.tobytes()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("idx")


@given(values=ARRAYS, compressed=st.booleans())
def test_round_trip(folder, values, compressed):
    path = folder / ("values.gz" if compressed else "values")
    path.write_bytes(gzip.compress(encode(values)) if compressed else encode(values))
    read = idx.read_idx(path, values.ndim)
    assert np.array_equal(read.numpy(), values)


@given(values=ARRAYS, compressed=st.booleans(), data=st.data())
def test_truncated_file_is_refused(folder, values, compressed, data):
    whole = gzip.compress(encode(values)) if compressed else encode(values)
    kept = data.draw(st.integers(0, len(whole) - 1))
    path = folder / ("short.gz" if compressed else "short")
    path.write_bytes(whole[:kept])
    with pytest.raises(ValueError, match="short"):
        idx.read_idx(path, values.ndim)


@given(values=ARRAYS, tail=st.binary(min_size=1, max_size=8), compressed=st.booleans())
def test_longer_file_is_refused(folder, values, tail, compressed):
    content = encode(values) + tail
    path = folder / ("long.gz" if compressed else "long")
    path.write_bytes(gzip.compress(content) if compressed else content)
    with pytest.raises(ValueError, match="as long as its header"):
        idx.read_idx(path, values.ndim)


@given(content=st.binary(max_size=64), dimensions=st.integers(1, 3))
def test_any_bytes_are_read_or_refused_with_a_value_error(folder, content, dimensions):
    path = folder / "any"
    path.write_bytes(content)
    try:
        values = idx.read_idx(path, dimensions)
    except ValueError:
        return
    assert encode(values.numpy()) == content


@given(sides=st.lists(st.integers(2**12, 2**32 - 1), min_size=3, max_size=3))
def test_forged_size_is_refused_before_allocation(folder, sides):
    assert math.prod(sides) > idx.MAX_BYTES
    for name, pack in (("forged", bytes), ("forged.gz", gzip.compress)):
        path = folder / name
        path.write_bytes(pack(bytes([0, 0, 8, 3]) + struct.pack(">3I", *sides)))
        with pytest.raises(ValueError, match="more than it can hold"):
            idx.read_idx(path, 3)


def test_size_that_the_file_cannot_hold_is_refused_before_allocation(tmp_path, monkeypatch):
    allocations = []
    monkeypatch.setattr(idx, "bytearray", allocations.append, raising=False)
    path = tmp_path / "small.gz"
    path.write_bytes(gzip.compress(bytes([0, 0, 8, 1]) + struct.pack(">I", 2**20)))
    with pytest.raises(ValueError, match="more than it can hold"):
        idx.read_idx(path, 1)
    assert not allocations


@pytest.mark.parametrize(
    "header",
    [
        bytes([0, 0, 13, 1, 0, 0, 0, 4]),  # floats
        bytes([0, 0, 8, 2, 0, 0, 0, 4]),  # another number of dimensions
        bytes([1, 0, 8, 1, 0, 0, 0, 4]),  # another magic number
        bytes([0, 0, 8, 1, 0, 0, 0, 0]),  # empty
    ],
)
def test_wrong_header_is_refused(tmp_path, header):
    path = tmp_path / "wrong"
    path.write_bytes(header + bytes(4))
    with pytest.raises(ValueError, match="wrong"):
        idx.read_idx(path, 1)


def test_damaged_gzip_content_is_refused(tmp_path):
    content = bytearray(gzip.compress(encode(np.arange(200, dtype=np.uint8))))
    content[-6] ^= 1  # the checksum
    path = tmp_path / "damaged.gz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="damaged"):
        idx.read_idx(path, 1)


def test_split_with_unequal_counts_is_refused(tmp_path):
    for name, shape in zip(idx.FILES["train"], [(3, 2, 2), (4,)], strict=True):
        (tmp_path / name).write_bytes(encode(np.zeros(shape, np.uint8)))
    with pytest.raises(ValueError, match="3 train images but 4 labels"):
        idx.read_split(tmp_path, "train")
    with pytest.raises(ValueError, match="has no t10k-images"):
        idx.read_split(tmp_path, "test")
