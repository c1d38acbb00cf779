"""Whether a run of frames is a mixture: what a dissolve is, and a camera that moves is not.

In a dissolve from A to B every frame is A + q (B - A), but for what moves in A and B meanwhile. Small pictures hide that
motion, not the difference of A and B. Colour is a second witness: a dissolve mixes it by the same shares as luma, motion
and light do not.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Column = npt.NDArray[np.float32]

ROWS, COLUMNS = 9, 16
COLOURS = 24
"""Values of a coarse colour: twelve cells of Cb, then of Cr."""


def coarse(luma: Bytes) -> Bytes:
    """Means of 3x3 cells of thumbnails: (n, 27, 48) to (n, 9 * 16), rounded down."""
    wide = luma.astype(np.uint16)
    rows = wide[:, 0::3] + wide[:, 1::3] + wide[:, 2::3]
    cells = rows[:, :, 0::3] + rows[:, :, 1::3] + rows[:, :, 2::3]
    return np.asarray(cells // 9, np.uint8).reshape(len(luma), ROWS * COLUMNS)


def coarse_colour(chroma: Bytes) -> Bytes:
    """Means of 3x4 cells of both chroma planes: (n, 2, 9, 16) to (n, 2 * 3 * 4), rounded down."""
    count = len(chroma)
    sums = chroma.reshape(count, 2, 3, 3, 4, 4).sum(axis=(3, 5), dtype=np.uint16)
    return np.asarray(sums // 12, np.uint8).reshape(count, COLOURS)


def misfit(run: Bytes) -> tuple[float, float]:
    """How badly the inner frames of a run mix its first and last.

    Args:
        run: (n, cells) uint8, n >= 3; coarse pictures.

    Returns:
        mean absolute residual as a share of the difference of the ends (plus 1, so that equal ends fit badly); and that
        difference, mean absolute, 8-bit units.
    """
    return _residual(run, _shares(run))


def colour_misfit(run: Bytes, colour: Bytes) -> tuple[float, float]:
    """How badly the colours of a run mix those of its ends, by the shares that fit its luma best.

    Args:
        run: (n, cells) uint8, n >= 3; coarse pictures.
        colour: (n, cells) uint8; coarse colours of the same frames.

    Returns:
        residual and difference, as `misfit` gives them.
    """
    return _residual(colour, _shares(run))


def _shares(run: Bytes) -> Column:
    """How much of the last picture is in each inner one: least squares, not bounded."""
    pictures = run.astype(np.float32)
    way = pictures[-1] - pictures[0]
    return np.asarray((pictures[1:-1] - pictures[0]) @ way / (way @ way + np.float32(1e-6)), np.float32)


def _residual(run: Bytes, shares: Column) -> tuple[float, float]:
    pictures = run.astype(np.float32)
    way = pictures[-1] - pictures[0]
    residual = np.abs(pictures[1:-1] - pictures[0] - shares[:, None] * way).mean()
    apart = float(np.abs(way).mean())
    return float(residual) / (apart + 1), apart


def likeness(one: Bytes, other: Bytes) -> float:
    """Correlation of two pictures, -1 to 1; 0 where one of them is plain."""
    a, b = (
        one.astype(np.float32) - np.float32(one.mean()),
        other.astype(np.float32) - np.float32(other.mean()),
    )
    return float(a @ b / (np.sqrt((a @ a) * (b @ b)) + np.float32(1e-3)))
