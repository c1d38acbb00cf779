"""Light that a display gives for a level of luma: BT.1886 and PQ, as libvmaf's CAMBI takes them."""

from __future__ import annotations

from functools import cache

WHITE, BLACK, GAMMA = 300.0, 0.01, 2.4
"""Of the BT.1886 display, cd/m2."""
FOOT, HEAD = 64, 940
"""Luma levels of black and white, 10 bits, limited range."""


def luminance(level: int, eotf: str) -> float:
    """Light in cd/m2 of a 10-bit level. `eotf`: bt1886 or pq."""
    signal = (min(max(level, FOOT), HEAD) - FOOT) / (HEAD - FOOT)
    return _pq(signal) if eotf == "pq" else _bt1886(signal)


def _bt1886(signal: float) -> float:
    """Source: ITU-R BT.1886, annex 1."""
    white, black = WHITE ** (1.0 / GAMMA), BLACK ** (1.0 / GAMMA)
    return float((white - black) ** GAMMA * max(signal + black / (white - black), 0.0) ** GAMMA)


def _pq(signal: float) -> float:
    """Source: SMPTE ST 2084."""
    m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
    power = signal ** (1.0 / m2)
    return float(10000 * (max(power - c1, 0.0) / (c2 - c3 * power)) ** (1.0 / m1))


@cache
def highest_visible(step: int, threshold: float, eotf: str) -> int:
    """The highest level whose neighbour `step` levels up can still be told from it: by more than `threshold` of its light.

    0 if there is none, 1023 if there is no end.
    """

    def visible(level: int) -> bool:
        here = luminance(level, eotf)
        return luminance(level + step, eotf) - here > threshold * here

    low, high = FOOT, HEAD - step - 1
    if not visible(low):
        return 0
    if visible(high + 1) and visible(high):
        return 1023
    while not (visible(low) and not visible(low + 1)):
        middle = low + (high - low) // 2
        if visible(high) and not visible(high + 1):
            return high
        low, high = (low, middle) if not visible(middle) else (middle, high)
    return low


@cache
def darkest_visible(light: float, eotf: str) -> int:
    """The lowest level that is at least as light; 0 if black is."""
    level = FOOT
    while luminance(level, eotf) < light:
        level += 1
    return 0 if level == FOOT else level
