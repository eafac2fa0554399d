"""Frames to an MP4 film in H.264, which every browser, phone and presentation plays."""

import io
from fractions import Fraction

import numpy as np

from genimg.render.images import enlarge

_QUALITY = "12"  # x264's constant rate factor: 0 is exact, 23 its default; no loss is seen at 12


def mp4(frames: np.ndarray, frames_per_second: float, enlarge_to: int) -> bytes:
    """Return frames, uint8 (T, H, W, C) with C 1 or 3, as the bytes of an MP4 file.

    Brightness is kept to a few grey levels; colours have half the resolution in both directions, as
    players expect, which is not seen where pixels are enlarged to twice their size or more. A side
    of an odd number of pixels loses its last one. The same frames give the same bytes.

    Args:
        frames_per_second, enlarge_to: as for `genimg.render.animate`, which checks them.
    """
    import av  # only where a film is written: it brings 100 MB of codecs

    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as file:
        rate = Fraction(frames_per_second).limit_denominator(1000)
        stream = file.add_stream("libx264", rate=rate, options={"crf": _QUALITY})
        height, width = np.asarray(enlarge(frames[0], enlarge_to)).shape[:2]
        stream.width, stream.height = width - width % 2, height - height % 2
        stream.pix_fmt = "yuv420p"
        stream.thread_count = 1  # the same bytes everywhere, and other visitors keep their core
        for frame in frames:
            picture = enlarge(frame, enlarge_to).convert("RGB")
            pixels = np.asarray(picture)[: stream.height, : stream.width]
            file.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        file.mux(stream.encode())
    return buffer.getvalue()
