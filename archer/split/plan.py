"""From shots to chunks: merge the tiny, cut the huge, keep shot starts as boundaries."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise

from archer.media.range import FrameRange
from archer.split.chunk import Chunk, Shot

SLACK = 4
"""A cut within a shot may lie this part of a piece away from where it would make equal pieces."""


def plan_chunks(
    shots: Sequence[Shot], *, shortest: int, longest: int, entries: Sequence[int] = (), gop: int = 1
) -> tuple[Chunk, ...]:
    """Chunks that cover the title exactly, in order.

    A run of shots is merged until it holds at least `shortest` frames; a piece of more than `longest` frames is cut
    into parts. A short rest at the end joins the chunk before it. Parts are equal (they differ by one frame at most) where
    neither `entries` nor `gop` says otherwise; else their borders lie up to a quarter of a part away from there: such that
    all parts together need the fewest key frames, then such that the fewest frames are decoded for nothing.

    Args:
        shots: contiguous, from frame 0.
        shortest, longest: frames; 1 <= shortest <= longest.
        entries: rising numbers of frames of the source at which decoding can start; none for no matter.
        gop: distance of the key frames that chunks will have, frames.

    Raises:
        ValueError: the bounds do not fit together, or the shots do not.
    """
    if not 1 <= shortest <= longest:
        raise ValueError(f"chunk bounds: wanted 1 <= shortest <= longest, got {shortest} and {longest}")
    for before, after in pairwise(shots):
        if before.frames.end != after.frames.start:
            raise ValueError(f"shots: {before.frames} and {after.frames} do not join")
    ranges = [part for merged in _merged(shots, shortest) for part in _cut(merged, longest, entries, gop)]
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


def _cut(whole: FrameRange, longest: int, entries: Sequence[int], gop: int) -> Iterator[FrameRange]:
    count = -(-len(whole) // longest)
    slack = len(whole) // count // SLACK if entries or gop > 1 else 0
    start = whole.start
    for part in range(1, count):
        even, after = whole.start + len(whole) * part // count, count - part
        low = max(even - slack, start + 1, whole.end - after * longest)
        high = min(even + slack, start + longest, whole.end - after)
        costs = {
            border: (_keys(border - start, gop) + _keys(whole.end - border, gop), _wasted(border, entries))
            for border in range(low, high + 1)
        }
        border = min(costs, key=lambda place: (*costs[place], abs(place - even), place))
        yield FrameRange(start, border)
        start = border
    yield FrameRange(start, whole.end)


def _keys(frames: int, gop: int) -> int:
    """Key frames of so many frames."""
    return -(-frames // gop)


def _wasted(border: int, entries: Sequence[int]) -> int:
    """Frames to decode before a chunk that begins there."""
    place = bisect_right(entries, border)
    return border - (entries[place - 1] if place else 0) if entries else 0
