"""Splitter `keyframes`: chunks that a decoder can start at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archer.split.base import chunks_at
from archer.split.chunk import Chunk

if TYPE_CHECKING:
    from archer.media.index import FrameIndex


def split(index: FrameIndex, length: int) -> list[Chunk]:
    """Chunks of about `length` frames that begin at key frames where there are some.

    A chunk holds at least `length` frames, but for the last; at most twice as many between rare key frames.
    """
    count, starts = len(index), [0]
    for key in index.keys.tolist():
        while key - starts[-1] > 2 * length:
            starts.append(starts[-1] + length)
        if key - starts[-1] >= length:
            starts.append(key)
    while count - starts[-1] > 2 * length:
        starts.append(starts[-1] + length)
    return chunks_at(starts, count)
