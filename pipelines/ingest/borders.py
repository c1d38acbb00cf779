"""Black borders of a title: what `--crop auto` cuts off."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from archer.media import FrameRange, VideoStream
from cinemill_native.frames import Frame

SAMPLES = 12
"""Frames that are looked at, spread evenly: a border is black in all of them."""
BLACK = 24
"""Mean luma of a black row or column, of 255 in limited range; compression lifts 16 a little."""
LEAST = 4
"""Samples: a narrower border is left, it is the soft edge of the picture."""


def sample_ranges(total: int) -> list[FrameRange]:
    """Single frames in the middles of equal parts of a title."""
    count = min(SAMPLES, total)
    places = [total * (2 * part + 1) // (2 * count) for part in range(count)]
    return [FrameRange(place, place + 1) for place in places]


def picture_area(frames: Iterable[Frame], video: VideoStream) -> tuple[int, int, int, int] | None:
    """Left, top, width and height of what is not black in all frames, on the grid of the chroma; None without borders.

    A title that is black in all of them has none: nothing says where its picture is.
    """
    rows, columns = np.zeros(video.height), np.zeros(video.width)
    for frame in frames:
        luma = frame.luma.samples
        rows, columns = np.maximum(rows, luma.mean(axis=1)), np.maximum(columns, luma.mean(axis=0))
    black = BLACK << video.bit_depth - 8
    top, bottom = _span(rows > black)
    left, right = _span(columns > black)
    if top >= bottom or left >= right:
        return None
    across, down = video.format.chroma_shift or (0, 0)
    left, right = _aligned(left, right, video.width, max(1, across))
    top, bottom = _aligned(top, bottom, video.height, max(1, down))
    if (left, top, right, bottom) == (0, 0, video.width, video.height):
        return None
    return left, top, right - left, bottom - top


def _span(lit: npt.NDArray[np.bool_]) -> tuple[int, int]:
    places = np.flatnonzero(lit)
    return (int(places[0]), int(places[-1]) + 1) if len(places) else (0, 0)


def _aligned(start: int, end: int, size: int, shift: int) -> tuple[int, int]:
    """The span grown to the grid of the chroma, at least of even numbers; narrow borders are left."""
    first = start >> shift << shift if start >= LEAST else 0
    last = -(-end >> shift) << shift if size - end >= LEAST else size
    return first, min(last, size)
