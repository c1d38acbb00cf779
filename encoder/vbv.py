"""What a player must be able to load: a peak rate, and the buffer that lets single pictures be larger; pure.

A decoder's buffer fills at the peak rate and gives each picture at its time (the leaky bucket of H.264, annex C, with one
schedule of variable rate). Chunks are coded apart and played behind one another, so each has to do with half a buffer at
its beginning, and leaves half a one at its end: then the whole holds, in whatever order chunks were coded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from archer.media import FrameRange, MediaInfo

FULL_AT_START = 0.5
"""Share of the buffer that is there before the first picture of a chunk, and again behind its last one."""
BUFFER_S = 2
"""Seconds of the peak rate that a buffer holds where nobody says how large it is."""
WINDOW_S = 4.0
"""A segment's length where none is asked for: runs of GOPs between half and one and a half of it are what HLS takes the peak
from."""
HALVINGS = 30
NOTHING = 1e-6
ABOVE = 1 + NOTHING
"""A rate up to so many times the peak is no higher."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """The peak rate, kb/s, the buffer, kilobits, and the length of a segment, seconds, whose runs keep to the rate."""

    kbps: int
    buffer_kbits: int
    window_s: float = WINDOW_S

    @classmethod
    def of(cls, kbps: int, buffer_kbits: int = 0, window_s: float = WINDOW_S) -> Cap | None:
        """The cap of a rung, with the usual buffer where it names none; None where it has no peak."""
        buffer = buffer_kbits or BUFFER_S * kbps
        return cls(kbps=kbps, buffer_kbits=buffer, window_s=window_s) if kbps else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Coded:
    """Coded pictures as they are loaded.

    Attributes:
        sizes: bytes of each picture, in decoding order.
        times: (pictures + 1,) seconds at which each is taken out of the buffer, and the end; rising. Decoders take pictures
            in decoding order at the times at which they are shown, but for one delay that is the same for all.
        keys: places of the key frames, from 0.
    """

    sizes: Sequence[int]
    times: Sequence[float]
    keys: Sequence[int]


def part_times(info: MediaInfo, part: FrameRange) -> list[float]:
    """Seconds at which the frames of a part are shown, and at which it ends."""
    base, pts = info.video.time_base, info.index.pts
    end = int(pts[part.end]) if part.end < len(pts) else int(pts[0]) + round(info.duration / base)
    return [float(int(time) * base) for time in (*pts[part.start : part.end], end)]


def fullness(coded: Coded, cap: Cap) -> tuple[float, float]:
    """The least share of the buffer that is left behind any picture (below 0: it ran dry), and the share at the end."""
    size = cap.buffer_kbits * 1000.0
    level, least = size * FULL_AT_START, size
    for taken, (start, end) in zip(coded.sizes, pairwise(coded.times), strict=True):
        level -= taken * 8
        least = min(least, level)
        level = min(size, level + cap.kbps * 1000 * (end - start))
    return least / size, level / size


def heaviest_run(coded: Coded, window_s: float = WINDOW_S) -> float:
    """The greatest mean rate of a run of whole GOPs that lasts half to one and a half windows, kb/s; of all where none does.

    A GOP that lasts longer counts alone: no segment can be shorter.

    Source: RFC 8216, section 4.1, on the peak of segments; segments are runs of GOPs.
    """
    whole = _rate(sum(coded.sizes), coded.times[-1] - coded.times[0])
    return max((run.rate for run in runs(coded, window_s)), default=whole)


def fitting(coded: Coded, cap: Cap) -> float:
    """The greatest share of every picture's bytes, up to 1, with which all of it keeps to the cap."""
    return greatest_share(lambda share: holds(coded, cap, share))


def greatest_share(fits: Callable[[float], bool]) -> float:
    """The greatest share, up to 1, that fits, where all smaller ones do."""
    if fits(1.0):
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def holds(coded: Coded, cap: Cap, share: float = 1.0) -> bool:
    """Whether this share of every picture's bytes keeps to the cap."""
    part = Coded(sizes=[int(size * share) for size in coded.sizes], times=coded.times, keys=coded.keys)
    least, last = fullness(part, cap)
    return (
        least >= -NOTHING
        and last >= FULL_AT_START - NOTHING
        and heaviest_run(part, cap.window_s) <= cap.kbps * ABOVE
    )


@dataclass(frozen=True, slots=True)
class Run:
    """A run of whole GOPs: its mean rate, kb/s, and its pictures, half-open."""

    rate: float
    start: int
    end: int


def runs(coded: Coded, window_s: float) -> Iterator[Run]:
    """All runs of whole GOPs that count, see `heaviest_run`."""
    edges = [*coded.keys, len(coded.sizes)]
    sums = [0]
    for start, end in pairwise(edges):
        sums.append(sums[-1] + sum(coded.sizes[start:end]))
    for first in range(len(edges) - 1):
        for last in range(first + 1, len(edges)):
            seconds = coded.times[edges[last]] - coded.times[edges[first]]
            if seconds > window_s * 1.5 + NOTHING and last > first + 1:
                break
            if seconds >= window_s / 2 - NOTHING:
                yield Run(_rate(sums[last] - sums[first], seconds), edges[first], edges[last])


def _rate(size: int, seconds: float) -> float:
    return size * 8 / 1000 / max(seconds, 1e-3)
