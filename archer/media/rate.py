"""The nominal frame rate of a title, and whether its frames keep to it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import reduce
from math import gcd

import numpy as np

from archer.media.index import FrameIndex

TICKS = Fraction(3, 2)
"""Ticks that a frame may lie off its grid: rounding to a container's ticks (milliseconds in Matroska), twice."""

JITTER = Fraction(1, 10)
"""Part of a frame's duration that it may lie off its grid: clocks of cameras jitter. Pull-down patterns (a fifth and
more) and dropped frames (a whole one) are beyond it."""


def frame_rate(index: FrameIndex, time_base: Fraction, nominal: Fraction) -> tuple[Fraction, bool]:
    """Frames per second, and whether the title is of variable rate.

    A title is of constant rate where every frame lies close to the grid of the nominal rate, or of the mean rate.

    Args:
        index: frames and their times.
        time_base: seconds per tick.
        nominal: what the container or FFmpeg's guess says.

    Returns:
        The rate whose grid fits, False; or the nominal rate, True.
    """
    if len(index) < 2:
        return nominal, False
    for rate in (nominal, mean_rate(index, time_base)):
        if on_grid(index, time_base, rate):
            return rate, False
    return nominal, True


def on_grid(index: FrameIndex, time_base: Fraction, rate: Fraction) -> bool:
    """Every frame lies within the tolerances of k / rate, counted from the best common offset."""
    step = 1 / (rate * time_base)  # ticks per frame
    slack = max(TICKS, step * JITTER)
    # in units of 1 / denominator of a tick all is integer: no rounding however long the title
    away = (index.pts - index.pts[0]) * step.denominator - np.arange(len(index)) * step.numerator
    return int(away.max() - away.min()) <= 2 * slack * step.denominator


def mean_rate(index: FrameIndex, time_base: Fraction) -> Fraction:
    """Frames per second between the first and the last frame."""
    span = (int(index.pts[-1]) - int(index.pts[0])) * time_base
    return ((len(index) - 1) / span).limit_denominator(100_000)


def common_tick(times: Sequence[Fraction]) -> Fraction:
    """The longest tick of which all times are multiples; those that are 0 do not count."""
    return reduce(_common, [time for time in times if time])


def _common(one: Fraction, other: Fraction) -> Fraction:
    upper = gcd(one.numerator * other.denominator, other.numerator * one.denominator)
    return Fraction(upper, one.denominator * other.denominator)
