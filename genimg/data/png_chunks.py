"""PNG files without what is not pixels (W3C, Portable Network Graphics, third edition, section 5).

A file is a row of chunks. Those with texts and colour profiles may be larger than the picture, and
a decoder unpacks them only to throw them away.
"""

import struct
import zlib
from collections.abc import Iterator

from genimg.wording import Wording

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_NEEDED = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"eXIf")  # eXIf tells which way is up
_MOST_EXIF_BYTES = 2**16
_MOST_UNPACKED = 2**24  # of all texts and the profile together
_PIECE = 2**16


def without_extras(content: bytes) -> bytes:
    """Return a PNG file with its pixels only (of an animation, the first frame); others unchanged.

    Raises:
        ValueError: its texts or its profile would unpack to over 16 MB.
    """
    if not content.startswith(SIGNATURE):
        return content
    view, left = memoryview(content), _MOST_UNPACKED
    kept: list[bytes | memoryview] = [SIGNATURE]
    for kind, begin, end in _chunks(content):
        if kind in _NEEDED and not (kind == b"eXIf" and end - begin > _MOST_EXIF_BYTES):
            kept.append(view[begin - 8 : end + 4])
        elif kind in (b"zTXt", b"iTXt", b"iCCP"):
            left -= _unpacked_size(kind, view[begin:end], left)
            if left < 0:
                raise ValueError(
                    Wording(
                        "picture.texts",
                        "its texts unpack to over 16 MB, as those of zip bombs do; save it again",
                    )
                )
    return b"".join(kept)


def bits_of_png(content: bytes) -> int:
    """Return the bits of a channel that a PNG file states, or 0 for another file."""
    return content[24] if content.startswith(SIGNATURE) and len(content) > 24 else 0


def _chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield the kind of each chunk, and where its data begin and end, maybe beyond the file."""
    at = len(SIGNATURE)
    while at + 8 <= len(content):
        length, kind = struct.unpack_from(">L4s", content, at)
        yield kind, at + 8, at + 8 + length
        if kind == b"IEND":
            return
        at += 12 + length


def _unpacked_size(kind: bytes, data: memoryview, most: int) -> int:
    """Return how many bytes compressed data unpack to, or any number above `most` if more."""
    head = bytes(data[:2000])
    at = head.find(b"\0") + 1
    if kind == b"iTXt":
        if head[at : at + 1] != b"\1":
            return 0  # not compressed
        at = head.find(b"\0", head.find(b"\0", at + 2) + 1)
    unpack, size, packed = zlib.decompressobj(), 0, bytes(data[at + 1 :])
    try:
        while packed and not unpack.eof and size <= most:
            size += len(unpack.decompress(packed, _PIECE))
            packed = unpack.unconsumed_tail
    except zlib.error:
        return size
    return size
