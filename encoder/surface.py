"""What a shot costs and how good it is at any size and quality, from a few points; pure.

Bytes are interpolated as logarithms, VMAF as log(101 - VMAF): both are nearly straight lines over constant quality, so that
two points say much, and no VMAF passes 100 by more than its model lets it. Curves go down everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
import numpy.typing as npt

from encoder.point import RDPoint, Size
from vmaf.interpolation import hermite, pchip

CEILING = 101.0
"""VMAF of nothing lost is up to 100; one more keeps the logarithm finite."""
FADES = 0.5
"""Of the range of quality values: at such a distance from a point a third of what it corrects is left."""
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curve:
    """A shot at one size.

    Attributes:
        size: (n,) bytes over the grid of quality values, not rising.
        mean, harmonic: (n,) VMAF over the grid, not rising.
    """

    size: Array
    mean: Array
    harmonic: Array


class Surface:
    """The curves of one shot at all sizes.

    A size with two points or more has its own curve (PCHIP, straight beyond its ends). Any other size lies between its
    neighbours that have one, by the logarithm of their areas: first those with a point, moved through it, then the rest.

    What other shots have been seen to do may stand in for what this one lacks: then all of this holds for what differs from
    them, which stays as it is beyond the points, and any number of points will do.

    Args:
        points: of the shot; without a prior one size at least has two of different quality values.
        grid: (n,) quality values to know it at, rising.
        prior: size -> (3, n) lines of a shot of this length, see `lines`; of every size that is asked for.

    Raises:
        ValueError: no size has two points, and there is no prior.
    """

    def __init__(
        self, points: Iterable[RDPoint], grid: Array, prior: Mapping[Size, Array] | None = None
    ) -> None:
        self._grid, self._prior = grid, prior
        self._points: dict[Size, list[RDPoint]] = {}
        for point in sorted(points, key=lambda point: point.crf):
            self._points.setdefault((point.width, point.height), []).append(point)
        least = 2 if prior is None else 1
        own = {size: found for size, found in self._points.items() if len(_crfs(found)) >= least}
        if not own and prior is None:
            raise ValueError(f"no size has two points: {sorted(self._points)}; measure one more")
        self._anchors = {size: self._through(size, found) for size, found in own.items()}
        rest = [size for size in self._points if size not in own]
        self._anchors |= {size: self._moved(size) for size in rest}

    def curve(self, size: Size) -> Curve:
        """Bytes and VMAF at this size over the grid."""
        lines = self.lines(size)
        falling = np.minimum.accumulate(lines[0]), *(np.maximum.accumulate(line) for line in lines[1:])
        mean, harmonic = (np.maximum(CEILING - np.exp(line), 0.0) for line in falling[1:])
        return Curve(size=np.exp(falling[0]), mean=mean, harmonic=harmonic)

    def lines(self, size: Size) -> Array:
        """(3, n) over the grid: logarithms of bytes, and of what mean and harmonic VMAF lack to 101."""
        found = self._anchors[size] if size in self._anchors else self._between(size)
        return found if self._prior is None else self._prior[size] + found

    def measured(self, size: Size) -> Sequence[RDPoint]:
        """The points at this size, best quality first."""
        return tuple(self._points.get(size, ()))

    def _through(self, size: Size, points: Sequence[RDPoint]) -> Array:
        """Through the points of a size; repeated quality values count once. With a prior: how they differ from it."""
        x = _crfs(points)
        lines = _lines([next(point for point in points if float(point.crf) == crf) for crf in x])
        lines[0] = np.minimum.accumulate(lines[0])
        lines[1:] = np.maximum.accumulate(lines[1:], axis=1)
        if self._prior is None:
            return np.array([_extended(x, line, self._grid) for line in lines])
        lines -= np.array([np.interp(x, self._grid, line) for line in self._prior[size]])
        return np.array([_level(x, line, self._grid) for line in lines])

    def _moved(self, size: Size) -> Array:
        """Between its neighbours, moved through its own point.

        VMAF is as much lower everywhere, since that is what scaling loses, or less far from 101 by a factor. Bytes change by a
        factor; between two curves that are known it fades with the distance, since there their interpolation was what was wrong.
        """
        base, found = self._between(size), self._points[size]
        crf = _crfs(found)[0]
        there = np.array([np.interp(crf, self._grid, line) for line in base])
        measured = _lines(found)[:, 0]
        moved: Array = base + (measured - there)[:, None]
        moved[0] = base[0] + (measured[0] - there[0]) * self._fading(size, crf)
        for row in (1, 2):
            if measured[row] > there[row]:
                moved[row] = np.log(np.exp(base[row]) + np.exp(measured[row]) - np.exp(there[row]))
        return moved

    def _fading(self, size: Size, crf: float) -> Array:
        """(n,) which part of an error in bytes at a quality value is one at the others, too."""
        areas = [width * height for width, height in self._anchors]
        if not min(areas) < size[0] * size[1] < max(areas):
            return np.ones(len(self._grid))
        reach = FADES * max(float(self._grid[-1] - self._grid[0]), 1.0)
        return np.asarray(np.exp(-np.abs(self._grid - crf) / reach), np.float64)

    def _between(self, size: Size) -> Array:
        """By the logarithm of the area between the nearest anchors; beyond them, on the line through the outermost two.

        With a prior that line would say what few points cannot, and the outermost one holds beyond itself.
        """
        area = log(size[0] * size[1])
        known = sorted(self._anchors, key=lambda anchor: anchor[0] * anchor[1])
        if not known:
            return np.zeros((3, len(self._grid)))
        if len(known) == 1:
            return self._anchors[known[0]]
        place = min(max(sum(log(w * h) <= area for w, h in known), 1), len(known) - 1)
        low, high = known[place - 1], known[place]
        start, end = log(low[0] * low[1]), log(high[0] * high[1])
        share = (area - start) / (end - start)
        if self._prior is not None:
            share = min(max(share, 0.0), 1.0)
        return (1 - share) * self._anchors[low] + share * self._anchors[high]


def _crfs(points: Sequence[RDPoint]) -> Array:
    return np.unique(np.array([float(point.crf) for point in points]))


def _lines(points: Sequence[RDPoint]) -> Array:
    """(3, n): the logarithms of bytes and of what mean and harmonic VMAF lack, which rise and fall with quality."""
    return np.array(
        [
            [log(max(point.size, 1)) for point in points],
            [log(CEILING - min(point.mean, 100.0)) for point in points],
            [log(CEILING - min(point.harmonic, 100.0)) for point in points],
        ]
    )


def _extended(x: Array, y: Array, grid: Array) -> Array:
    slopes = pchip(x, y)
    inside = hermite(x, y, slopes, np.clip(grid, x[0], x[-1]))
    first, last = (y[1] - y[0]) / (x[1] - x[0]), (y[-1] - y[-2]) / (x[-1] - x[-2])
    return np.asarray(
        inside + first * np.minimum(grid - x[0], 0) + last * np.maximum(grid - x[-1], 0), np.float64
    )


def _level(x: Array, y: Array, grid: Array) -> Array:
    """Through the points, and as at the nearest of them beyond."""
    if len(x) < 2:
        return np.full(len(grid), y[0])
    return np.asarray(hermite(x, y, pchip(x, y), np.clip(grid, x[0], x[-1])), np.float64)
