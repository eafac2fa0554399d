"""Zip files from strangers, read as a stream, and held to every number that they state.

A zip file is a row of members, each a local header and its packed bytes, then a directory that
lists them again, then an end record that says where the directory is (PKWARE's APPNOTE.TXT,
sections 4.3.7, 4.3.12 and 4.3.16). Only the directory's numbers are used. What they claim is
checked against the caller's limits before a member is read, and reading stops at the first byte
beyond the claim: a lie cannot cost more than the truth may.

What stands before the first member (a program that unpacks the rest) or after the end record is
ignored, as by other programs. So is all that a local header says, but for where its bytes begin.
"""

import io
import struct
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from stat import S_IFDIR, S_IFMT, S_IFREG
from typing import Any, BinaryIO

from genimg.data.name_encoding import decode_names
from genimg.wording import Wording

SIGNATURES = (b"PK\3\4", b"PK\5\6", b"PK\6\6", b"PK\7\x08", b"PK00")
"""How a zip file begins: with a member, an end record if it has none, or the mark of a part."""
_END = struct.Struct("<4s4H2LH")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_ENCRYPTED = 1 << 0 | 1 << 6 | 1 << 13
_STORED, _DEFLATED = 0, 8
_CHUNK = 64 * 1024
_LOCATOR = struct.Struct("<4sLQL")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_ZIP64 = Wording(
    "zip.zip64",
    "it says that its sizes are in zip64 records, and these are missing; make a new one",
)
_LIST_DAMAGED = Wording("zip.list_damaged", "its list of files is damaged")
_OVERLAP = Wording("zip.overlap", "its files overlap, which never happens in an honest zip file")
_LONGEST_TAIL = 2**17  # bytes after the end record, with its comment of up to 2 ** 16
_UTF_8 = 1 << 11
_SIZES_64, _NAME_UTF_8 = 0x0001, 0x7075  # extra fields
_MOST_ENTRY_BYTES = 1024  # on average, so that the directory's size is bounded before it is read


class BadZip(ValueError):
    """The whole archive cannot be used; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class Member:
    """What the directory says of one member."""

    name: str
    flags: int
    method: int
    checksum: int
    """CRC-32 of the unpacked bytes."""
    packed: int
    """Bytes in the archive."""
    unpacked: int
    """Bytes after decompression."""
    mode: int
    """Unix file type and permissions; 0 if the archive was made elsewhere."""
    offset: int
    """Where its local header begins."""

    @property
    def is_folder(self) -> bool:
        """True for an entry that only names a folder."""
        return self.name.endswith(("/", "\\")) and not self.unpacked


class ZipReader:
    """The members of a zip file, and their bytes one after another.

    Args:
        file: opened for reading bytes, seekable; it stays open.
        most_members: an archive that lists more is refused.

    Raises:
        BadZip: it is not a zip file, was cut short, is split, is damaged, lists too many members,
            or its members overlap, so that few bytes could pretend to be many.
        OSError: the file cannot be read.
    """

    def __init__(self, file: BinaryIO, most_members: int) -> None:
        self._file = file
        count, begin, end, shift = self._find_directory()
        if count > most_members:
            raise BadZip(
                Wording(
                    "zip.too_many",
                    "it lists {count} files, and at most {most} are allowed",
                    count=f"{count:,}",
                    most=f"{most_members:,}",
                )
            )
        if end - begin > most_members * _MOST_ENTRY_BYTES:
            raise BadZip(Wording("zip.list_too_long", "its list of files is far too long"))
        self.members = self._read_directory(count, begin, end, shift)
        self._starts = self._find_data(begin)

    def read(self, member: Member, most_bytes: int, most_ratio: int) -> bytes:
        """Return the unpacked bytes of one member.

        Args:
            most_bytes: the largest size that is allowed after unpacking.
            most_ratio: the most bytes that one packed byte may become.

        Raises:
            ValueError: it is encrypted, compressed in an unknown way, a link or a device, too
                large, too strongly compressed, or not what the directory says.
        """
        self._check(member, most_bytes, most_ratio)
        self._file.seek(self._starts[member.offset])
        unpack = _Stored() if member.method == _STORED else zlib.decompressobj(-zlib.MAX_WBITS)
        content, packed_left = io.BytesIO(), member.packed
        try:
            while not unpack.eof and packed_left:
                packed = self._file.read(min(_CHUNK, packed_left))
                if not packed:
                    break
                packed_left -= len(packed)
                # One byte more than is claimed is enough to know.
                while packed and content.tell() <= member.unpacked:
                    content.write(unpack.decompress(packed, member.unpacked + 1 - content.tell()))
                    packed = unpack.unconsumed_tail
                if content.tell() > member.unpacked:
                    raise ValueError(Wording("zip.larger", "it is larger than the archive says"))
        except zlib.error:
            raise ValueError(
                Wording("zip.bytes_damaged", "its compressed bytes are damaged")
            ) from None
        if content.tell() != member.unpacked or packed_left or unpack.unused_data:
            raise ValueError(
                Wording("zip.other_size", "it is not of the size that the archive says")
            )
        if zlib.crc32(content.getvalue()) != member.checksum:
            raise ValueError(Wording("zip.checksum", "its checksum is wrong"))
        return content.getvalue()

    def _check(self, member: Member, most_bytes: int, most_ratio: int) -> None:
        if member.flags & _ENCRYPTED:
            raise ValueError(Wording("zip.encrypted", "it is encrypted"))
        if S_IFMT(member.mode) not in (0, S_IFREG, S_IFDIR):
            raise ValueError(Wording("zip.link", "it is a link or a device, not a file"))
        if member.method not in (_STORED, _DEFLATED):
            raise ValueError(
                Wording("zip.unusual", "it is compressed in an unusual way; use a plain zip file")
            )
        if member.unpacked > most_bytes:
            raise ValueError(
                Wording(
                    "file.bytes",
                    "it has {size} bytes, and at most {most} are allowed",
                    size=f"{member.unpacked:,}",
                    most=f"{most_bytes:,}",
                )
            )
        if member.unpacked > most_ratio * member.packed:
            raise ValueError(
                Wording(
                    "zip.bomb",
                    "it is compressed to less than a {ratio}th of its size, as zip bombs"
                    " are, so it was not unpacked; save the picture again as PNG or JPEG",
                    ratio=most_ratio,
                )
            )

    def _find_directory(self) -> tuple[int, int, int, int]:
        """Return the number of members, where the directory begins and ends, and a shift.

        The shift is how many bytes stand before the archive and are not counted in its offsets.
        """
        size = self._file.seek(0, io.SEEK_END)
        longest = min(size, _END.size + _LONGEST_TAIL)
        self._file.seek(size - longest)
        tail = self._file.read(longest)
        at = _end_record(tail)
        _, disk, first, here, count, length, begin, _ = _END.unpack_from(tail, at)
        end = size - longest + at
        if 0xFFFF in (disk, first, here, count) or 0xFFFFFFFF in (length, begin):
            end, here, count, length, begin = self._find_zip64(end)
        elif disk or first:
            here = -1
        if here != count:
            raise BadZip(
                Wording("zip.split", "it is one part of a split archive; join the parts first")
            )
        if begin + length > end:
            raise BadZip(Wording("zip.list_elsewhere", "its list of files is not where it says"))
        shift = 0
        if count:
            self._file.seek(begin)
            if self._file.read(4) != b"PK\1\2":
                shift = end - length - begin
        return count, begin + shift, begin + shift + length, shift

    def _find_zip64(self, end: int) -> tuple[int, int, int, int, int]:
        """Return where the record begins, members here and in all, and the directory's place.

        Args:
            end: where the usual end record begins.
        """
        self._file.seek(max(0, end - _LOCATOR.size))
        locator = self._file.read(_LOCATOR.size)
        if len(locator) < _LOCATOR.size or locator[:4] != b"PK\6\7":
            raise BadZip(_ZIP64)
        offset = _LOCATOR.unpack(locator)[2]
        # Where bytes stand before the archive, the record lies right before its locator.
        for place in (offset, end - _LOCATOR.size - _END_64.size):
            if 0 <= place <= end - _LOCATOR.size - _END_64.size:
                self._file.seek(place)
                record = _END_64.unpack(self._file.read(_END_64.size))
                if record[0] == b"PK\6\6":
                    disk, first, here, count, length, begin = record[4:]
                    return place, here if not (disk or first) else -1, count, length, begin
        raise BadZip(_ZIP64)

    def _read_directory(self, count: int, begin: int, end: int, shift: int) -> list[Member]:
        self._file.seek(begin)
        directory = self._file.read(end - begin)
        entries, at = [], 0
        try:
            for _ in range(count):
                entry = _ENTRY.unpack_from(directory, at)
                at += _ENTRY.size
                name_bytes, extra_bytes, comment = entry[10:13]
                name = directory[at : at + name_bytes]
                extra = _extra_fields(directory[at + name_bytes : at + name_bytes + extra_bytes])
                at += name_bytes + extra_bytes + comment
                if entry[0] != b"PK\1\2" or at > len(directory):
                    raise BadZip(_LIST_DAMAGED)
                entries.append((entry, name, extra))
        except struct.error:
            raise BadZip(_LIST_DAMAGED) from None
        if at != len(directory):
            raise BadZip(Wording("zip.list_length", "its list of files is not as long as it says"))
        names = _texts([(name, entry[3], extra) for entry, name, extra in entries])
        return [
            _member(entry, extra, name, shift)
            for (entry, _, extra), name in zip(entries, names, strict=True)
        ]

    def _find_data(self, directory: int) -> dict[int, int]:
        """Return where the packed bytes of each member begin, by the offset of its header."""
        starts, free = {}, 0
        for member in sorted(self.members, key=lambda member: member.offset):
            if member.offset < free:
                raise BadZip(_OVERLAP)
            self._file.seek(member.offset)
            header = self._file.read(_LOCAL.size)
            if len(header) < _LOCAL.size or header[:4] != b"PK\3\4":
                raise BadZip(
                    Wording(
                        "zip.no_file",
                        "it is damaged: where a file should begin there is none; make a new one",
                    )
                )
            name_bytes, extra = _LOCAL.unpack(header)[-2:]
            starts[member.offset] = member.offset + _LOCAL.size + name_bytes + extra
            free = starts[member.offset] + member.packed
        if free > directory:
            raise BadZip(_OVERLAP)
        return starts


class _Stored:
    """Reads members that are not compressed, through the same calls as zlib's."""

    eof = False
    unconsumed_tail = unused_data = b""

    def decompress(self, packed: bytes, most_bytes: int) -> bytes:
        """Return the bytes as they are; the caller notices when there are too many."""
        return packed


def _end_record(tail: bytes) -> int:
    """Return where the end record begins in the last bytes of a file.

    The last one whose comment ends with the file, else the last: what follows it does not count.
    """
    at, found = len(tail), -1
    while (at := tail.rfind(b"PK\5\6", 0, at)) >= 0:
        rest = len(tail) - at - _END.size
        if rest < 0:
            continue
        comment = _END.unpack_from(tail, at)[-1]
        if comment == rest:
            return at
        if comment < rest and found < 0:
            found = at
    if found < 0:
        raise BadZip(
            Wording(
                "zip.no_list",
                "it has no list of files at its end: it is not a zip file, or was cut"
                " short on its way",
            )
        )
    return found


def _extra_fields(extra: bytes) -> dict[int, bytes]:
    """Return the extra fields of a member by their kind; what is cut short is left out."""
    fields: dict[int, bytes] = {}
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        fields.setdefault(kind, extra[at + 4 : at + 4 + length])
        at += 4 + length
    return fields


def _member(entry: tuple[Any, ...], extra: dict[int, bytes], name: str, shift: int) -> Member:
    _, _, _, flags, method, _, _, checksum, packed, unpacked = entry[:10]
    attributes, offset = entry[-2:]
    sizes, at = extra.get(_SIZES_64, b""), 0
    values = []
    for value in (unpacked, packed, offset):  # in this order, and only those that are missing
        if value == 0xFFFFFFFF:
            if at + 8 > len(sizes):
                raise BadZip(_ZIP64)
            value = int.from_bytes(sizes[at : at + 8], "little")
            at += 8
        values.append(value)
    unpacked, packed, offset = values
    return Member(name, flags, method, checksum, packed, unpacked, attributes >> 16, offset + shift)


def _texts(names: Sequence[tuple[bytes, int, dict[int, bytes]]]) -> list[str]:
    """Return names as text: as the archive says, or else in the encoding that fits them all.

    Args:
        names: the bytes, the flags and the extra fields of each.
    """
    texts = [_said(*name) for name in names]
    unsaid = [name for (name, _, _), text in zip(names, texts, strict=True) if text is None]
    decoded = iter(decode_names(unsaid))
    return [next(decoded) if text is None else text for text in texts]


def _said(name: bytes, flags: int, extra: dict[int, bytes]) -> str | None:
    """Return a name as text if the archive says how it is encoded, else None."""
    unicode = extra.get(_NAME_UTF_8, b"")  # version, CRC-32 of the name that it stands for, name
    with suppress(UnicodeDecodeError):
        if unicode[:1] == b"\1" and unicode[1:5] == zlib.crc32(name).to_bytes(4, "little"):
            return unicode[5:].decode()
        if flags & _UTF_8:
            return name.decode()
    return None
