"""Splitter `frames`: equal numbers of frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archer.split.base import chunks_at
from archer.split.chunk import Chunk

if TYPE_CHECKING:
    from archer.media.index import FrameIndex


def split(index: FrameIndex, length: int) -> list[Chunk]:
    """Chunks of `length` frames; the last may be shorter."""
    return chunks_at(range(0, len(index), length), len(index))
