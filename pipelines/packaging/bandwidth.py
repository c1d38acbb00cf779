"""What bit rates a manifest declares for a track; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Bandwidth:
    """Bit rates of a track as HLS defines them.

    Attributes:
        peak: bits per second of the heaviest run of segments of about one target duration.
        average: bits per second over the whole track; never above the peak.
    """

    peak: int
    average: int


def bandwidth(sizes: Sequence[int], durations: Sequence[Fraction], target: Fraction) -> Bandwidth:
    """Bit rates of a track.

    Args:
        sizes: bytes of each segment.
        durations: seconds of each segment.
        target: the playlist's target duration, seconds.

    Source: RFC 8216 section 4.1: the peak is the largest rate of any contiguous run of segments that lasts
        between half and one and a half target durations. A shorter title has the rate of the whole.
    """
    average = _rate(sum(sizes), sum(durations, Fraction(0)))
    return Bandwidth(peak=max([average, *_run_rates(sizes, durations, target)]), average=average)


def heaviest(rates: Iterable[Bandwidth]) -> Bandwidth:
    """The greatest peak and the greatest average of some tracks; zeros of none."""
    known = list(rates)
    return Bandwidth(
        peak=max((one.peak for one in known), default=0),
        average=max((one.average for one in known), default=0),
    )


def _run_rates(sizes: Sequence[int], durations: Sequence[Fraction], target: Fraction) -> Iterator[int]:
    for start in range(len(sizes)):
        size, seconds = 0, Fraction(0)
        for more, longer in zip(sizes[start:], durations[start:], strict=True):
            size, seconds = size + more, seconds + longer
            if seconds > target * 3 / 2:
                break
            if seconds >= target / 2:
                yield _rate(size, seconds)


def _rate(size: int, seconds: Fraction) -> int:
    return -(-size * 8 // seconds) if seconds else 0
