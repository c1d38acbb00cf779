"""Whether a run of frames is a mixture: what a dissolve is, and a camera that moves is not.

In a dissolve from A to B every frame is A + q (B - A), but for what moves in A and B meanwhile. Small pictures hide that
motion, not the difference of A and B.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]

ROWS, COLUMNS = 9, 16


def coarse(luma: Bytes) -> Bytes:
    """Means of 3x3 cells of thumbnails: (n, 27, 48) to (n, 9 * 16), rounded down."""
    wide = luma.astype(np.uint16)
    rows = wide[:, 0::3] + wide[:, 1::3] + wide[:, 2::3]
    cells = rows[:, :, 0::3] + rows[:, :, 1::3] + rows[:, :, 2::3]
    return np.asarray(cells // 9, np.uint8).reshape(len(luma), ROWS * COLUMNS)


def misfit(run: Bytes) -> tuple[float, float]:
    """How badly the inner frames of a run mix its first and last.

    Args:
        run: (n, cells) uint8, n >= 3; coarse pictures.

    Returns:
        mean absolute residual as a share of the difference of the ends (plus 1, so that equal ends fit badly); and that
        difference, mean absolute, 8-bit units.
    """
    pictures = run.astype(np.float32)
    first, way = pictures[0], pictures[-1] - pictures[0]
    inner = pictures[1:-1] - first
    shares = inner @ way / (way @ way + np.float32(1e-6))
    residual = np.abs(inner - shares[:, None] * way).mean()
    apart = float(np.abs(way).mean())
    return float(residual) / (apart + 1), apart


def likeness(one: Bytes, other: Bytes) -> float:
    """Correlation of two pictures, -1 to 1; 0 where one of them is plain."""
    a, b = (
        one.astype(np.float32) - np.float32(one.mean()),
        other.astype(np.float32) - np.float32(other.mean()),
    )
    return float(a @ b / (np.sqrt((a @ a) * (b @ b)) + np.float32(1e-3)))
