"""How a whole picture moves: shift and growth between two small pictures, by least squares.

A coarse shift from the profiles of rows and columns, then one step of Lucas & Kanade 1981 with three unknowns, twice: the
second time without the cells that move on their own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Table = npt.NDArray[np.float32]

GRID = (54, 96)
"""Rows and columns of the small pictures."""
FAR = 10
"""Cells that the coarse search reaches: a tenth of the width, a fifth of the height."""


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
    down, right = (_shift(one.mean(axis=axis), other.mean(axis=axis)) for axis in (1, 0))
    first, second = _common(one, other, down, right)
    gone, ways = (second - first).ravel(), _ways(first + second)
    found = _fit(ways, gone, ways)
    rest = np.abs(gone - ways @ found)
    steady = rest <= 3 * rest.mean() + np.float32(0.5)
    found = _fit(ways, gone, ways * steady[:, None])
    left = float(np.abs(gone - ways @ found).mean())
    rows, columns = GRID
    return Motion(
        pan_x=100 * (right - float(found[0])) / columns,
        pan_y=100 * (down - float(found[1])) / rows,
        zoom=-100 * float(found[2]),
        unexplained=left,
    )


def _shift(one: Table, other: Table) -> int:
    """By how many cells a profile has moved on, at most `FAR`; the least of equally good shifts."""
    inner = one[FAR:-FAR] - one.mean()
    shifted = np.lib.stride_tricks.sliding_window_view(other - other.mean(), len(inner))
    apart = np.abs(shifted - inner).mean(axis=1)
    nearest = apart + np.float32(1e-3) * np.abs(np.arange(-FAR, FAR + 1))
    return int(nearest.argmin()) - FAR


def _common(one: Table, other: Table, down: int, right: int) -> tuple[Table, Table]:
    """The part that both pictures show, without the outermost cells, which have no slope."""
    rows, columns = GRID
    first = one[max(0, -down) : rows - max(0, down), max(0, -right) : columns - max(0, right)]
    second = other[max(0, down) : rows - max(0, -down), max(0, right) : columns - max(0, -right)]
    return first, second


def _ways(twice: Table) -> Table:
    """How cells change if the picture moves by a cell across, by one down, or grows: (n, 3).

    Args:
        twice: the sum of the two pictures; its outermost cells have no slope.
    """
    rows, columns = twice.shape
    found = np.zeros((rows, columns, 3), np.float32)
    np.subtract(twice[:, 2:], twice[:, :-2], out=found[:, 1:-1, 0])
    np.subtract(twice[2:], twice[:-2], out=found[1:-1, :, 1])
    found *= np.float32(0.25)
    x = np.arange(columns, dtype=np.float32) - np.float32((columns - 1) / 2)
    y = np.arange(rows, dtype=np.float32) - np.float32((rows - 1) / 2)
    found[:, :, 2] = found[:, :, 0] * x + found[:, :, 1] * y[:, None]
    return found.reshape(-1, 3)


def _fit(ways: Table, gone: Table, chosen: Table) -> Table:
    """Least squares over chosen cells, with a little damping: a plain picture does not move."""
    square = chosen.T @ ways + np.diag([1, 1, 1000]).astype(np.float32)
    return np.asarray(np.linalg.solve(square, chosen.T @ gone), np.float32)
