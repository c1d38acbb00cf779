"""A title has a constant rate where its frames lie on a grid, as exactly as its container and its clock allow."""

from __future__ import annotations

import random
from fractions import Fraction

import numpy as np
import pytest

from archer.media import FrameIndex
from archer.media.rate import frame_rate, mean_rate


def times(pts: list[int]) -> FrameIndex:
    return FrameIndex(pts=np.array(pts, np.int64), keys=np.array([0]), counted_by="demux")


NTSC, MS = Fraction(30000, 1001), Fraction(1, 1000)


def grid(rate: Fraction, count: int, base: Fraction = MS) -> list[int]:
    step = 1 / rate / base  # ticks per frame
    return [(2 * n * step.numerator + step.denominator) // (2 * step.denominator) for n in range(count)]


def test_rounding_to_milliseconds_is_still_constant() -> None:
    assert frame_rate(times(grid(NTSC, 5000)), MS, NTSC) == (NTSC, False)


def test_a_long_title_does_not_drift() -> None:
    """An hour and a half at 24000/1001, rounded: no float may add up an error."""
    rate = Fraction(24000, 1001)
    assert frame_rate(times(grid(rate, 130_000)), MS, rate) == (rate, False)


def test_a_wrong_nominal_rate_gives_way_to_the_mean() -> None:
    found, vfr = frame_rate(times(grid(Fraction(25, 2), 200)), MS, Fraction(25))
    assert (found, vfr) == (Fraction(25, 2), False)


@pytest.mark.parametrize(
    "pts",
    [
        [0, 33, 100, 133, 167, 300],  # frames dropped
        [*range(0, 3300, 33), 5000],  # a hole at the end
        [n * 42 + 8 * (n % 4 > 1) for n in range(100)],  # pull-down
    ],
)
def test_variable_rate(pts: list[int]) -> None:
    assert frame_rate(times(pts), MS, Fraction(30))[1] is True


def test_jitter_of_a_clock_is_not_variable_rate() -> None:
    dice = random.Random(1)
    pts = [pts + dice.randint(-2, 2) for pts in grid(Fraction(30), 500)]
    assert frame_rate(times(pts), MS, Fraction(30)) == (30, False)


def test_one_frame_has_its_nominal_rate() -> None:
    assert frame_rate(times([77]), MS, NTSC) == (NTSC, False)
    assert mean_rate(times([0, 40]), MS) == 25
