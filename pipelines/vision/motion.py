"""How a whole picture moves: shift and growth between two small pictures, by least squares.

A coarse shift from the profiles of rows and columns, then one step of Lucas & Kanade 1981 with three unknowns, twice: the
second time without the cells that move on their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Table = npt.NDArray[np.float32]

GRID = (54, 96)
"""Rows and columns of the small pictures."""
DAMPING = np.diag([1.0, 1.0, 1000.0, 0.0])
FAR = 10
"""Cells that the coarse search reaches: a tenth of the width, a fifth of the height."""
EFFORT = np.float32(1e-3) * np.abs(np.arange(-FAR, FAR + 1, dtype=np.float32))
"""What tells equally good shifts apart."""


@dataclass(frozen=True, slots=True)
class Motion:
    """Motion of a whole picture.

    Attributes:
        pan_x: to the right, % of the width.
        pan_y: downwards, % of the height.
        zoom: growth, %.
        unexplained: mean absolute change that is left, 8-bit units.
    """

    pan_x: float
    pan_y: float
    zoom: float
    unexplained: float


def motion(before: Bytes, after: Bytes) -> Motion:
    """The motion that turns one small picture into the next.

    Args:
        before, after: (54, 96) uint8.
    """
    one, other = before.astype(np.float32), after.astype(np.float32)
    down, right = (_shift(one, other, axis) for axis in (0, 1))
    first, second = _common(one, other, down, right)
    table = _ways(first + second, second - first)
    ways, gone = table[:3], table[3]
    rest = np.abs(gone - _fit(table, table) @ ways)
    steady = rest <= 3 * rest.sum() / rest.size + np.float32(0.5)
    found = _fit(table, table * steady)
    left = float(np.abs(gone - found @ ways).sum()) / gone.size
    rows, columns = GRID
    return Motion(
        pan_x=100 * (right - float(found[0])) / columns,
        pan_y=100 * (down - float(found[1])) / rows,
        zoom=-100 * float(found[2]),
        unexplained=left,
    )


def _shift(one: Table, other: Table, axis: int) -> int:
    """By how many cells a profile has moved on, at most `FAR`; the least of equally good shifts.

    Sums and not means: numpy's `mean` costs several times as much on tables as small as these.
    """
    cells, across = GRID[axis], GRID[1 - axis]
    before, after = one.sum(axis=1 - axis) / across, other.sum(axis=1 - axis) / across
    inner = before[FAR:-FAR] - before.sum() / cells
    apart = np.abs((after - after.sum() / cells)[_places(cells)] - inner).sum(axis=1) / (cells - 2 * FAR)
    return int((apart + EFFORT).argmin()) - FAR


@lru_cache(maxsize=4)
def _places(length: int) -> npt.NDArray[np.intp]:
    """Places of a profile by shift: (2 FAR + 1, length - 2 FAR)."""
    return np.arange(2 * FAR + 1)[:, None] + np.arange(length - 2 * FAR)[None, :]


def _common(one: Table, other: Table, down: int, right: int) -> tuple[Table, Table]:
    """The part that both pictures show, without the outermost cells, which have no slope."""
    rows, columns = GRID
    first = one[max(0, -down) : rows - max(0, down), max(0, -right) : columns - max(0, right)]
    second = other[max(0, down) : rows - max(0, -down), max(0, right) : columns - max(0, -right)]
    return first, second


def _ways(twice: Table, gone: Table) -> Table:
    """How cells change if the picture moves by a cell across, by one down, or grows; and how they did: (4, n).

    Args:
        twice: the sum of the two pictures; its outermost cells have no slope.
        gone: their difference.
    """
    found = np.zeros((4, *twice.shape), np.float32)
    across, down, growth, found[3] = *found[:3], gone
    np.subtract(twice[:, 2:], twice[:, :-2], out=across[:, 1:-1])
    np.subtract(twice[2:], twice[:-2], out=down[1:-1])
    found[:2] *= np.float32(0.25)
    y, x = (np.arange(side, dtype=np.float32) - np.float32((side - 1) / 2) for side in twice.shape)
    np.multiply(across, x, out=growth)
    growth += down * y[:, None]
    return found.reshape(4, -1)


def _fit(table: Table, chosen: Table) -> Table:
    """Least squares over chosen cells, with a little damping: a plain picture does not move."""
    (a, b, c, x), (_, d, e, y), (_, _, f, z), _ = ((table @ chosen.T).astype(np.float64) + DAMPING).tolist()
    # The inverse of a symmetric matrix of three rows, by its cofactors.
    first, second, third = d * f - e * e, c * e - b * f, b * e - c * d
    whole = a * first + b * second + c * third
    found = (
        first * x + second * y + third * z,
        second * x + (a * f - c * c) * y + (b * c - a * e) * z,
        third * x + (b * c - a * e) * y + (a * d - b * b) * z,
    )
    return np.array([part / whole for part in found], np.float32)
