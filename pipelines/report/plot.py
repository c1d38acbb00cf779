"""Numbers to lines: axes, ticks, and curves thinned out without losing their extremes; pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Points = list[tuple[float, float]]
WIDTH, HEIGHT = 1000, 100
"""The drawing is in these units and stretched to its place; strokes are not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A linear scale from `low` to `high`."""

    low: float
    high: float

    def place(self, value: float) -> float:
        """0 at `low`, 1 at `high`."""
        return (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A mark on an axis.

    Attributes:
        place: 0 to 1 along it.
        label: its value as text.
    """

    place: float
    label: str


def envelope(values: npt.NDArray[np.float64], *, columns: int) -> Points:
    """A curve as points (frame, value), at most four per column: first, least, greatest, last.

    Nothing is averaged: a single bad frame of a long title is still seen.
    """
    if len(values) <= 2 * columns:
        return [(float(frame), float(value)) for frame, value in enumerate(values)]
    points: Points = []
    edges = np.linspace(0, len(values), columns + 1).astype(int)
    for start, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        part = values[start:end]
        kept = sorted({0, int(np.argmin(part)), int(np.argmax(part)), len(part) - 1})
        points += [(float(start + place), float(part[place])) for place in kept]
    return points


def path_data(points: Points, x: Axis, y: Axis) -> str:
    """The `d` of an SVG path through points, in units of the drawing, clipped at its edges."""
    words = [f"{_across(point, x)},{_down(point, y)}" for point in points]
    return f"M{' '.join(words)}" if words else ""


def step_data(heights: Sequence[float], edges: Sequence[float], x: Axis, y: Axis) -> str:
    """The `d` of a stepped SVG path: value i between edges i and i + 1."""
    points: Points = []
    for value, start, end in zip(heights, edges[:-1], edges[1:], strict=True):
        points += [(start, value), (end, value)]
    return path_data(points, x, y)


def score_axis(lowest: float) -> Axis:
    """From a round number somewhat below the lowest score up to 100."""
    return Axis(low=max(0.0, min(90.0, 10 * ((lowest - 2) // 10))), high=100.0)


def rate_axis(highest: float) -> Axis:
    """From 0 to a round number above the highest rate."""
    return Axis(low=0.0, high=_round_step(max(highest, 1.0) * 1.05 / 4) * 4)


def ticks(axis: Axis, count: int, suffix: str = "") -> list[Tick]:
    """About `count` round marks."""
    step = _round_step((axis.high - axis.low) / max(count, 1))
    first = int(np.ceil(axis.low / step - 1e-9))
    last = int(np.floor(axis.high / step + 1e-9))
    return [
        Tick(place=axis.place(mark * step), label=f"{mark * step:g}{suffix}")
        for mark in range(first, last + 1)
    ]


def rate_ticks(axis: Axis, most: int) -> tuple[Tick, ...]:
    """Marks at 1, 2, 4 Mb/s and so on, and at halves of them, on an axis of logarithms (to base 2) of kb/s; at most `most`."""
    mega = math.log2(1000)
    powers = range(math.ceil(axis.low - mega), math.floor(axis.high - mega) + 1)
    step = max(1, math.ceil(len(powers) / most))
    return tuple(
        Tick(place=axis.place(mega + power), label=_rate(1000 * 2.0**power))
        for power in powers
        if not power % step
    )


def above(points: Sequence[tuple[float, float]], low: float) -> Points:
    """The part of a rising curve from `low` on, begun where it crosses it; other curves are cut at their first such point."""
    first = next((place for place, (_, value) in enumerate(points) if value >= low), len(points))
    rest = list(points[first:])
    if rest and first:
        (x, y), (right, top) = points[first - 1], rest[0]
        rest.insert(0, (x + (right - x) * (low - y) / (top - y), low) if top > y else rest[0])
    return rest


def _rate(kbps: float) -> str:
    return f"{kbps / 1000:g} Mb/s" if kbps >= 1000 else f"{kbps:.3g} kb/s"


def time_ticks(seconds: float, count: int) -> list[Tick]:
    """About `count` round times from 0 to `seconds`, as `m:ss` or `h:mm:ss`, tenths where near."""
    steps = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
    step = next((step for step in steps if seconds / step <= count), 7200)
    marks = int(seconds / step + 1e-9)
    return [
        Tick(place=mark * step / seconds, label=clock(mark * step, step < 1)) for mark in range(marks + 1)
    ]


def clock(seconds: float, tenths: bool = False) -> str:  # noqa: FBT001, FBT002  one word about how it looks
    """`1:05`, `1:05.2`, `1:02:05`."""
    whole, part = divmod(round(seconds * 10), 10) if tenths else (round(seconds), 0)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    return f"{head}:{rest:02d}" + (f".{part}" if tenths else "")


def _round_step(step: float) -> float:
    power = 10.0 ** np.floor(np.log10(max(step, 1e-9)))
    return float(next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= step * (1 - 1e-9)))


def _across(point: tuple[float, float], x: Axis) -> str:
    return f"{x.place(point[0]) * WIDTH:.2f}"


def _down(point: tuple[float, float], y: Axis) -> str:
    return f"{(1 - min(max(y.place(point[1]), 0.0), 1.0)) * HEIGHT:.2f}"
