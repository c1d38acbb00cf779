"""Find the constant quality value that gives a wanted VMAF; pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from math import exp, log

from encoder.codecs.base import Codec
from encoder.surface import CEILING
from encoder.usable import Usable

CLOSE_ENOUGH = 0.25
"""VMAF; a point this near to the target ends the search."""
MOST_POINTS = 5

Point = tuple[Decimal, float]


def next_crf(
    points: Sequence[Point], target: float, usable: Usable, prior: Sequence[Point] = ()
) -> Decimal | None:
    """The value to try next; None where the search is over.

    Between two points around the target it interpolates, beside all points it extrapolates from the nearest two, in
    both cases clipped to the codec's range. As long as there are no two, the prior
    stands for them, moved through the one there is.

    Args:
        points: (crf, measured VMAF) so far; VMAF falls as crf rises.
        target: wanted VMAF.
        usable: what there is to try; what broke so far is left out.
        prior: two points or more of what was measured before, a part of the title; none for the codec's first guesses.
    """
    if len(points) + len(usable.broken) >= 2 * MOST_POINTS or len(points) >= MOST_POINTS:
        return None
    if any(abs(vmaf - target) <= CLOSE_ENOUGH for _, vmaf in points):
        return None
    known = points if len(points) > 1 else moved(prior, points)
    if len(known) < 2:
        guesses = [usable.nearest(Decimal(guess)) for guess in usable.codec.first_guesses]
        return next((guess for guess in guesses if guess not in dict(points)), None)
    guess = usable.nearest(crf_for(known, target, usable.codec))
    return None if guess in dict(points) else guess


def moved(prior: Sequence[Point], points: Sequence[Point]) -> Sequence[Point]:
    """The prior, farther from 101 or nearer by the factor that a measured point is; as it is where there is none.

    Args:
        prior: (crf, VMAF); at no crf of the points it is unknown.
        points: one (crf, VMAF), or none.
    """
    if not points or not prior:
        return prior or points
    factor = exp(lacks(points[0][1]) - lacks(dict(prior)[points[0][0]]))
    return [(crf, CEILING - factor * (CEILING - vmaf)) for crf, vmaf in prior]


def lacks(vmaf: float) -> float:
    """Logarithm of what VMAF lacks to 101."""
    return log(CEILING - min(vmaf, 100.0))


def crf_for(points: Sequence[Point], target: float, codec: Codec) -> Decimal:
    """The value that the points say gives the target, on the codec's grid and in its range.

    What VMAF lacks to 101 grows by a factor per step of quality, as `encoder.surface` has it.
    """
    ordered = sorted(points)
    below = [point for point in ordered if point[1] >= target]
    above = [point for point in ordered if point[1] < target]
    pair = (below[-1], above[0]) if below and above else (ordered[-2:] if below else ordered[:2])
    (low, least), (high, most) = ((float(crf), lacks(vmaf)) for crf, vmaf in pair)
    slope = (most - least) / (high - low)
    guess = (
        low + (lacks(target) - least) / slope
        if slope > 0
        else float(codec.quality[1] if below else codec.quality[0])
    )
    smallest, largest = codec.quality
    clipped = min(max(Decimal(str(guess)), smallest), largest)
    return (clipped / codec.step).quantize(Decimal(1), ROUND_HALF_EVEN) * codec.step


def best_crf(points: Sequence[Point], target: float, usable: Usable) -> Decimal:
    """The answer: the measured point that is close enough or the only one, else what the points say."""
    crf, vmaf = min(points, key=lambda point: abs(point[1] - target))
    if abs(vmaf - target) <= CLOSE_ENOUGH or len(points) < 2:
        return crf
    return usable.nearest(crf_for(points, target, usable.codec)) or crf
