"""From shots to chunks: merge the tiny, cut the huge, keep shot starts as boundaries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from archer.media.range import FrameRange
from archer.split.chunk import Chunk, Shot


def plan_chunks(shots: Sequence[Shot], *, shortest: int, longest: int) -> tuple[Chunk, ...]:
    """Chunks that cover the title exactly, in order.

    A run of shots is merged until it holds at least `shortest` frames; a piece of more than `longest` frames is cut
    into equal parts (which differ by one frame at most). A short rest at the end joins the chunk before it.

    Args:
        shots: contiguous, from frame 0.
        shortest, longest: frames; 1 <= shortest <= longest.

    Raises:
        ValueError: the bounds do not fit together, or the shots do not.
    """
    if not 1 <= shortest <= longest:
        raise ValueError(f"chunk bounds: wanted 1 <= shortest <= longest, got {shortest} and {longest}")
    for before, after in pairwise(shots):
        if before.frames.end != after.frames.start:
            raise ValueError(f"shots: {before.frames} and {after.frames} do not join")
    ranges = [part for merged in _merged(shots, shortest) for part in _cut(merged, longest)]
    return tuple(Chunk(index=index, frames=frames) for index, frames in enumerate(ranges))


def _merged(shots: Sequence[Shot], shortest: int) -> list[FrameRange]:
    merged: list[FrameRange] = []
    start = shots[0].frames.start if shots else 0
    for shot in shots:
        if shot.frames.end - start >= shortest:
            merged.append(FrameRange(start, shot.frames.end))
            start = shot.frames.end
    end = shots[-1].frames.end if shots else 0
    if start < end:
        first = merged.pop().start if merged else start
        merged.append(FrameRange(first, end))
    return merged


def _cut(whole: FrameRange, longest: int) -> Iterator[FrameRange]:
    count = -(-len(whole) // longest)
    bounds = [whole.start + len(whole) * part // count for part in range(count + 1)]
    for start, end in pairwise(bounds):
        yield FrameRange(start, end)
