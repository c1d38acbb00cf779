"""Splitter `growing`: a short first chunk, so that something is seen soon, then longer and longer ones."""

from __future__ import annotations

from archer.media import FrameIndex
from archer.split import Chunk, chunks_at


def split(index: FrameIndex, length: int) -> list[Chunk]:
    """Chunks of `length`, 2 `length`, 4 `length` ... frames."""
    starts, at, step = [], 0, length
    while at < len(index):
        starts.append(at)
        at, step = at + step, 2 * step
    return chunks_at(starts, len(index))
