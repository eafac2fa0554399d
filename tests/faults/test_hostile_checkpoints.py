"""Checkpoints that were cut short, forged, or made to fill the memory are refused in a sentence."""

import json
import os
import struct
from dataclasses import replace

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genimg import checkpoints
from genimg.checkpoints import CheckpointError
from genimg.models import KINDS

FLOAT_BYTES = 4


@pytest.fixture
def nothing_allocated(monkeypatch):
    """Fail where weights are loaded, or a model is built that takes memory."""

    def loaded(path):
        raise AssertionError("the weights were loaded")

    def watched(name):
        def build(config):
            assert torch.empty(0).is_meta, "the model was built with memory"
            return KINDS[name].build(config)

        return replace(original(name), build=build)

    original = checkpoints.kind_named
    monkeypatch.setattr(checkpoints, "load_file", loaded)
    monkeypatch.setattr(checkpoints, "kind_named", watched)


def refusal(path) -> str:
    """Read a checkpoint that must be refused; return the sentence."""
    with pytest.raises(CheckpointError) as error:
        checkpoints.read(path)
    sentence = str(error.value)
    assert sentence
    assert "\n" not in sentence
    assert len(sentence) < 1000
    return sentence


def header_of(path) -> tuple[dict, bytes]:
    content = (path / "model.safetensors").read_bytes()
    length = struct.unpack("<Q", content[:8])[0]
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def put_header(path, header, data: bytes) -> None:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    (path / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)


def put_config(path, **changes) -> None:
    file = path / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


class TestPartOfAGan:
    """Fault 23: part of a gan."""

    def test_half_a_discriminator_is_refused(self, tiny):
        header, data = header_of(tiny)
        name = "discriminator.body.0.weight"
        begin, end = header.pop(name)["data_offsets"]
        for entry in header.values():
            if entry["data_offsets"][0] >= end:
                entry["data_offsets"] = [at - end + begin for at in entry["data_offsets"]]
        put_header(tiny, header, data[:begin] + data[end:])
        assert f"lacks {name!r}" in refusal(tiny)

    def test_a_classifier_has_nothing_to_leave_out(self, tmp_path, small_config):
        config = small_config("classifier", 32, 1, 10)
        path = checkpoints.write(
            tmp_path / "c",
            kind="classifier",
            model=KINDS["classifier"].build(config),
            card={},
            preview=b"",
        )
        header, data = header_of(path)
        name = max(header, key=lambda name: header[name]["data_offsets"][1])
        put_header(path, header, data[: header.pop(name)["data_offsets"][0]])
        assert f"lacks {name!r}" in refusal(path)

    def test_the_discriminator_that_is_not_there_takes_no_memory(self, tiny, monkeypatch):
        model = checkpoints.read(tiny).model
        model.discriminator = None
        written = checkpoints.write(tiny, kind="mlp-gan", model=model, card={}, preview=b"")
        wide = json.loads((written / "config.json").read_text())["model"]
        wide["discriminator_widths"] = [4096] * 16  # a gigabyte, were it built
        put_config(written, model=wide)
        original = checkpoints.kind_named

        def watched(name):
            def build(config):
                assert torch.empty(0).is_meta
                return original(name).build(config)

            return replace(original(name), build=build)

        monkeypatch.setattr(checkpoints, "kind_named", watched)
        assert checkpoints.read(written).model.discriminator is None


@pytest.mark.usefixtures("nothing_allocated")
class TestRefusedBeforeAllocation:
    """Fault 23: refused before allocation."""

    @pytest.mark.parametrize("kept", [0, 1, 7, 8, 9, 100, -1])
    def test_truncated(self, tiny, kept):
        file = tiny / "model.safetensors"
        file.write_bytes(file.read_bytes()[:kept])
        assert "is corrupt" in refusal(tiny)

    def test_bytes_too_many(self, tiny):
        with (tiny / "model.safetensors").open("ab") as file:
            file.write(b"\0")
        assert "bytes that belong to no tensor" in refusal(tiny)

    @pytest.mark.parametrize("length", [0, 200 * 2**20, 2**63, 2**64 - 1])
    def test_impossible_header_length(self, tiny, length):
        file = tiny / "model.safetensors"
        file.write_bytes(struct.pack("<Q", length) + file.read_bytes()[8:])
        assert "impossible length" in refusal(tiny)

    def test_header_as_long_as_a_file_of_200_megabytes(self, tiny):
        with (tiny / "model.safetensors").open("wb") as file:
            file.write(struct.pack("<Q", 200 * 2**20))
            file.truncate(8 + 200 * 2**20)  # a hole: takes no space on the disk
        assert "impossible length" in refusal(tiny)

    @pytest.mark.parametrize("shape", [[10**12], [10**6, 10**6], [2**32, 2**32], [10**30]])
    def test_claims_of_huge_tensors(self, tiny, shape):
        header, data = header_of(tiny)
        name = next(iter(header))
        header[name]["shape"] = shape
        put_header(tiny, header, data)
        assert "another size than its shape" in refusal(tiny)

        count = 1
        for size in shape:
            count *= size
        header[name] |= {"dtype": "F32", "data_offsets": [0, FLOAT_BYTES * count]}
        put_header(tiny, header, data)
        assert "cut short" in refusal(tiny)

    @pytest.mark.parametrize("wide", [[4096] * 16, [4096, 4, 4096]])
    def test_configuration_of_another_size_than_the_weights(self, tiny, wide):
        model = json.loads((tiny / "config.json").read_text())["model"]
        put_config(tiny, model=model | {"generator_widths": wide})
        assert "does not fit its configuration" in refusal(tiny)

    @pytest.mark.parametrize(
        ("kind", "fields"),
        [
            ("mlp-gan", {"generator_widths": [8] * 10**6}),
            ("mlp-gan", {"generator_widths": [10**9]}),
            ("dcgan", {"width": 10**9}),
            ("dcgan", {"width": 10**30}),
            ("dcgan", {"classes": 10**9}),
            ("stylegan", {"generator_widths": [512] * 16}),
            ("stylegan", {"mapping_layers": 10**6}),
            ("classifier", {"widths": [10**9]}),
        ],
    )
    def test_gigantic_configurations(self, tiny, kind, fields):
        put_config(tiny, kind=kind, model=fields)
        sentence = refusal(tiny)
        assert "does not describe a model" in sentence
        assert next(iter(fields)) in sentence

    def test_wrong_shape(self, tiny):
        header, data = header_of(tiny)
        name = "generator.body.0.weight"
        header[name]["shape"].reverse()
        put_header(tiny, header, data)
        assert f"{name} has shape " in refusal(tiny)

    def test_unknown_dtype(self, tiny):
        header, data = header_of(tiny)
        header["generator.body.0.weight"]["dtype"] = "F8_E4M3"
        put_header(tiny, header, data)
        assert "unknown entry or dtype 'F8_E4M3'" in refusal(tiny)

    def test_whole_numbers_for_weights(self, tiny):
        header, data = header_of(tiny)
        entry = header["generator.body.0.weight"]
        begin, end = entry["data_offsets"]
        extra = 3 * (end - begin)  # int64 takes four times the bytes of float16
        for other in header.values():
            if other["data_offsets"][0] >= end:
                other["data_offsets"] = [offset + extra for offset in other["data_offsets"]]
        entry |= {"dtype": "I64", "data_offsets": [begin, end + extra]}
        put_header(tiny, header, data[:end] + bytes(extra) + data[end:])
        assert "generator.body.0.weight is torch.int64" in refusal(tiny)

    @pytest.mark.parametrize("name", ["generator.extra", "discriminator", "", "a\nb", "x" * 500])
    def test_unknown_tensor(self, tiny, name):
        header, data = header_of(tiny)
        header[name] = {"dtype": "F32", "shape": [0], "data_offsets": [len(data), len(data)]}
        put_header(tiny, header, data)
        assert "has an unknown tensor" in refusal(tiny)

    def test_missing_tensor(self, tiny):
        header, data = header_of(tiny)
        name = max(header, key=lambda name: header[name]["data_offsets"][1])
        put_header(tiny, header, data[: header.pop(name)["data_offsets"][0]])
        assert f"lacks {name!r}" in refusal(tiny)

    @pytest.mark.parametrize(
        "header",
        [
            b"{",
            b"null",
            b"[]",
            b'"text"',
            b"\xff\xfe",
            b"[" * 100_000,
            b"1" * 5000,
            b'{"a": 3}',
            b'{"a": {}}',
            b'{"a": {"dtype": [], "shape": [], "data_offsets": [0, 4]}}',
            b'{"a": {"dtype": "F32", "shape": 3, "data_offsets": [0, 12]}}',
            b'{"a": {"dtype": "F32", "shape": "3", "data_offsets": [0, 12]}}',
            b'{"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, -4]}}',
            b'{"a": {"dtype": "F32", "shape": [1.0], "data_offsets": [0, 4]}}',
            b'{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4, 8]}}',
            b'{"a": {"dtype": "F32", "shape": [1], "data_offsets": ["0", "4"]}}',
            b'{"a": {"dtype": "F32", "shape": [1], "data_offsets": null}}',
            b'{"__metadata__": 3, "a\\nb": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}',
        ],
    )
    def test_headers_that_are_not_headers(self, tiny, header):
        put_header(tiny, header, bytes(4))
        assert "is corrupt" in refusal(tiny)

    @pytest.mark.parametrize("number", [2, 0, -1, "1", None, [], 1.5])
    def test_other_format(self, tiny, number):
        put_config(tiny, format=number)
        assert f"has format {number!r}" in refusal(tiny)

    def test_unknown_kind(self, tiny):
        put_config(tiny, kind="diffusion")
        assert "no model kind 'diffusion'; the kinds are mlp-gan, " in refusal(tiny)

    @pytest.mark.parametrize("model", [None, [], 3, {"depth": 3}, {"size": "big"}])
    def test_no_configuration(self, tiny, model):
        put_config(tiny, model=model)
        assert "does not describe a model" in refusal(tiny)

    @pytest.mark.parametrize("file", ["config.json", "card.json"])
    @pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[]", b"3", b"[" * 100_000])
    def test_not_a_json_object(self, tiny, file, content):
        (tiny / file).write_bytes(content)
        assert file in refusal(tiny)

    @pytest.mark.parametrize("file", ["config.json", "card.json"])
    def test_json_of_20_megabytes(self, tiny, file):
        (tiny / file).write_bytes(b" " * (20 * 2**20))
        assert "is larger than" in refusal(tiny)

    def test_no_weights(self, tiny):
        (tiny / "model.safetensors").unlink()
        assert "there is no file" in refusal(tiny)

    @pytest.mark.parametrize("what", ["directory", "link to nothing", "link to itself", "pipe"])
    def test_weights_that_are_no_file(self, tiny, what):
        file = tiny / "model.safetensors"
        file.unlink()
        if what == "directory":
            file.mkdir()
        elif what == "pipe":
            os.mkfifo(file)
        else:
            file.symlink_to(file if what == "link to itself" else tiny / "nothing")
        assert "there is no file" in refusal(tiny)

    def test_weights_that_never_end(self, tiny):
        (tiny / "model.safetensors").unlink()
        (tiny / "model.safetensors").symlink_to("/dev/zero")
        refusal(tiny)

    def test_a_pickle_is_not_weights(self, tiny):
        torch.save({"a": torch.zeros(3)}, tiny / "model.safetensors")
        assert "is corrupt" in refusal(tiny)


class TestRefusedWhileLoading:
    """Fault 23: refused while loading."""

    def test_overlapping_tensors(self, tiny):
        header, data = header_of(tiny)
        entries = sorted(header.values(), key=lambda entry: entry["data_offsets"])
        # Two of equal size on the same bytes leave a gap, so the total still fits.
        sizes = [entry["data_offsets"][1] - entry["data_offsets"][0] for entry in entries]
        first, second = next(
            (a, b)
            for a in range(len(sizes))
            for b in range(a + 1, len(sizes))
            if sizes[a] == sizes[b]
        )
        entries[second]["data_offsets"] = entries[first]["data_offsets"]
        put_header(tiny, header, data)
        assert "is corrupt" in refusal(tiny)

    def test_offsets_that_are_no_whole_numbers(self, tiny):
        header, data = header_of(tiny)
        for entry in header.values():
            entry["data_offsets"] = [float(offset) for offset in entry["data_offsets"]]
        put_header(tiny, header, data)
        assert "is corrupt" in refusal(tiny)

    @pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
    def test_numbers_that_are_not_finite(self, tiny, number):
        header, data = header_of(tiny)
        begin, _ = header["generator.body.0.bias"]["data_offsets"]
        put_header(tiny, header, data[:begin] + struct.pack("<f", number) + data[begin + 4 :])
        assert "not finite in generator.body.0.bias" in refusal(tiny)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["model.safetensors", "config.json", "card.json"]),
    st.booleans(),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1),
)
def test_flipped_bits_load_finite_or_are_refused(tiny, file, in_header, flips):
    """Fault 23: any bits of any file changed."""
    path = tiny / file
    before = path.read_bytes()
    after = bytearray(before)
    length = len(after)
    if in_header and file == "model.safetensors":
        length = 8 + struct.unpack("<Q", before[:8])[0]
    for position, bits in flips:
        after[int(position * length)] ^= bits
    path.write_bytes(after)
    try:
        outcome = checkpoints.read(tiny).model.state_dict()
    except CheckpointError as error:
        outcome = str(error)
    finally:
        path.write_bytes(before)
    if isinstance(outcome, str):
        assert outcome
        assert "\n" not in outcome
    else:
        assert all(torch.isfinite(tensor).all() for tensor in outcome.values())
