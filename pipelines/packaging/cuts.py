"""Where segments begin: at key frames that all rungs share, and at the beginnings of shots where there are some near; pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import partial
from itertools import pairwise

SLACK = Fraction(3, 1000)
"""Seconds by which a time may differ from track to track: some count in milliseconds."""
NEAR_MS, FINEST_MS, STEPS = 3, 20, 500
APART = (Fraction(0), Fraction(1, 10), Fraction(1, 4))
"""Milliseconds that rounding may take; the shortest piece; how many steps are tried; seconds from key frame to shot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cuts:
    """How a title is cut.

    Attributes:
        times: when each segment but the first begins, seconds, rising.
        step: cut at the first key frame of every so many seconds, each of `times` begins a piece: pieces are joined then.
    """

    times: tuple[Fraction, ...]
    step: Decimal

    def after(self, lead: Decimal) -> Decimal:
        """A clear lead that ends where a segment does: at the first one that does not begin before it.

        Half a millisecond less is told to the packager, so that no rounding makes another piece clear.
        """
        end = next((time for time in self.times if time >= Fraction(lead)), None) if lead else None
        return Decimal(str(round(float(end - Fraction(1, 2000)), 6))) if end else lead


def plan_cuts(
    keys: Sequence[Fraction],
    every: Sequence[Fraction],
    shots: Sequence[Fraction],
    segment_s: Decimal,
    end: Fraction,
) -> Cuts | None:
    """Where segments begin; None where there is one only.

    Where a key frame stands right before a shot, pieces would have to be very short to part them: if no step does it, such
    shots do not count, since nobody wants hundreds of thousands of pieces.

    Args:
        keys, shots, segment_s, end: see `planned`.
        every: times of all key frames of all rungs, rising.
    """
    for apart in APART:
        far = [time for time in keys if not time or time - every[bisect_left(every, time) - 1] >= apart]
        times = planned(far, shots, segment_s, end)
        step = step_for(every, times)
        if step and times:
            return Cuts(times=times, step=step)
    return None


def planned(
    keys: Sequence[Fraction], shots: Sequence[Fraction], segment_s: Decimal, end: Fraction
) -> tuple[Fraction, ...]:
    """When segments begin, the first one left out.

    Args:
        keys: times of the key frames that all rungs share, rising, from 0.
        shots: times at which shots begin.
        segment_s: wanted length; it may be half as long, or half as long again. In that span a segment ends with a shot
            where it can, and has its length as nearly as possible; where there is no key frame in it, at the next one.
        end: of the title; no segment is shorter than a quarter of what is wanted because of it.
    """
    wanted, start = Fraction(segment_s), keys[0]
    begins, last = frozenset(shots), bisect_right(keys, end - wanted / 4)
    found: list[Fraction] = []
    while True:
        first = bisect_left(keys, start + wanted / 2)
        near = keys[first : min(last, bisect_right(keys, start + wanted * 3 / 2))]
        ends = [time for time in near if time in begins] or near or keys[first:last][:1]
        if not ends or end - start <= wanted:
            return tuple(found)
        start = min(ends, key=partial(_distance, start + wanted))
        found.append(start)


def _distance(one: Fraction, other: Fraction) -> Fraction:
    return abs(one - other)


def step_for(keys: Sequence[Fraction], times: Sequence[Fraction]) -> Decimal | None:
    """The longest step (of those tried) with which every one of `times` begins a piece; None where there is none.

    The packager begins a piece with the first key frame in each interval of `step` seconds from 0, so an edge must lie
    between each of `times` and the key frame before it.

    Args:
        keys: times of all key frames of all rungs, rising, from 0.
        times: those that must begin a piece.
    """
    gaps = [
        (round(keys[bisect_left(keys, time) - 1] * 1000) + NEAR_MS, round(time * 1000) - NEAR_MS)
        for time in times
    ]
    longest = min(
        (later - before for before, later in pairwise((0, *(late for _, late in gaps)))), default=1000
    )
    for step in range(longest, FINEST_MS, -max(1, (longest - FINEST_MS) // STEPS)):
        if all(early // step < late // step for early, late in gaps):
            return Decimal(step) / 1000
    return None


def groups(starts: Sequence[Fraction], times: Sequence[Fraction]) -> list[list[int]]:
    """Places of the pieces of each segment.

    Args:
        starts: when each piece begins, rising.
        times: when each segment but the first begins: with the first piece at or (by `SLACK`) just before it.
    """
    found: list[list[int]] = [[]]
    rest = list(times)
    for place, start in enumerate(starts):
        while rest and start >= rest[0] - SLACK:
            rest.pop(0)
            if found[-1]:
                found.append([])
        found[-1].append(place)
    return found
