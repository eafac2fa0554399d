import io
import random
import struct
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genimg.data.zip_reader import BadZip, ZipReader

LIMITS = {"most_bytes": 100_000, "most_ratio": 100}


def made(members, compression=zipfile.ZIP_DEFLATED):
    """A zip file by the standard library."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


class ByHand:
    """A zip file in which every number may be a lie."""

    def __init__(self):
        self.body, self.directory, self.count = bytearray(), bytearray(), 0

    def member(self, name, packed, unpacked=b"", **lies):
        offset = lies.get("offset", len(self.body))
        if "offset" not in lies:
            self.body += struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 8, 0, 0, 0, 0, 0, len(name), 0)
            self.body += name + packed
        self.directory += struct.pack(
            "<4s6H3L5H2L",
            *(b"PK\1\2", 20, 20, lies.get("flags", 0), lies.get("method", 8), 0, 0),
            lies.get("checksum", zlib.crc32(unpacked)),
            lies.get("packed_size", len(packed)),
            lies.get("unpacked_size", len(unpacked)),
            *(len(name), 0, 0, 0, 0, lies.get("mode", 0) << 16, offset),
        )
        self.directory += name
        self.count += 1
        return self

    def bytes(self, **lies):
        count = lies.get("count", self.count)
        begin = lies.get("begin", len(self.body))
        length = lies.get("length", len(self.directory))
        end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, length, begin, 0)
        return bytes(self.body + self.directory + end)


def deflated(content):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush()


def opened(content, most_members=100):
    return ZipReader(io.BytesIO(content), most_members)


def read_all(content, **limits):
    reader = opened(content)
    return {m.name: reader.read(m, **LIMITS | limits) for m in reader.members}


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@given(
    members=st.dictionaries(
        st.text("abc/é. ", min_size=1, max_size=20), st.binary(max_size=300), max_size=5
    ),
    comment=st.binary(max_size=30),
)
def test_what_the_standard_library_writes_is_read(compression, members, comment):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        archive.comment = comment
    if b"PK" not in comment:
        assert read_all(buffer.getvalue()) == members


def test_members_larger_than_a_chunk(tmp_path):
    content = random.Random(0).randbytes(90_000) + bytes(9_000)
    for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        assert read_all(made([("a", content)], compression)) == {"a": content}


def test_data_descriptors_and_forced_zip64_members_are_read():
    class Unseekable(io.BytesIO):
        def seekable(self):
            return False

        def seek(self, *arguments):
            raise OSError

        tell = seek

    buffer = Unseekable()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("streamed", b"one" * 9)
        with archive.open("forced", "w", force_zip64=True) as member:
            member.write(b"two")
    assert buffer.getvalue()[6] & 8  # the sizes follow the bytes
    assert read_all(buffer.getvalue()) == {"streamed": b"one" * 9, "forced": b"two"}


@given(content=st.binary(max_size=400))
def test_random_bytes_are_refused_in_one_sentence(content):
    with pytest.raises(BadZip) as error:
        opened(content)
    assert "\n" not in str(error.value)


WHOLE = made([("a/1", b"hello" * 50), ("a/2", bytes(range(256))), ("b/3", b"")])


@given(
    edits=st.lists(
        st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), min_size=1, max_size=6
    )
)
def test_changed_bytes_never_give_wrong_pictures_or_other_errors(edits):
    content = bytearray(WHOLE)
    for place, value in edits:
        content[place] = value
    try:
        reader = opened(bytes(content))
    except BadZip:
        return
    for member in reader.members:
        try:
            read = reader.read(member, **LIMITS)
        except ValueError:
            continue
        assert zlib.crc32(read) == member.checksum
        assert len(read) == member.unpacked


@given(length=st.integers(0, len(WHOLE) - 1))
def test_a_truncated_archive_is_refused(length):
    with pytest.raises(BadZip):
        opened(WHOLE[:length])


@pytest.mark.parametrize(
    ("lies", "words"),
    [
        ({"unpacked_size": 999}, "larger than the archive says"),
        ({"unpacked_size": 1001}, "not of the size"),
        ({"unpacked_size": 100_001}, "at most 100,000"),
        ({"unpacked_size": 0, "checksum": 0}, "larger than the archive says"),
        ({"packed_size": 500}, "not of the size"),
        ({"packed_size": 5}, "less than a 100th"),
        ({"checksum": 1}, "checksum"),
        ({"flags": 1}, "encrypted"),
        ({"flags": 1 << 6}, "encrypted"),
        ({"flags": 1 << 13}, "encrypted"),
        ({"method": 12}, "unusual"),
        ({"method": 0}, "larger than the archive says"),
        ({"method": 99}, "unusual"),
        ({"mode": 0o120777}, "link or a device"),
        ({"mode": 0o020666}, "link or a device"),
        ({"mode": 0o010666}, "link or a device"),
    ],
)
def test_a_member_that_lies_or_is_none_is_refused_and_the_next_is_read(lies, words):
    content = random.Random(1).randbytes(1000)
    archive = ByHand().member(b"bad", deflated(content), content, **lies)
    archive.member(b"good", deflated(b"fine"), b"fine")
    reader = opened(archive.bytes())
    with pytest.raises(ValueError, match=words):
        reader.read(reader.members[0], **LIMITS)
    assert reader.read(reader.members[1], **LIMITS) == b"fine"


def test_a_bomb_is_refused_by_its_ratio_or_stopped_at_its_claim():
    packed = deflated(bytes(50_000_000))
    honest = ByHand().member(b"bomb", packed, unpacked_size=50_000_000).bytes()
    reader = opened(honest)
    with pytest.raises(ValueError, match="at most"):
        reader.read(reader.members[0], **LIMITS)
    with pytest.raises(ValueError, match="less than a 100th"):
        reader.read(reader.members[0], most_bytes=10**9, most_ratio=100)
    lying = ByHand().member(b"bomb", packed, unpacked_size=2000).bytes()
    reader = opened(lying)
    reads = []
    read = reader._file.read
    reader._file.read = lambda count: reads.append(count) or read(count)
    with pytest.raises(ValueError, match="larger than the archive says"):
        reader.read(reader.members[0], **LIMITS)
    assert len(reads) == 1  # it stopped in the first chunk


def test_damaged_compression_is_refused():
    reader = opened(ByHand().member(b"x", b"\xff" * 40, unpacked_size=100).bytes())
    with pytest.raises(ValueError, match="damaged"):
        reader.read(reader.members[0], **LIMITS)


def test_overlapping_members_are_refused():
    kernel = deflated(bytes(5000))
    same = ByHand().member(b"a", kernel, bytes(5000))
    for _ in range(50):  # many entries share one member
        same.member(b"a", kernel, bytes(5000), offset=0)
    with pytest.raises(BadZip, match="overlap"):
        opened(same.bytes())
    # Each member's bytes quote the next one's header, as in the better bombs.
    inner = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 8, 0, 0, 0, 0, 0, 1, 0) + b"b" + kernel
    quoted = ByHand().member(b"a", inner, b"").member(b"b", kernel, bytes(5000), offset=31)
    with pytest.raises(BadZip, match="overlap"):
        opened(quoted.bytes())
    into_directory = ByHand().member(b"a", kernel, bytes(5000), packed_size=len(kernel) + 10)
    with pytest.raises(BadZip, match="overlap"):
        opened(into_directory.bytes())


def test_too_many_members_are_refused_before_they_are_read():
    many = made([(str(number), b"") for number in range(101)])
    with pytest.raises(BadZip, match=r"lists 101 files.* 100"):
        opened(many)
    archive = ByHand()
    for number in range(1000):
        archive.member(b"%d" % number, b"")
    with pytest.raises(BadZip, match="not as long"):
        opened(archive.bytes(count=10))
    with pytest.raises(BadZip, match="zip64"):
        opened(archive.bytes(count=0xFFFF))


@pytest.mark.parametrize(
    ("lies", "words"),
    [
        ({"count": 3}, "damaged"),
        ({"count": 1}, "not as long"),
        ({"begin": 10**6}, "not where it says"),
        ({"begin": 0}, "damaged"),
        ({"length": 10}, "damaged"),
        ({"length": 0xFFFFFFFF}, "zip64"),
        ({"begin": 0xFFFFFFFF}, "zip64"),
    ],
)
def test_an_end_record_that_lies_is_refused(lies, words):
    archive = ByHand().member(b"a", deflated(b"1"), b"1").member(b"b", deflated(b"2"), b"2")
    with pytest.raises(BadZip, match=words):
        opened(archive.bytes(**lies))


@pytest.mark.parametrize("field", ["packed_size", "unpacked_size", "offset"])
def test_zip64_members_are_refused(field):
    archive = ByHand().member(b"a", deflated(b"1"), b"1", **{field: 0xFFFFFFFF})
    with pytest.raises(BadZip, match="zip64"):
        opened(archive.bytes())


def test_a_directory_of_endless_names_is_refused():
    archive = ByHand()
    for _ in range(2):
        archive.member(b"n" * 60_000, b"")
    with pytest.raises(BadZip, match="far too long"):
        ZipReader(io.BytesIO(archive.bytes()), most_members=2)


def test_names_are_decoded_whatever_they_are():
    names = [b"caf\xc3\xa9", b"caf\x82", b"\xff\xfe\x00", b"a\\b/"]
    archive = ByHand()
    for name in names:
        archive.member(name, deflated(b"1"), b"1")
    assert [m.name for m in opened(archive.bytes()).members] == ["café", "café", "\xa0■\0", "a\\b/"]


def test_folders_are_told_from_files():
    reader = opened(ByHand().member(b"cats/", b"").member(b"cats/1", deflated(b"1"), b"1").bytes())
    assert [member.is_folder for member in reader.members] == [True, False]


def zip64(content, prefix=b""):
    """The same archive with its numbers in zip64 records, as streaming programs write them."""
    at = content.rfind(b"PK\5\6")
    _, _, _, here, count, _, begin, _ = struct.unpack("<4s4H2LH", content[at:])
    directory, entries = b"", content[begin:at]
    while entries:
        sizes = struct.unpack("<3H", entries[28:34])
        packed, unpacked = struct.unpack("<2L", entries[20:28])
        [offset] = struct.unpack("<L", entries[42:46])
        extra = struct.pack("<2H3Q", 1, 24, unpacked, packed, offset)
        directory += entries[:20] + b"\xff" * 8 + struct.pack("<3H", sizes[0], len(extra), 0)
        directory += entries[34:42] + b"\xff" * 4 + entries[46 : 46 + sizes[0]] + extra
        entries = entries[46 + sum(sizes) :]
    record = struct.pack(
        "<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, here, count, len(directory), begin
    )
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, begin + len(directory), 1)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 2**32 - 1, 2**32 - 1, 0)
    return prefix + content[:begin] + directory + record + locator + end


def commented(comment):
    buffer = io.BytesIO(WHOLE)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.comment = comment
    return buffer.getvalue()


def adjusted(prefix):
    """A prefix that the offsets count, as `zip -A` makes them."""
    buffer = io.BytesIO(prefix)
    buffer.seek(0, io.SEEK_END)
    with zipfile.ZipFile(buffer, "a") as archive:
        for name, content in read_all(WHOLE).items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        WHOLE + b"\r\n",
        WHOLE + bytes(10_000),
        WHOLE + b"PK\5\6",
        b"MZ a program" * 1000 + WHOLE,
        b"PK00" + WHOLE,
        adjusted(b"MZ a program" * 1000),
        b"MZ a program" + WHOLE + b"signature",
        commented(b"a comment"),
        commented(b"a comment with PK\1\2 in it") + b"\n",
        zip64(WHOLE),
        zip64(WHOLE, b"MZ a program"),
        zip64(WHOLE) + b"\0",
    ],
    ids=[
        *("line end", "padding", "mark behind", "prefix", "part mark", "counted prefix", "both"),
        *("comment", "comment and more", "zip64", "zip64 with a prefix", "zip64 and more"),
    ],
)
def test_archives_that_other_programs_unpack_are_read(content):
    assert read_all(content) == read_all(WHOLE)
    with zipfile.ZipFile(io.BytesIO(WHOLE)) as archive:
        assert read_all(content) == {name: archive.read(name) for name in archive.namelist()}


@given(
    edits=st.lists(
        st.tuples(st.integers(0, len(zip64(WHOLE)) - 1), st.integers(0, 255)),
        min_size=1,
        max_size=6,
    )
)
def test_changed_bytes_of_a_zip64_archive_never_give_other_errors(edits):
    content = bytearray(zip64(WHOLE))
    for place, value in edits:
        content[place] = value
    try:
        reader = opened(bytes(content))
    except BadZip:
        return
    for member in reader.members:
        try:
            assert zlib.crc32(reader.read(member, **LIMITS)) == member.checksum
        except ValueError:
            continue


def test_zip64_numbers_are_held_to_the_limits_too():
    content = bytearray(zip64(WHOLE))
    record = content.find(b"PK\6\6")
    struct.pack_into("<2Q", content, record + 24, 10**12, 10**12)
    with pytest.raises(BadZip, match="lists 1,000,000,000,000 files"):
        opened(bytes(content))
    content = bytearray(zip64(WHOLE))
    extra = content.find(b"a/1", content.find(b"PK\1\2")) + 3 + 4
    struct.pack_into("<Q", content, extra, 2**60)
    reader = opened(bytes(content))
    with pytest.raises(ValueError, match="at most 100,000"):
        reader.read(reader.members[0], **LIMITS)


def test_the_unicode_path_of_info_zip_is_used_if_it_is_of_this_name():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, of in (("XX/1.png", b"XX/1.png"), ("YY/1.png", b"another")):
            member = zipfile.ZipInfo(name)
            text = "猫/1.png".encode()
            crc = struct.pack("<L", zlib.crc32(of))
            member.extra = struct.pack("<2H", 0x7075, 5 + len(text)) + b"\1" + crc + text
            archive.writestr(member, b"1")
    assert [m.name for m in opened(buffer.getvalue()).members] == ["猫/1.png", "YY/1.png"]


@pytest.mark.parametrize("encoding", ["gbk", "utf-8", "cp866", "cp437"])
def test_names_of_folders_in_an_old_encoding(encoding):
    name = {"gbk": "正常", "utf-8": "正常", "cp866": "кошки", "cp437": "Äpfel"}[encoding]
    archive = ByHand()
    for number in range(3):
        archive.member(f"{name}/{number}".encode(encoding), deflated(b"1"), b"1")
    assert [m.name for m in opened(archive.bytes()).members] == [f"{name}/{n}" for n in range(3)]
