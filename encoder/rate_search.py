"""Find the constant quality value that gives a wanted VMAF; pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal

from encoder.codecs.base import Codec

CLOSE_ENOUGH = 0.25
"""VMAF; a point this near to the target ends the search."""
MOST_POINTS = 5

Point = tuple[Decimal, float]


def next_crf(points: Sequence[Point], target: float, codec: Codec) -> Decimal | None:
    """The value to try next; None where the search is over.

    Between two points around the target it interpolates, beside all points it extrapolates from the nearest two, in
    both cases clipped to the codec's range.

    Args:
        points: (crf, measured VMAF) so far; VMAF falls as crf rises.
        target: wanted VMAF.
        codec: its range and step.
    """
    if len(points) < 2:
        return next(
            (Decimal(guess) for guess in codec.first_guesses if Decimal(guess) not in dict(points)), None
        )
    if len(points) >= MOST_POINTS or min(abs(vmaf - target) for _, vmaf in points) <= CLOSE_ENOUGH:
        return None
    guess = crf_for(points, target, codec)
    return None if guess in dict(points) else guess


def crf_for(points: Sequence[Point], target: float, codec: Codec) -> Decimal:
    """The value that the points say gives the target, on the codec's grid and in its range."""
    ordered = sorted(points)
    below = [point for point in ordered if point[1] >= target]
    above = [point for point in ordered if point[1] < target]
    pair = (below[-1], above[0]) if below and above else (ordered[-2:] if below else ordered[:2])
    (low, high_vmaf), (high, low_vmaf) = pair
    slope = (low_vmaf - high_vmaf) / float(high - low)
    guess = (
        float(low) + (target - high_vmaf) / slope
        if slope < 0
        else float(codec.quality[1] if below else codec.quality[0])
    )
    smallest, largest = codec.quality
    clipped = min(max(Decimal(str(guess)), smallest), largest)
    return (clipped / codec.step).quantize(Decimal(1), ROUND_HALF_EVEN) * codec.step


def best_crf(points: Sequence[Point], target: float, codec: Codec) -> Decimal:
    """The answer: the measured point that is close enough, else what the points say."""
    crf, vmaf = min(points, key=lambda point: abs(point[1] - target))
    if abs(vmaf - target) <= CLOSE_ENOUGH or len(points) < 2:
        return crf
    return crf_for(points, target, codec)
