"""Frames to an animated GIF, WebP, PNG or MP4, or to one strip of pictures."""

import io
import math

import numpy as np
from PIL import Image

from genimg.checks import require_flag, require_number, require_one_of, require_whole_number
from genimg.render.film import mp4
from genimg.render.images import enlarge, grid, require_images

_CLOCK_TICK = {"gif": 10, "webp": 1, "png": 1}  # milliseconds; the formats store whole ticks
# Lossless, since lossy WebP shifts the greys; method 0 and level 1 are the fastest.
_SAVE_OPTIONS = {
    "gif": {},
    "webp": {"lossless": True, "method": 0, "quality": 0},
    "png": {"compress_level": 1},
}
_LONGEST_SECONDS = 60  # a PNG delay holds 65 s, and all equal frames become one delay
_MOST_PIXELS = 2**27  # Pillow holds every enlarged frame at once


def animate(
    frames: np.ndarray,
    format: str = "gif",
    *,
    frames_per_second: float = 30,
    enlarge_to: int = 256,
    loop: bool = True,
) -> bytes:
    """Return the frames as the bytes of an animated file.

    WebP and PNG keep every value. GIF keeps every grey; colour frames share one palette of at most
    256 colours, made for all of them and without dithering, so that still parts do not flicker.

    A GIF counts time in 1/100 s, the others in 1/1000 s. The *end* of each frame is rounded, not
    its delay: 30 frames a second become delays of 30, 40, 30 ... ms in a GIF, and the whole is
    right to half a tick. A frame equal to the one before is not stored: its time is added to that
    one. Frames that are all equal therefore make a still picture.

    An MP4 is smaller and plays everywhere, but keeps values only nearly (see
    `genimg.render.film`), and whether it is repeated is up to the player.

    Args:
        frames: uint8 (T, H, W, C), C 1 or 3.
        format: "gif", "webp", "png" or "mp4".
        frames_per_second: 1 to 50; browsers play GIF delays under 20 ms much too slowly.
        enlarge_to: pixels of the long side, at least, by repeating pixels; 1 to 1024.
        loop: play for ever (True) or once; an MP4 does not say.

    Raises:
        ValueError: an argument has another shape, type or range, or the animation would last
            more than 60 s or have more than 2**27 pixels.
    """
    require_images(frames)
    require_one_of("format", format, (*_CLOCK_TICK, "mp4"))
    require_flag("loop", loop)
    require_number("frames_per_second", frames_per_second, 1, 50)
    require_whole_number("enlarge_to", enlarge_to, 1, 1024)
    count, height, width, _ = frames.shape
    check_length(count, height, width, frames_per_second=frames_per_second, enlarge_to=enlarge_to)
    if format == "mp4":
        return mp4(frames, frames_per_second, enlarge_to)

    if format == "gif" and frames.shape[3] == 3:
        pictures = _palette_pictures(frames, enlarge_to)
    else:
        pictures = [enlarge(frame, enlarge_to) for frame in frames]
    options = dict(_SAVE_OPTIONS[format])
    if loop:
        options["loop"] = 0  # 0 is for ever
    elif format != "gif":
        options["loop"] = 1  # a GIF is played once when it says nothing, and twice when it says 1
    delays = _delays(len(frames), frames_per_second, _CLOCK_TICK[format])
    buffer = io.BytesIO()
    pictures[0].save(
        buffer, format, save_all=True, append_images=pictures[1:], duration=delays, **options
    )
    return buffer.getvalue()


def check_length(
    count: int, height: int, width: int, *, frames_per_second: float, enlarge_to: int = 256
) -> None:
    """Raise ValueError unless so many frames of this size, in pixels, make one animation.

    The other arguments are those of `animate`, which checks the same.
    """
    if count > _LONGEST_SECONDS * frames_per_second:
        raise ValueError(
            f"{count} frames last more than {_LONGEST_SECONDS} s at {frames_per_second:g} "
            "frames a second; give fewer frames or a higher rate"
        )
    factor = math.ceil(enlarge_to / max(height, width))
    if count * height * width * factor**2 > _MOST_PIXELS:
        raise ValueError(
            f"{count} frames of this size have more than {_MOST_PIXELS} pixels; "
            "lower enlarge_to or give fewer frames"
        )


def strip(frames: np.ndarray, columns: int | None = None) -> Image.Image:
    """Lay frames, uint8 (T, H, W, C), side by side without gaps: one row, or rows of `columns`.

    Raises:
        ValueError: as `grid`.
    """
    require_images(frames)
    return grid(frames, len(frames) if columns is None else columns)


def _palette_pictures(frames: np.ndarray, enlarge_to: int) -> list[Image.Image]:
    """Return colour frames (T, H, W, 3) as pictures that share one palette."""
    count, height, width, _ = frames.shape
    tower = Image.fromarray(frames.reshape(count * height, width, 3))
    tower = tower.quantize(256, dither=Image.Dither.NONE)
    indices = np.asarray(tower).reshape(count, height, width)
    pictures = [enlarge(index, enlarge_to) for index in indices]
    palette = tower.getpalette() or []  # a quantised picture has one
    for picture in pictures:
        picture.putpalette(palette)  # the greys become palette indices
    return pictures


def _delays(count: int, frames_per_second: float, tick: int) -> list[int]:
    """Return milliseconds for each frame, whole ticks, such that rounding does not add up."""
    times = np.arange(count + 1) * (1000 / frames_per_second)
    return np.diff(np.rint(times / tick).astype(int) * tick).tolist()
