"""Splitter `keyframes`: chunks that a decoder can start at."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from archer.split.base import chunks_at
from archer.split.chunk import Chunk

if TYPE_CHECKING:
    from archer.media.index import FrameIndex

SHARE = 16
"""Which part of what remains a graded chunk takes; balance is kept for about as many workers."""
LEAST = 48
"""Frames that a graded chunk aims at least at: a second of work where pictures are large."""


def split(index: FrameIndex, length: int) -> list[Chunk]:
    """Chunks of about `length` frames that begin at key frames where there are some.

    A chunk holds at least `length` frames, but for the last; at most twice as many between rare key frames.
    """
    return _cut(index, length, lambda _: length)


def graded(index: FrameIndex, length: int) -> list[Chunk]:
    """As `split`, but chunks get shorter towards the end of the title, so that workers run out of work together.

    A chunk aims at a sixteenth of what remains, at least at 48 frames and at most at `length`; groups of pictures are not cut
    for that. Source: guided self-scheduling, Polychronopoulos & Kuck 1987.
    """
    return _cut(index, length, lambda remaining: min(length, max(LEAST, remaining // SHARE)))


def _cut(index: FrameIndex, longest: int, wanted: Callable[[int], int]) -> list[Chunk]:
    count, starts = len(index), [0]
    for key in index.keys.tolist():
        while key - starts[-1] > 2 * longest:
            starts.append(starts[-1] + longest)
        if key - starts[-1] >= wanted(count - starts[-1]):
            starts.append(key)
    while count - starts[-1] > 2 * longest:
        starts.append(starts[-1] + longest)
    return chunks_at(starts, count)
