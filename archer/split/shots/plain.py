"""Transitions to and from plain pictures, which need no network.

A fade is a picture times a factor, and a title that stands on black of a sudden is a cut, however small its letters are.
What changes little in the mean of a thumbnail is still the whole of what is shown where the rest is plain.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from archer.media.range import FrameRange
from archer.split.shots.fit import misfit

Column = npt.NDArray[np.float32]

EMPTY = 1.0
"""Deviation of luma at which nothing is shown, 8-bit units; coded black is at 0, and noise vanishes in the means of cells."""
SHOWN = 2.5
"""Deviation from which on something is shown."""
SUDDEN = 4.0
"""How many times as much the deviation steps at a cut as in the frames around it."""
STAYS = 4
"""Frames before and behind a cut that are plain, and that are not."""
SHORTEST, LONGEST = 5, 72
"""Frames of a fade."""
STRICT = 0.12
"""Largest residual of a fade, as a share of the difference of its ends (see fit.py)."""


def appearances(deviation: Column) -> list[int]:
    """First frames of pictures that stand on a plain one of a sudden, and of plain ones behind a picture.

    Args:
        deviation: (n,) of luma over the thumbnail, 8-bit units.
    """
    return [at for at in range(STAYS, len(deviation) - STAYS + 1) if _sudden(deviation, at)]


def _sudden(deviation: Column, at: int) -> bool:
    before, after = deviation[at - STAYS : at], deviation[at : at + STAYS]
    low, high = (before, after) if before[-1] < after[0] else (after, before)
    step = abs(float(after[0]) - float(before[-1]))
    calm = max(float(np.abs(np.diff(before)).max()), float(np.abs(np.diff(after)).max()))
    return bool(low.max() <= EMPTY and high.min() >= SHOWN and step >= SUDDEN * calm)


def fades(deviation: Column, coarse: npt.NDArray[np.uint8]) -> Iterator[tuple[bool, FrameRange]]:
    """Fades from (True) and to (False) plain pictures, and their frames: the deviation rises or falls all the way.

    Args:
        deviation: as above.
        coarse: (n, cells) uint8, very small pictures.
    """
    backwards = len(deviation) - 1
    for span in _falls(deviation, coarse):
        yield False, span
    for span in _falls(deviation[::-1], coarse[::-1]):
        yield True, FrameRange(backwards - span.end + 1, backwards - span.start + 1)


def _falls(deviation: Column, coarse: npt.NDArray[np.uint8]) -> Iterator[FrameRange]:
    empty = deviation <= EMPTY
    for end in np.flatnonzero(empty[1:] & ~empty[:-1]).tolist():  # the last frame that shows something
        start = end
        least = max(0, end - LONGEST)
        while start > least and deviation[start - 1] > deviation[start]:
            start -= 1
        run = coarse[start : end + 2]
        if end - start + 1 < SHORTEST or deviation[start] < SHOWN or not _gradual(deviation[start : end + 2]):
            continue
        residual, apart = misfit(run)
        if residual * (apart + 1) <= STRICT * apart + ROUNDING:
            yield FrameRange(start + 1, end + 1)


def _gradual(fall: Column) -> bool:
    """No step takes most of the fall: what a flash or a cut does at once is no fade, though it sank a little before."""
    return float(-np.diff(fall).min()) <= AT_ONCE * float(fall[0] - fall[-1])


AT_ONCE = 0.5
"""Largest share of a fade in one frame."""
ROUNDING = 0.25
"""Mean residual that whole numbers leave, 8-bit units."""
