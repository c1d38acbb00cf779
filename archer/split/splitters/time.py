"""Splitter `time`: chunks that last equally long, however unevenly frames are spread over the title."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archer.split.base import chunks_at
from archer.split.chunk import Chunk

if TYPE_CHECKING:
    from archer.media.index import FrameIndex


def split(index: FrameIndex, length: int) -> list[Chunk]:
    """As many chunks as `frames` gives, each of an equal share of the title's time; a pause of more is one chunk."""
    import numpy as np

    count = len(index)
    parts = -(-count // length)
    if parts < 2:
        return chunks_at(range(min(1, count)), count)
    first, last = int(index.pts[0]), int(index.pts[-1])
    bounds = [first + (last + 1 - first) * part // parts for part in range(parts)]
    return chunks_at(np.unique(np.searchsorted(index.pts, bounds)).tolist(), count)
