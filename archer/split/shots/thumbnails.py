"""What is kept of each frame: small means of its planes, independent of every other frame."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from cinemill_native import thumbnail
from cinemill_native.frames import Frame

LUMA = (27, 48)
CHROMA = (9, 16)
"""Rows and columns of the grids, whatever the size and shape of the picture."""

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Thumbnails:
    """Thumbnails of consecutive frames, 8-bit units.

    Attributes:
        luma: (n, 27, 48) uint8, mean luma of each cell.
        chroma: (n, 2, 9, 16) uint8, mean Cb and Cr of each cell; 128 where a title has no chroma.
    """

    luma: Bytes
    chroma: Bytes

    def __len__(self) -> int:
        return len(self.luma)

    def part(self, places: npt.NDArray[np.int64] | slice) -> Self:
        """The frames of a slice, or at any places."""
        return type(self)(luma=self.luma[places], chroma=self.chroma[places])

    def padded(self, start: int, end: int) -> Self:
        """Frames [start, end), which may lie outside the track: its first and last frames repeat there."""
        if start >= 0 and end <= len(self):
            return self.part(slice(start, end))
        return self.part(np.clip(np.arange(start, end), 0, len(self) - 1))

    @classmethod
    def joined(cls, parts: Iterable[Thumbnails]) -> Thumbnails:
        """Parts of one title, in order, as one."""
        tracks = list(parts)
        if not tracks:
            return cls(luma=np.zeros((0, *LUMA), np.uint8), chroma=np.zeros((0, 2, *CHROMA), np.uint8))
        return cls(
            luma=np.concatenate([track.luma for track in tracks]),
            chroma=np.concatenate([track.chroma for track in tracks]),
        )


def thumbnails(
    frames: Iterable[Frame], *, frame_count: int, on_frame: Callable[[int], None] | None = None
) -> Thumbnails:
    """Measure frames.

    Args:
        frames: consecutive, all of one size.
        frame_count: how many there are.
        on_frame: called with the number of frames measured so far.

    Raises:
        ValueError: there are more or fewer frames.
    """
    luma = np.empty((frame_count, *LUMA), np.uint8)
    chroma = np.full((frame_count, 2, *CHROMA), 128, np.uint8)
    done = 0
    for frame in frames:
        if done == frame_count:
            raise ValueError(f"frames to measure: wanted {frame_count}, got more")
        luma[done] = thumbnail(frame.planes[0], *LUMA)
        for place, plane in enumerate(frame.planes[1:3]):
            chroma[done, place] = thumbnail(plane, *CHROMA)
        done += 1
        if on_frame is not None:
            on_frame(done)
    if done != frame_count:
        raise ValueError(f"frames to measure: wanted {frame_count}, got {done}")
    return Thumbnails(luma=luma, chroma=chroma)
