"""What a shot costs and how good it is at any size and quality, from a few points; pure.

Bytes are interpolated as logarithms, VMAF as log(101 - VMAF): both are nearly straight lines over constant quality, so that
two points say much, and no VMAF passes 100 by more than its model lets it. Curves go down everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
import numpy.typing as npt

from encoder.point import RDPoint, Size
from vmaf.interpolation import hermite, pchip

CEILING = 101.0
"""VMAF of nothing lost is up to 100; one more keeps the logarithm finite."""
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

    Args:
        points: of the shot; one size at least has two of different quality values.
        grid: (n,) quality values to know it at, rising.

    Raises:
        ValueError: no size has two points.
    """

    def __init__(self, points: Iterable[RDPoint], grid: Array) -> None:
        self._grid = grid
        self._points: dict[Size, list[RDPoint]] = {}
        for point in sorted(points, key=lambda point: point.crf):
            self._points.setdefault((point.width, point.height), []).append(point)
        own = {size: found for size, found in self._points.items() if len(_crfs(found)) > 1}
        if not own:
            raise ValueError(f"no size has two points: {sorted(self._points)}; measure one more")
        self._anchors = {size: _through(found, grid) for size, found in own.items()}
        rest = [size for size in self._points if size not in own]
        self._anchors |= {size: self._moved(size) for size in rest}

    def curve(self, size: Size) -> Curve:
        """Bytes and VMAF at this size over the grid."""
        lines = self._anchors[size] if size in self._anchors else self._between(size)
        falling = np.minimum.accumulate(lines[0]), *(np.maximum.accumulate(line) for line in lines[1:])
        mean, harmonic = (np.maximum(CEILING - np.exp(line), 0.0) for line in falling[1:])
        return Curve(size=np.exp(falling[0]), mean=mean, harmonic=harmonic)

    def measured(self, size: Size) -> Sequence[RDPoint]:
        """The points at this size, best quality first."""
        return tuple(self._points.get(size, ()))

    def _moved(self, size: Size) -> Array:
        """Between its neighbours, moved through its own point."""
        base, found = self._between(size), self._points[size]
        place = np.interp(_crfs(found), self._grid, np.arange(len(self._grid)))
        errors = [
            _lines(found)[row] - np.interp(place, np.arange(len(self._grid)), base[row]) for row in range(3)
        ]
        return np.array([line + error[0] for line, error in zip(base, errors, strict=True)])

    def _between(self, size: Size) -> Array:
        """By the logarithm of the area between the nearest anchors; beyond them, on the line through the outermost two."""
        area = log(size[0] * size[1])
        known = sorted(self._anchors, key=lambda anchor: anchor[0] * anchor[1])
        if len(known) == 1:
            return self._anchors[known[0]]
        place = min(max(sum(log(w * h) <= area for w, h in known), 1), len(known) - 1)
        low, high = known[place - 1], known[place]
        start, end = log(low[0] * low[1]), log(high[0] * high[1])
        share = (area - start) / (end - start)
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


def _through(points: Sequence[RDPoint], grid: Array) -> Array:
    """(3, n) over the grid through the points, in the units of `_lines`; repeated quality values count once."""
    x = _crfs(points)
    unique = [next(point for point in points if float(point.crf) == crf) for crf in x]
    lines = _lines(unique)
    lines[0] = np.minimum.accumulate(lines[0])
    lines[1:] = np.maximum.accumulate(lines[1:], axis=1)
    return np.array([_extended(x, line, grid) for line in lines])


def _extended(x: Array, y: Array, grid: Array) -> Array:
    slopes = pchip(x, y)
    inside = hermite(x, y, slopes, np.clip(grid, x[0], x[-1]))
    first, last = (y[1] - y[0]) / (x[1] - x[0]), (y[-1] - y[-2]) / (x[-1] - x[-2])
    return np.asarray(
        inside + first * np.minimum(grid - x[0], 0) + last * np.maximum(grid - x[-1], 0), np.float64
    )
