"""How a title is cut into chunks, as a plug-in: from its frame index and a length, nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

from archer.media.range import FrameRange
from archer.split.chunk import Chunk

if TYPE_CHECKING:
    from archer.media.index import FrameIndex


class Splitter(Protocol):
    """Cuts a title; installed by entry point group `cinemill.splitters`. Pure: equal arguments give equal chunks."""

    def __call__(self, index: FrameIndex, length: int) -> Sequence[Chunk]:
        """Chunks that cover the title exactly, in order.

        Args:
            index: frames of the title.
            length: frames that a chunk aims at, at least 1.
        """


def chunks_at(starts: Iterable[int], count: int) -> list[Chunk]:
    """Chunks that begin at these frames, rising from 0; the last ends with the title of `count` frames, which may be 0."""
    if count == 0:
        return []
    ranges = [FrameRange(start, end) for start, end in pairwise([*starts, count])]
    return [Chunk(index=place, frames=frames) for place, frames in enumerate(ranges)]


def splitter_named(name: str) -> Splitter:
    """An installed splitter, or one behind `module:function`.

    Raises:
        SpecError: there is none of that name.
    """
    from archer.registry import SPLITTERS, load

    found: Splitter = load(SPLITTERS, name, "splitter")
    return found
