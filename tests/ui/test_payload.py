import base64
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from genimg.ui.payload import pack

ARRAYS = st.dictionaries(
    st.text(max_size=5),
    st.sampled_from([np.uint8, np.int32, np.float32]).flatmap(
        lambda dtype: arrays_of.arrays(dtype, arrays_of.array_shapes(max_dims=4, max_side=4))
    ),
    max_size=4,
)


def unpacked(payload):
    block = base64.b64decode(payload["bytes"])
    return {
        entry["name"]: np.frombuffer(
            block,
            np.dtype(entry["dtype"]).newbyteorder("<"),
            int(np.prod(entry["shape"])),
            entry["offset"],
        ).reshape(entry["shape"])
        for entry in payload["arrays"]
    }


@given(ARRAYS)
def test_what_goes_in_comes_out(arrays):
    payload = json.loads(json.dumps(pack(arrays, caption="a picture")))
    assert payload["caption"] == "a picture"
    found = unpacked(payload)
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)  # NaN is equal to NaN here
    assert all(entry["offset"] % 8 == 0 for entry in payload["arrays"])


def test_neither_byte_order_nor_strides_matter():
    grid = np.arange(12, dtype=">i4").reshape(3, 4)
    found = unpacked(pack({"turned": grid.T, "every other": grid[:, ::2]}))
    np.testing.assert_array_equal(found["turned"], grid.T)
    np.testing.assert_array_equal(found["every other"], grid[:, ::2])


@pytest.mark.parametrize("dtype", [np.int64, np.float64, np.float16, bool, object])
def test_other_types_are_refused(dtype):
    with pytest.raises(ValueError, match="numbers must be one of uint8, int32, float32"):
        pack({"numbers": np.zeros(2, dtype)})


@pytest.mark.parametrize("name", ["arrays", "bytes"])
def test_a_fact_cannot_take_the_place_of_the_arrays(name):
    with pytest.raises(ValueError, match="must not be called"):
        pack({}, **{name: 1})
