"""Zip files from strangers, read as a stream, and held to every number they say of themselves.

A zip file is a row of members, each a local header and its packed bytes, then a directory that
lists them again, then an end record that says where the directory is (PKWARE's APPNOTE.TXT,
sections 4.3.7, 4.3.12 and 4.3.16). Only the directory's numbers are used. What they claim is
checked against the caller's limits before a member is read, and reading stops at the first byte
beyond the claim: a lie cannot cost more than the truth may.

Zip64 is not read: it is for archives of over 65,534 members or 4 GiB.
"""

import io
import struct
import zlib
from dataclasses import dataclass
from stat import S_IFDIR, S_IFMT, S_IFREG
from typing import BinaryIO

SIGNATURES = (b"PK\3\4", b"PK\5\6")
"""How a zip file begins: with a member, or with the end record if it has none."""
_END = struct.Struct("<4s4H2LH")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_ENCRYPTED = 1 << 0 | 1 << 6 | 1 << 13
_STORED, _DEFLATED = 0, 8
_CHUNK = 64 * 1024
_ZIP64 = "it is a zip file for very large archives (zip64); make smaller ones"
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
        most_members: an archive that lists more is refused, up to 65,534.

    Raises:
        BadZip: it is no zip file, was cut short, is split, needs zip64, lists too many members,
            or its members overlap, so that few bytes could pretend to be many.
        OSError: the file cannot be read.
    """

    def __init__(self, file: BinaryIO, most_members: int) -> None:
        self._file = file
        count, begin, end = self._find_directory()
        if count > most_members:
            raise BadZip(f"it lists {count:,} files, and at most {most_members:,} are allowed")
        if end - begin > most_members * _MOST_ENTRY_BYTES:
            raise BadZip("its list of files is far too long")
        self.members = self._read_directory(count, begin, end)
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
                    raise ValueError("it is larger than the archive says")
        except zlib.error:
            raise ValueError("its compressed bytes are damaged") from None
        if content.tell() != member.unpacked or packed_left or unpack.unused_data:
            raise ValueError("it is not of the size that the archive says")
        if zlib.crc32(content.getvalue()) != member.checksum:
            raise ValueError("its checksum is wrong")
        return content.getvalue()

    def _check(self, member: Member, most_bytes: int, most_ratio: int) -> None:
        if member.flags & _ENCRYPTED:
            raise ValueError("it is encrypted")
        if S_IFMT(member.mode) not in (0, S_IFREG, S_IFDIR):
            raise ValueError("it is a link or a device, not a file")
        if member.method not in (_STORED, _DEFLATED):
            raise ValueError("it is compressed in an unusual way; use a plain zip file")
        if member.unpacked > most_bytes:
            raise ValueError(
                f"it has {member.unpacked:,} bytes, and at most {most_bytes:,} are allowed"
            )
        if member.unpacked > most_ratio * member.packed:
            raise ValueError(f"it is compressed to less than a {most_ratio}th, as no picture is")

    def _find_directory(self) -> tuple[int, int, int]:
        """Return the number of members, and where the directory begins and ends."""
        size = self._file.seek(0, io.SEEK_END)
        longest = min(size, _END.size + 0xFFFF)  # the record ends with a comment
        self._file.seek(size - longest)
        tail = self._file.read(longest)
        at = len(tail)
        while (at := tail.rfind(b"PK\5\6", 0, at)) >= 0:
            if at + _END.size > len(tail):
                continue
            _, disk, first, here, count, length, begin, comment = _END.unpack_from(tail, at)
            if at + _END.size + comment == len(tail):
                break
        else:
            raise BadZip("it is not a whole zip file; it may have been cut short on its way")
        if 0xFFFF in (here, count) or 0xFFFFFFFF in (length, begin):
            raise BadZip(_ZIP64)
        if disk or first or here != count:
            raise BadZip("it is one part of a split archive; join the parts first")
        if begin + length > size - longest + at:
            raise BadZip("its list of files is not where it says")
        return count, begin, begin + length

    def _read_directory(self, count: int, begin: int, end: int) -> list[Member]:
        self._file.seek(begin)
        directory = self._file.read(end - begin)
        members, at = [], 0
        try:
            for _ in range(count):
                entry = _ENTRY.unpack_from(directory, at)
                signature, _, _, flags, method, _, _, checksum, packed, unpacked = entry[:10]
                name_bytes, extra, comment, _, _, attributes, offset = entry[10:]
                at += _ENTRY.size
                name = directory[at : at + name_bytes]
                at += name_bytes + extra + comment
                if signature != b"PK\1\2" or at > len(directory):
                    raise BadZip("its list of files is damaged")
                if 0xFFFFFFFF in (packed, unpacked, offset):
                    raise BadZip(_ZIP64)
                mode = attributes >> 16
                members.append(
                    Member(_text(name), flags, method, checksum, packed, unpacked, mode, offset)
                )
        except struct.error:
            raise BadZip("its list of files is damaged") from None
        if at != len(directory):
            raise BadZip("its list of files is not as long as it says")
        return members

    def _find_data(self, directory: int) -> dict[int, int]:
        """Return where the packed bytes of each member begin, by the offset of its header."""
        starts, free = {}, 0
        for member in sorted(self.members, key=lambda member: member.offset):
            if member.offset < free:
                raise BadZip("its files overlap, as those of no honest zip file do")
            self._file.seek(member.offset)
            header = self._file.read(_LOCAL.size)
            if len(header) < _LOCAL.size or header[:4] != b"PK\3\4":
                raise BadZip("it has lost some of its files; it may have been cut short on its way")
            name_bytes, extra = _LOCAL.unpack(header)[-2:]
            starts[member.offset] = member.offset + _LOCAL.size + name_bytes + extra
            free = starts[member.offset] + member.packed
        if free > directory:
            raise BadZip("its files overlap, as those of no honest zip file do")
        return starts


class _Stored:
    """Members that are not compressed, read through the same calls as zlib's."""

    eof = False
    unconsumed_tail = unused_data = b""

    def decompress(self, packed: bytes, most_bytes: int) -> bytes:
        """Return the bytes as they are; the caller notices when there are too many."""
        return packed


def _text(name: bytes) -> str:
    """Decode a name: UTF-8 where it can be that, whatever its flag says, else code page 437."""
    try:
        return name.decode()
    except UnicodeDecodeError:
        return name.decode("cp437")
